"""One run at a time: a processor shared by two trainings makes both more than twice as slow.

There is no scheduler to keep alive: each queued process looks itself whether it is its turn, so the queue survives the
app. A waiting process does not import torch and takes some 40 MB.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from alexnet_core.errors import ExplorerError
from alexnet_core.places import runs_home
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.states import RunState


def wait_for_turn(run: RunDirectory) -> bool:
    """Wait until no other run beside this one is training and no older one waits.

    Returns False when a person stopped the run while it waited.
    """
    said = None
    while (ahead := _ahead_of(run)) is not None:
        if "STOP" in run.wishes():
            run.withdraw("STOP", "PAUSE")
            run.write_state(RunState("stopped", "Stopped before it began. Resume to start it."))
            return False
        if ahead.id != said:
            said = ahead.id
            run.write_state(RunState.of_this_process("queued", f"Waiting for {ahead.title()} to end."))
        time.sleep(0.5)
    return True


def _ahead_of(run: RunDirectory) -> RunDirectory | None:
    """The run that goes first: one in training, else one that was queued earlier."""
    mine = (run.config().created, run.id)
    for other, status, created in _at_work(run.path.parent):
        if other.id != run.id and (status == "running" or (created, other.id) < mine):
            return other
    return None


def at_work() -> RunDirectory | None:
    """A run of this computer that is in training or waits for its turn; None where there is none."""
    return next((run for run, _, _ in _at_work(runs_home())), None)


def _at_work(folder: Path) -> Iterator[tuple[RunDirectory, str, str]]:
    """Runs that train or wait, with their status and when they were made."""
    for path in sorted(folder.glob("*/config.json")):
        run = RunDirectory(path.parent)
        try:
            status, created = run.state().status, run.config().created
        except ExplorerError:
            continue  # a damaged neighbour holds nobody up
        if status in ("running", "queued"):
            yield run, status, created
