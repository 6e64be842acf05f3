"""What a training costs, before it begins, counted and not timed: how much learns, how much is multiplied, how much
memory that takes."""

from dataclasses import dataclass

import torch

from alexnet_core.models import build
from alexnet_core.models.anatomy import anatomy
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.recipes import model_settings
from alexnet_core.training.transfer import head_of, rates

BACKWARD = 2
"""Multiply-adds of a layer's backward pass over those of its forward pass: once for the gradient of its weights, once
for that of its input."""
ADAM = 4
"""Numbers kept for a weight that learns: itself, its gradient and two running means."""


@dataclass(frozen=True)
class Cost:
    """Counted for the whole run, validations not among it."""

    learning: int
    """Parameters that the training adjusts."""
    parameters: int
    """All of the network's."""
    multiply_adds: float
    """Of all passes over the training pictures, forwards and backwards."""
    memory_bytes: int
    """Weights, gradients, and what a step keeps for its backward pass, in 32-bit numbers; pictures are not counted."""


def cost(settings: TrainConfig, classes: int, image_size: int, train_images: int) -> Cost:
    """The cost of a run of `settings` (settled ones) on so many training pictures."""
    with torch.device("meta"):
        model = build(settings.model, classes, image_size, **model_settings(settings))
    learning = rates(model, settings)
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
    layers = anatomy(model, image_size)
    modules = {name.rpartition(".")[0] for name in learning}
    first = next(place for place, layer in enumerate(layers) if layer.name in modules)
    forward = sum(layer.multiply_adds for layer in layers)
    # From the answer back to the first layer that learns.
    behind = sum(layer.multiply_adds for layer in layers[first:])
    if settings.learn == "head":
        head = head_of(model)
        own = sum(layer.multiply_adds for layer in layers if layer.name == head)
        looks = train_images * (1 + settings.reflect)
        multiply_adds = looks * forward + settings.epochs * train_images * own * (1 + BACKWARD)
    else:
        multiply_adds = settings.epochs * train_images * (forward + BACKWARD * behind)
    kept = sum(layer.activation_bytes for layer in layers[max(0, first - 1) :]) * settings.batch_size
    adjusted = sum(sizes[name] for name in learning)
    total = sum(sizes.values())
    return Cost(adjusted, total, float(multiply_adds), 4 * (total + (ADAM - 1) * adjusted) + kept)
