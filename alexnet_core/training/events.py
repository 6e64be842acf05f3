"""What a training run has to say, in the order in which it happens. metrics.jsonl holds these, one a line."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Started:
    """The first event."""

    epochs: int
    steps: int
    """Steps of the whole run."""
    train_images: int
    val_images: int
    parameters: int


@dataclass(frozen=True)
class Tick:
    """Between two steps: the moment to look whether someone wants a pause, to save, or to leave. Never written down."""

    step: int


@dataclass(frozen=True)
class StepDone:
    """The training loss of the last few steps (their mean), as often as a curve needs it."""

    step: int
    epoch: int
    train_loss: float
    lr: float


@dataclass(frozen=True)
class EpochDone:
    """An epoch and its validation; losses are mean cross-entropies in nats, accuracies fractions of 1.

    `train_loss` and `train_top1` are means over the epoch's steps, measured on augmented pictures with dropout on, so
    they may look worse than the validation's.
    """

    step: int
    epoch: int
    train_loss: float
    train_top1: float
    val_loss: float
    val_top1: float
    val_top5: float
    lr: float


@dataclass(frozen=True)
class Finished:
    """The last event: the network of the last epoch on the test split; None where the data set has none."""

    step: int
    epoch: int
    test_loss: float | None
    test_top1: float | None
    test_top5: float | None


Event = Started | Tick | StepDone | EpochDone | Finished

EVENTS: dict[str, type[Any]] = {
    "started": Started,
    "step": StepDone,
    "epoch": EpochDone,
    "finished": Finished,
}
"""The name of each written event in metrics.jsonl."""


def to_record(event: Event) -> dict[str, Any]:
    """The event as one plain JSON object."""
    name = next(name for name, kind in EVENTS.items() if isinstance(event, kind))
    return {"event": name, **asdict(event)}


def from_record(record: dict[str, Any]) -> Event:
    """The event that `to_record` wrote. Raises KeyError or TypeError for anything else."""
    values = dict(record)
    return EVENTS[values.pop("event")](**values)
