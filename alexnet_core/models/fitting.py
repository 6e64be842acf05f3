"""Which network of the table weights belong to, told from their names and shapes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.models import MODELS, build
from alexnet_core.models.class_names import MOST_CLASSES
from alexnet_core.models.weights import fill

OTHER_SIZES = (32, 48, 64, 96, 128, 144, 160, 192, 224)
"""Sides in pixels to try where the shapes of the weights depend on the pictures' size."""


@dataclass(frozen=True)
class Fit:
    """One way to build a network that the weights fit."""

    model: str
    settings: dict[str, Any]
    image_size: int
    classes: int

    @property
    def words(self) -> str:
        """For the screen: AlexNet mini, 10 classes, 64 pixels."""
        return f"{MODELS[self.model].title}, {self.classes:,} classes, {self.image_size} pixels"


def fits(shapes: Mapping[str, tuple[int, ...]], image_size: int | None) -> Iterator[Fit]:
    """Every network of the table that has these weights, ours first, each with the first size that fits."""
    for model in MODELS:
        for settings in _variants(model):
            sizes = [image_size] if image_size else [MODELS[model].image_size, *OTHER_SIZES]
            # Some of the small networks have a layer more for large pictures.
            ends = (_expected(model, size, tuple(settings.items())) for size in (sizes[0], sizes[-1]))
            if all(expected.keys() != shapes.keys() for expected in ends):
                continue
            counts = ((size, _classes(shapes, model, size, settings)) for size in sizes)
            fit = next(((size, count) for size, count in counts if count), None)
            if fit is not None:
                yield Fit(model, settings, *fit)


def _variants(model: str) -> list[dict[str, Any]]:
    if "batch_norm" not in MODELS[model].settings:
        return [{}]
    return [{"batch_norm": True}, {"batch_norm": False}]


FEW = 2
"""Classes to build with, in order to see which shapes depend on their number: no inner layer is as narrow."""


@lru_cache(maxsize=256)
def _expected(model: str, size: int, settings: tuple[tuple[str, Any], ...]) -> dict[str, tuple[int, ...]]:
    """The shape of each weight of a network with FEW classes; empty where it cannot be built for this size."""
    try:
        with torch.device("meta"):
            built = build(model, FEW, size, **dict(settings))
    except ExplorerError:
        return {}
    return {key: tuple(value.shape) for key, value in built.state_dict().items()}


def _classes(shapes: Mapping[str, tuple[int, ...]], model: str, size: int, settings: dict[str, Any]) -> int | None:
    """How many classes the weights tell apart if they are those of `model`; None if they are not."""
    expected = _expected(model, size, tuple(settings.items()))
    other = {shapes[key][:1] for key, shape in expected.items() if shapes.get(key, shape) != shape}
    counts = {count for (count,) in other if count >= FEW} if () not in other else set()
    for count in counts or {FEW}:
        asked = {key: (count, *shape[1:]) if shape[:1] == (FEW,) else shape for key, shape in expected.items()}
        if asked == dict(shapes):
            return count
    return None


def only_fit(
    name: str, state: Mapping[str, torch.Tensor], found: Sequence[Fit], model: str | None, image_size: int | None
) -> Fit:
    """The one of the `found` that fits, or the one of that `model`; `name` is the file's. Raises ExplorerError where
    that is not one, saying what is nearest."""
    wanted = [fit for fit in found if model in (None, fit.model)]
    if len(wanted) == 1:
        return wanted[0]
    if wanted:
        could = " or ".join(fit.words for fit in wanted)
        raise ExplorerError(f"The weights in {name} could be {could}; say which network it is (--model).")
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    if model is None:
        nearest = max(MODELS, key=lambda one: _likeness(shapes, one))
        share = _likeness(shapes, nearest)
        near = (
            f" Nearest is {MODELS[nearest].title}, with {100 * share:.0f} % of the weights: name it "
            f"(--model {nearest}) to hear what differs."
            if share >= 0.2
            else ""
        )
        raise ExplorerError(
            f"The {len(shapes):,} weights in {name} belong to no network of this program; they were made with "
            f"another definition.{near} The networks are {', '.join(MODELS)}."
        )
    settings = max(_variants(model), key=lambda one: _likeness(shapes, model, one))
    size = image_size or MODELS[model].image_size
    expected = _expected(model, size, tuple(settings.items()))
    last = [key for key, shape in expected.items() if shape[:1] == (FEW,) and key in shapes and shapes[key]]
    count = max(FEW, shapes[last[-1]][0]) if last else FEW
    with torch.device("meta"):
        built = build(model, min(count, MOST_CLASSES), size, **settings)
    fill(built, state, name)  # says what differs
    raise AssertionError("weights that fit were found to fit none")


def _likeness(shapes: Mapping[str, tuple[int, ...]], model: str, settings: dict[str, Any] | None = None) -> float:
    """The share of a network's weights that are there, the last layer's for any number of classes."""
    variants = _variants(model) if settings is None else [settings]
    every = [_expected(model, MODELS[model].image_size, tuple(one.items())) for one in variants]
    return max(
        sum(shapes.get(key, ())[1:] == shape[1:] and key in shapes for key, shape in expected.items())
        / max(len(expected), len(shapes), 1)
        for expected in every
    )
