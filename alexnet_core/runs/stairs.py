"""What a staircase compares, and what each of its runs may spend."""

from dataclasses import dataclass, field
from typing import Any

import torch

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.models import build
from alexnet_core.models.anatomy import anatomy
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.estimate import MOST_EPOCHS, epochs_within
from alexnet_core.training.recipes import settle

PASSES_OF_A_STEP = 3
"""A step passes a picture forwards, and back twice as dearly: to the maps and to the weights."""
OVERHEAD = 10.0
"""Seconds that a run takes beside its training, about: the program's start, the test."""


@dataclass(frozen=True)
class Stair:
    """One network of the comparison."""

    title: str
    model: str
    settings: dict[str, Any] = field(default_factory=dict)
    """Beside the recipe and the network."""


STAIRS: dict[str, Stair] = {
    "alexnet": Stair("AlexNet", "alexnet_mini", {"batch_norm": False}),
    "batch_norm": Stair("AlexNet with batch norm", "alexnet_mini", {"batch_norm": True}),
    "vgg": Stair("VGG", "vgg_mini"),
    "inception": Stair("Inception", "inception_mini"),
    "resnet": Stair("ResNet", "resnet_mini"),
    "efficientnet": Stair("EfficientNet", "efficientnet_mini"),
}
"""From 2012 upwards. All learn with the recipe `quick`."""


@dataclass(frozen=True)
class Budget:
    """What each run may spend; one of the two is given."""

    minutes: float = 0.0
    """Of training on this machine."""
    multiply_adds: float = 0.0
    """Of the whole training."""

    def __post_init__(self) -> None:
        """Raises ExplorerError unless exactly one of the two is a possible number."""
        if (self.minutes > 0) == (self.multiply_adds > 0) or not (
            0 <= self.minutes <= 10_000 and 0 <= self.multiply_adds < float("inf")
        ):
            raise ExplorerError("Give each run either minutes (up to 10,000) or multiply-adds, more than 0.")


def settled(stair: str, seed: int, settings: dict[str, Any], data: PreparedSet) -> TrainConfig:
    """The settings of a stair's run, but for its epochs. Raises ExplorerError for those no run can have."""
    return settle(
        {**settings, "model": STAIRS[stair].model, "seed": seed, **STAIRS[stair].settings},
        train_images=data.count("train"),
        image_size=data.image_size,
        mirrors=data.mirrors,
    )


def epochs(budget: Budget, settings: TrainConfig, data: PreparedSet) -> int:
    """How many the budget pays for, one at least and as many as a run may have at most; where it is minutes, real steps
    are timed."""
    if budget.minutes:
        return epochs_within(60 * budget.minutes, settings, data)
    own = {"batch_norm": settings.batch_norm} if settings.model == "alexnet_mini" else {}
    of_one = multiply_adds(settings.model, own, data)
    found = max(1, round(budget.multiply_adds / (PASSES_OF_A_STEP * of_one * data.count("train"))))
    return min(MOST_EPOCHS, found)


def multiply_adds(model: str, settings: dict[str, Any], data: PreparedSet) -> int:
    """Of one picture of `data` on its way through `model`."""
    with torch.device("meta"):
        network = build(model, len(data.classes), data.image_size, **settings)
    return sum(layer.multiply_adds for layer in anatomy(network, data.image_size))


def expected_minutes(budget: Budget, seeds: int) -> float | None:
    """How long all runs will take, about; None where only the multiply-adds are given."""
    return seeds * len(STAIRS) * (budget.minutes + OVERHEAD / 60) if budget.minutes else None
