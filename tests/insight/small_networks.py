"""Small networks for tests of what looks inside them."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import nn

from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing

SIZE = 32


def noise(width: int = 40, height: int = 36, seed: int = 0) -> Image.Image:
    """A picture of coloured noise."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def network_of(model: nn.Module, classes: int = 4, size: int = SIZE) -> Network:
    """`model`, frozen, as a network whose classes are named after Greek letters."""
    names = ("alpha", "beta", "Gamma", "gamma", "delta", "epsilon")[:classes]
    return Network("alexnet_mini", frozen(model), names, Preprocessing(size, size))


def small_network() -> Network:
    """alexnet_mini with random weights."""
    torch.manual_seed(0)
    return network_of(build("alexnet_mini", 4, SIZE, batch_norm=False))


class Linear(nn.Module):
    """A linear model of the pixels."""

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * SIZE * SIZE, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layer(images.flatten(1))


class Failing(nn.Module):
    """A model whose forward pass raises from its `after`-th call on."""

    def __init__(self, model: nn.Module, after: int = 0) -> None:
        super().__init__()
        self.model, self.left = model, after

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if self.left == 0:
            raise ZeroDivisionError("a failure in the middle")
        self.left -= 1
        return self.model(images)


def traces(model: nn.Module) -> dict[str, object]:
    """All that looking inside may leave behind: hooks, gradients, flags, modes, and changed weights."""
    kinds: list[Callable[[nn.Module], int]] = [
        lambda m: len(m._forward_hooks), lambda m: len(m._forward_pre_hooks),
        lambda m: len(m._backward_hooks), lambda m: len(m._backward_pre_hooks),
    ]  # fmt: skip
    return {
        "hooks": sum(kind(module) for module in model.modules() for kind in kinds),
        "training": [module.training for module in model.modules()],
        "requires_grad": [parameter.requires_grad for parameter in model.parameters()],
        "gradients": sum(parameter.grad is not None for parameter in model.parameters()),
        "weights": [float(value.double().sum()) for value in model.state_dict().values()],
    }
