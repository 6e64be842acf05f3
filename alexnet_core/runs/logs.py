"""A run's numbers for other programs: a table as CSV, and the event files that TensorBoard reads."""

import csv
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from alexnet_core.errors import ExplorerError
from alexnet_core.runs.directory import RunDirectory, Timing
from alexnet_core.training.events import EpochDone, Event, Finished, StepDone, to_record

COLUMNS = (
    "event", "step", "epoch", "train_loss", "train_top1", "val_loss", "val_top1", "val_top5", "test_loss", "test_top1",
    "test_top5", "lr", "seconds", "images_per_s", "memory_mb",
)  # fmt: skip
"""Losses are mean cross-entropies in nats, accuracies fractions of 1, `seconds` those spent training until then."""

TAGS: dict[type[Event], dict[str, str]] = {
    StepDone: {"train_loss": "loss/train", "lr": "learning rate"},
    EpochDone: {
        "train_loss": "loss/train, mean of the epoch",
        "val_loss": "loss/validation",
        "train_top1": "top-1/train",
        "val_top1": "top-1/validation",
        "val_top5": "top-5/validation",
    },
    Finished: {"test_loss": "loss/test", "test_top1": "top-1/test", "test_top5": "top-5/test"},
}
"""Under which name TensorBoard shows each number of an event."""
SPEED = {"images_per_s": "speed/pictures a second", "memory_mb": "speed/memory in MB"}


def csv_table(run: RunDirectory) -> dict[str, bytes]:
    """`metrics.csv`: an event a line, with the time that had been spent at the last measurement before it.

    Raises ExplorerError for a run without events.
    """
    text = StringIO()
    rows = csv.DictWriter(text, COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
    rows.writeheader()
    for event, timing in _joined(run):
        measured = {} if timing is None else asdict(timing)
        rows.writerow({key: "" if value is None else value for key, value in (measured | to_record(event)).items()})
    return {"metrics.csv": text.getvalue().encode()}


def tensorboard(run: RunDirectory) -> dict[str, bytes]:
    """An event file for `tensorboard --logdir`, by its name; the time of each number is that of a run without pauses.

    Raises ExplorerError for a run without events, and where the package for it is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ExplorerError("TensorBoard's files need one more package: pip install tensorboard.") from error
    began = datetime.fromisoformat(run.config().created).timestamp()
    events = list(_joined(run))
    with TemporaryDirectory() as folder:
        with SummaryWriter(folder) as writer:
            for event, timing in events:
                at = began + (timing.seconds if timing is not None else 0.0)
                for name, tag in TAGS[type(event)].items():
                    value = getattr(event, name)
                    if value is not None:
                        writer.add_scalar(tag, value, event.step, walltime=at)
                if timing is not None and timing.step == event.step and isinstance(event, StepDone):
                    for name, tag in SPEED.items():
                        writer.add_scalar(tag, getattr(timing, name), event.step, walltime=at)
        (file,) = Path(folder).iterdir()
        # Its own name holds that of the machine, which is nobody's business.
        return {f"events.out.tfevents.{round(began)}.{run.id}": file.read_bytes()}


LOGS: dict[str, Callable[[RunDirectory], dict[str, bytes]]] = {"csv": csv_table, "tensorboard": tensorboard}
"""The formats: each gives files by name."""


def _joined(run: RunDirectory) -> Iterator[tuple[StepDone | EpochDone | Finished, Timing | None]]:
    """Each event but the first, with the last timing until then."""
    events = [event for event in run.events() if isinstance(event, StepDone | EpochDone | Finished)]
    if not events:
        raise ExplorerError(
            f"{run.title()} has no curve to write: it has not begun, or was trained elsewhere. Its network can be "
            "exported."
        )
    timings = run.timings()
    steps = [timing.step for timing in timings]
    for event in events:
        place = bisect_right(steps, event.step)
        yield event, timings[place - 1] if place else None
