"""The command line, in which one process finds no memory once a file is there: a program for torchrun.

`torchrun ... one_without_memory.py RANK FILE ENDING train ...`; ENDING is `waiting` where the end of the group is to
wait for the others without end, as NCCL's may, else `usual`.
"""

import os
import sys
import threading
from typing import Any

import torch
import torch.distributed as dist

from alexnet_core.__main__ import main
from alexnet_core.training.loop import Training


def without_memory(rank: str, file: str, ending: str) -> None:
    learn = Training._learn

    def greedy(training: Training, *batch: Any) -> None:
        if os.environ["RANK"] == rank and os.path.exists(file):
            raise MemoryError
        learn(training, *batch)

    Training._learn = greedy
    if ending == "waiting":
        torch.cuda.is_initialized = lambda: True
        dist.destroy_process_group = threading.Event().wait


if __name__ == "__main__":
    without_memory(*sys.argv[1:4])
    sys.exit(main(sys.argv[4:]))
