"""Several processes that train one network: which one this is, and what they tell each other.

torchrun starts them and says in the environment who is who. What they agree on goes through a gloo group on the
processors, so that no GPU is waited for; gradients go over NCCL where there are GPUs, one to a process.
"""

import atexit
import gc
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist

# Loaded before there is a group: its functions take the one that there is then as the default of an argument, and so
# keep it, with its threads, until Python ends. There a process was aborted now and then, after its work.
import torch.distributed.nn

from alexnet_core.errors import ExplorerError

T = TypeVar("T")

PATIENCE = timedelta(days=30)
"""Until waiting for the others counts as an error. The first process may prepare a large data set, stand in a queue or
be paused; one that has gone is noticed at once, by its closed connection."""
_LAST_WORD = "alexnet/last-word"


@dataclass(frozen=True)
class World:
    """The processes of a training, seen from one of them."""

    rank: int = 0
    """This process among all, counted from 0."""
    world_size: int = 1
    local_rank: int = 0
    """This process among those of its machine."""
    local_world_size: int = 1
    store: dist.Store | None = None
    """Where a process leaves a last word that outlives it."""

    @property
    def is_main(self) -> bool:
        """Whether this process writes: there is one that does."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """This process's part of `count` rows; the parts of all differ by one row at most and are in order."""
        return slice(count * self.rank // self.world_size, count * (self.rank + 1) // self.world_size)

    def sum(self, numbers: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, in 64 bits on the processor: the device is waited for."""
        if numbers.is_cuda:
            # A GPU would wait without end for sums that include those of a process that has gone; this raises.
            self.agree([False])
        total = numbers.detach().cpu().double()
        if self.world_size > 1:
            dist.all_reduce(total)
        return total

    def gather(self, array: np.ndarray) -> list[np.ndarray]:
        """What each process gave, in the order of ranks; sizes may differ."""
        if self.world_size == 1:
            return [array]
        gathered: list[np.ndarray] = [array] * self.world_size
        dist.all_gather_object(gathered, array)
        return gathered

    def agree(self, flags: Sequence[bool]) -> list[bool]:
        """Whether anybody raised each of `flags`; all get the same answer."""
        if self.world_size == 1:
            return list(flags)
        raised = torch.tensor(flags, dtype=torch.uint8)
        dist.all_reduce(raised, dist.ReduceOp.MAX)
        return [bool(flag) for flag in raised.tolist()]

    def from_main(self, make: Callable[[], T]) -> T:
        """What `make` returns in the main process, everywhere; and its ExplorerError everywhere, too."""
        if self.world_size == 1:
            return make()
        answer: list[Any] = [None, None]
        if self.is_main:
            try:
                answer[0] = make()
            except ExplorerError as error:
                answer[1] = error
        dist.broadcast_object_list(answer, src=0)
        if answer[1] is not None:
            raise answer[1]
        return answer[0]

    def together(self, do: Callable[[], T]) -> T:
        """Do it in every process. Raises the ExplorerError of the first one that could not, in all."""
        if self.world_size == 1:
            return do()
        result, own = None, None
        try:
            result = do()
        except ExplorerError as error:
            own = error
        errors: list[ExplorerError | None] = [None] * self.world_size
        dist.all_gather_object(errors, own)
        for error_of_one in errors:
            if error_of_one is not None:
                raise error_of_one
        return result  # type: ignore[return-value]

    def take_device(self, device: torch.device) -> None:
        """Let `cuda` mean this process's own GPU from now on. Raises ExplorerError when there is none for it."""
        if device.type != "cuda" or self.world_size == 1:
            return
        gpus = torch.cuda.device_count()
        if self.local_world_size > gpus:
            raise ExplorerError(
                f"There are {self.local_world_size} processes on a machine with {gpus} GPU{'s' * (gpus != 1)}; start "
                f"torchrun with --nproc-per-node {gpus}, or train with --device cpu."
            )
        torch.cuda.set_device(self.local_rank)

    def group_for(self, device: torch.device) -> dist.ProcessGroup | None:
        """The group over which tensors on `device` travel; None is the one that is always there."""
        if device.type == "cuda" and self.world_size > 1:
            # NCCL waits ten minutes for the slowest, who may still be reading pictures.
            self.agree([False])
            group = dist.new_group(backend="nccl")
            assert isinstance(group, dist.ProcessGroup)  # what is returned to those left out; nobody is
            return group
        return None

    def leave_word(self, error: ExplorerError) -> None:
        """Tell the others why this process goes."""
        if self.store is not None:
            with suppress(dist.DistError):  # they have gone before
                self.store.set(_LAST_WORD, json.dumps([str(error), error.remedy]))

    def last_word(self) -> ExplorerError | None:
        """Why another process went, if it could still say so."""
        if self.store is not None:
            with suppress(dist.DistError):
                if self.store.check([_LAST_WORD]):
                    sentence, remedy = json.loads(self.store.get(_LAST_WORD))
                    return ExplorerError(sentence, remedy and tuple(remedy))  # JSON has no tuples
        return None


ALONE = World()
"""The usual case: one process."""


@contextmanager
def joined() -> Iterator[World]:
    """The processes torchrun started, connected; `ALONE` without torchrun. One that used a GPU and in which an error is
    raised will end at once, with the status 1, when Python has printed the error."""
    values = os.environ
    if int(values.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    store, rank, world_size = next(dist.rendezvous("env://", timeout=timedelta(minutes=10)))
    dist.init_process_group("gloo", store=store, rank=rank, world_size=world_size, timeout=PATIENCE)
    orderly = True
    try:
        yield World(rank, world_size, int(values["LOCAL_RANK"]), int(values["LOCAL_WORLD_SIZE"]), store)
    except Exception:
        # NCCL takes leave of the others, also where it is told to abort, and they may be waiting for this process. That
        # it has gone they learn when the system closes its connections.
        orderly = not torch.cuda.is_initialized()
        raise
    finally:
        if orderly:
            gc.collect()  # a network in a circle of references holds a group, too
            dist.destroy_process_group()
        else:
            atexit.register(os._exit, 1)
            sys.stdout.flush()


def is_loss_of_a_process(error: BaseException) -> bool:
    """Whether `error` says that another process has gone."""
    # gloo's errors have no type of their own.
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))
