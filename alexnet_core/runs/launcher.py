"""Start and resume runs in processes of their own, which live on when the app ends."""

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import torch

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.devices import threads_beside_pages
from alexnet_core.errors import ExplorerError
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.states import LIVE, RunState
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.recipes import settle

NICENESS = 10
"""Training gives way to the pages: a click is answered while it runs."""

if sys.platform == "win32":
    # A console of its own that nobody sees: Ctrl-C in the app's, and closing its window, would end the run, too. Below
    # normal from the first moment: the python of a virtual environment there only starts the real one, and waits.
    _FLAGS = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
else:
    _FLAGS = 0

_children: list[subprocess.Popen[bytes]] = []
"""Our own processes; a finished one stays a zombie until it is asked for."""


def most_processes() -> int:
    """How many processes can train one network here: one for each CUDA GPU, else one."""
    return max(1, torch.cuda.device_count())


def settled(explicit: dict[str, Any], data: PreparedSet, processes: int = 1) -> TrainConfig:
    """The whole settings of a run of `explicit` on `data` beside the pages, to which one core is left; the threads are
    those of each of its `processes`.

    Raises ExplorerError as `settle` does.
    """
    return settle(
        {"threads": max(1, threads_beside_pages() // processes), **explicit},
        train_images=data.count("train"),
        image_size=data.image_size,
        mirrors=data.mirrors,
    )


def start(settings: TrainConfig, data: PreparedSet, title: str = "", processes: int = 1) -> RunDirectory:
    """A new run of `settings` (settled ones) on `data`, queued behind the runs before it: in a process of its own, or
    in several that train together, one to a GPU."""
    run = RunDirectory.create(settings, DataIdentity.of(data), title=title, processes=processes)
    _launch(run)
    return run


def resume(run: RunDirectory) -> None:
    """Let a stopped, interrupted or failed run go on from its last checkpoint. Raises ExplorerError when it cannot."""
    state = run.state()
    if state.status in LIVE:
        raise ExplorerError("This run is already going on.")
    if state.status == "finished":
        raise ExplorerError("This run is finished; start a new one on the page Train.")
    run.withdraw("STOP", "PAUSE")
    run.write_state(replace(RunState(), message="Starting."))
    _launch(run)


def end(run: RunDirectory) -> None:
    """End a run that does not answer its STOP: by SIGTERM, upon which it saves, and after 20 seconds by force."""
    state = run.state()
    if state.pid is None:
        return
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(state.pid)
        behind = _behind(process)
        # One of many tells the others.
        process.terminate()
        for slow in psutil.wait_procs(behind, timeout=20)[1]:
            with suppress(psutil.NoSuchProcess):
                slow.kill()


def _behind(process: psutil.Process) -> list[psutil.Process]:
    """All processes of the run whose main one is `process`: torchrun, which started them, goes first."""
    parent = process.parent()
    with suppress(psutil.AccessDenied):  # macOS tells nobody how the system's own processes were started
        if parent and any(word.endswith(("torch.distributed.run", "torchrun")) for word in parent.cmdline()):
            return [parent, *parent.children(recursive=True)]
    return [process]


def _launch(run: RunDirectory) -> None:
    for child in _children[:]:
        if child.poll() is not None:
            _children.remove(child)
    processes = run.config().processes
    together = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    command = [sys.executable, "-m", *together * (processes > 1), "alexnet_core", "train"]
    command += ["--resume", str(run.path), "--queue"]
    detached(command, run.path / "log.txt")


def detached(command: list[str], printed: Path) -> subprocess.Popen[bytes]:
    """Start `command` as a process that lives on when this one ends; what it prints goes to the end of a file."""
    # A pipe that nobody reads would block it once it is full.
    with printed.open("ab") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # which Windows does not know
            creationflags=_FLAGS,
            # Windows would write in the encoding of its language, which ends a training whose title it cannot write.
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"},
        )
    _children.append(child)
    if sys.platform != "win32":
        with suppress(psutil.NoSuchProcess):  # it has already failed; log.txt says why
            psutil.Process(child.pid).nice(NICENESS)
    return child
