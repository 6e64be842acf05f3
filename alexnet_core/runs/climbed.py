"""What the runs of a staircase have reached."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.stairs import STAIRS
from alexnet_core.training.events import EpochDone, Finished


@dataclass(frozen=True)
class Climbed:
    """One run of a staircase, as far as it has come."""

    stair: str
    seed: int
    run_id: str
    status: str
    minutes: tuple[float, ...]
    """Trained at the end of each epoch, pauses not counted."""
    val_top1: tuple[float, ...]
    test_top1: float | None
    """At the end; None before, and where the data set has no test split."""


def climbed(stair: str, seed: int, run: RunDirectory) -> Climbed:
    """What `run` has reached so far. Raises ExplorerError where its files are damaged."""
    events, timings = run.events(), run.timings()
    ends = [event for event in events if isinstance(event, EpochDone)]
    minutes: list[float] = []
    if timings:
        at, seconds = [one.step for one in timings], [one.seconds for one in timings]
        minutes = [float(value) / 60 for value in np.interp([event.step for event in ends], at, seconds)]
    finished = next((event for event in events if isinstance(event, Finished)), None)
    return Climbed(
        stair,
        seed,
        run.id,
        run.state().status,
        tuple(minutes),
        tuple(event.val_top1 for event in ends[: len(minutes)]),
        None if finished is None else finished.test_top1,
    )


def summary(results: list[Climbed]) -> dict[str, Any]:
    """What `results` say, by stair: title, epochs, and median, least and largest of the runs' accuracies at the end
    (on the test split, else on the validation's) and of their minutes."""
    found: dict[str, Any] = {}
    for stair in STAIRS:
        ends = [one for one in results if one.stair == stair and one.status == "finished" and one.val_top1]
        if ends:
            tested = [one.val_top1[-1] if one.test_top1 is None else one.test_top1 for one in ends]
            found[stair] = {
                "title": STAIRS[stair].title,
                "epochs": len(ends[0].val_top1),
                "top1": _spread(tested),
                "minutes": _spread([one.minutes[-1] for one in ends]),
            }
    return found


def _spread(values: list[float]) -> dict[str, float | int]:
    return {
        "median": float(np.median(values)), "least": min(values), "largest": max(values), "runs": len(values),
    }  # fmt: skip
