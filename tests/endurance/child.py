"""A process of its own that runs the real command `train --resume RUN`, there within a tenth of a second.

The standard library's fork server has the program imported once and forks for each run; everything after the import is
what a person's process does. `changes` names functions that change the program in the child alone.
"""

import importlib
import multiprocessing
import os
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from alexnet_core.runs.directory import RunDirectory

from .runs import Result

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload([
    "alexnet_core.__main__", "alexnet_core.data.sources", "alexnet_core.runs.listing", "alexnet_core.runs.queue",
    "alexnet_core.runs.recording", "sklearn.datasets", "torch._dynamo", "tqdm",
])  # fmt: skip
"""What a run imports, and what runs.py does, which each child imports together with this file: scikit-learn alone takes
two seconds on a busy machine."""

CHECKPOINT_SECONDS = 0.03
"""In the child: some checkpoint every second or third step, so that a short run has many."""


def start(run: RunDirectory, *changes: str, checkpoint_seconds: float = CHECKPOINT_SECONDS) -> ForkServerProcess:
    """Go on with `run`. A change is written `broken.name` or `trouble.name:argument`: a function of that module."""
    process = SERVER.Process(target=_go_on, args=(run.path, changes, checkpoint_seconds), daemon=True)
    process.start()
    return process


def to_the_end(run: RunDirectory, *changes: str, checkpoint_seconds: float = CHECKPOINT_SECONDS) -> int:
    """Go on with `run` until it ends by itself; the exit status."""
    process = start(run, *changes, checkpoint_seconds=checkpoint_seconds)
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def undisturbed(run: RunDirectory, *changes: str) -> Result:
    """Train `run` from its beginning to its end; what others are compared with."""
    ready = SERVER.Process(target=os.getpid)  # the server itself is started with the first process
    ready.start()
    ready.join()
    began = time.monotonic()
    assert to_the_end(run, *changes) == 0, (run.path / "log.txt").read_text()
    return Result.of(run, time.monotonic() - began)


def _go_on(path: Path, changes: tuple[str, ...], checkpoint_seconds: float) -> None:
    os.setsid()
    log = os.open(path / "log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for output in (1, 2):
        os.dup2(log, output)
    from alexnet_core.__main__ import main
    from alexnet_core.runs import recording

    recording.CHECKPOINT_SECONDS = checkpoint_seconds
    for change in changes:
        place, _, argument = change.partition(":")
        module, _, name = place.partition(".")
        function = getattr(importlib.import_module(f".{module}", __package__), name)
        function(*([argument] if argument else []))
    raise SystemExit(main(["train", "--resume", str(path)]))
