"""What a run's files tell of its training: the moments that were kept, the first filters of each, and the curves."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from alexnet_core.insight import training_history
from alexnet_core.insight.filters import FirstLayer, filters_of_file
from alexnet_core.models.weights import read_tensors
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.training.events import EpochDone, Started, StepDone
from app.figures.history import Series
from app.store import Store


@st.cache_resource
def _histories() -> Store:
    return Store(8)


@dataclass(frozen=True)
class Course:
    """Lines that belong on one pair of axes."""

    title: str
    series: tuple[Series, ...]
    percent: bool = False


@dataclass(frozen=True)
class History:
    """A run's snapshots and curves, as its files tell them."""

    run: RunDirectory
    key: str
    steps: tuple[int, ...]
    whole: bool
    """Whether every snapshot holds the whole network, not the first layer alone."""
    filters: tuple[FirstLayer, ...]
    """A moment each; every filter keeps its place."""
    courses: tuple[Course, ...]
    """Accuracy first."""
    per_epoch: float
    """Steps an epoch."""

    def at(self, step: int) -> str:
        """The moment in words, as far as a person can use them."""
        line = self.courses[0].series[0]
        right = [value for at, value in zip(line.steps, line.values, strict=True) if at <= step]
        known = f", {right[-1]:.0%} of the validation pictures right".replace("%", " %") if right else ""
        return f"Step {step:,}, epoch {step / self.per_epoch:.3g}{known}"


def history(run: RunDirectory) -> History | None:
    """The history of a run as far as it has come; None while it has no two snapshots."""
    snapshots = _snapshots(run)
    if len(snapshots) < 2:
        return None
    changed = snapshots[max(snapshots)].stat().st_mtime_ns
    key = f"{run.id}@{max(snapshots)}-{changed}"
    return _histories().get(key, lambda: _read(run, key))


def _snapshots(run: RunDirectory) -> dict[int, Path]:
    """The whole snapshots, where a run has some, else the first layers: a bundled run has both, and few whole ones."""
    return run.snapshots(whole=True) or run.snapshots()


def _read(run: RunDirectory, key: str) -> History:
    snapshots = _snapshots(run)
    whole = bool(run.snapshots(whole=True))
    # One after the other: forty of the largest that are kept take 640 MB.
    changes = training_history.changes(read_tensors(path)[0] for path in snapshots.values())
    events = run.events()
    started = next((event for event in events if isinstance(event, Started)), None)
    steps = [event for event in events if isinstance(event, StepDone)]
    ends = [event for event in events if isinstance(event, EpochDone)]
    at_ends = [event.step for event in ends]
    # A file has its tensors by name, the network its layers in the order in which a picture passes them.
    order = [name for name, _ in run.network().model.named_modules()]
    layers = sorted(changes, key=lambda layer: order.index(layer.name))
    return History(
        run,
        key,
        tuple(snapshots),
        whole,
        tuple(filters_of_file(path) for path in snapshots.values()),
        (
            Course(
                "Right answers",
                (
                    Series("validation", at_ends, [event.val_top1 for event in ends]),
                    Series("training", at_ends, [event.train_top1 for event in ends]),
                ),
                percent=True,
            ),
            Course(
                "Loss",
                (
                    Series("validation", at_ends, [event.val_loss for event in ends]),
                    Series("training", [event.step for event in steps], [event.train_loss for event in steps]),
                ),
            ),
            Course(
                "Change since the snapshot before",
                tuple(Series(layer.name, tuple(snapshots), layer.since_before.tolist()) for layer in layers),
            ),
            Course(
                "Change since the start",
                tuple(Series(layer.name, tuple(snapshots), layer.since_start.tolist()) for layer in layers),
            ),
        ),
        started.steps / started.epochs if started is not None else max(snapshots),
    )
