"""One run at a time: a processor shared by two trainings makes both more than twice as slow.

There is no scheduler to keep alive: each queued process looks itself whether it is its turn, so the queue survives the
app. A waiting process does not import torch and takes some 40 MB.
"""

import time

from alexnet_core.errors import ExplorerError
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
    for path in sorted(run.path.parent.glob("*/config.json")):
        other = RunDirectory(path.parent)
        if other.id == run.id:
            continue
        try:
            status, created = other.state().status, other.config().created
        except ExplorerError:
            continue  # a damaged neighbour holds nobody up
        if status == "running" or (status == "queued" and (created, other.id) < mine):
            return other
    return None
