"""Gradients whose way back through the ReLUs is changed: guided backpropagation and deconvolution."""

from typing import Any

import torch
from torch import nn

from alexnet_core.insight.attribution.mean_slopes import ACTIVATIONS
from alexnet_core.insight.attribution.task import Facts, Task
from alexnet_core.insight.attribution.way_back import quick_way_back
from alexnet_core.insight.operations import operations, rewired
from alexnet_core.models import Network


def guided_backprop(task: Task) -> tuple[torch.Tensor, Facts]:
    """What is negative on its way back stops at each ReLU, and so does what the ReLU stopped on the way forward."""
    return _rectified(task, guided=True), {}


def deconvolution(task: Task) -> tuple[torch.Tensor, Facts]:
    """What is negative on its way back stops at each ReLU; what the ReLU stopped on the way forward does not count."""
    return _rectified(task, guided=False), {}


def rectifier_obstacle(network: Network) -> str | None:
    """Both rules are rules for ReLUs that are layers."""
    done = operations(network)
    others = [kind.__name__ for kind in done.kinds if issubclass(kind, ACTIVATIONS) and not issubclass(kind, nn.ReLU)]
    if others:
        return f"The rule is one for ReLUs, and {network.title} has {', '.join(others)} as well; try saliency."
    if not any(issubclass(kind, nn.ReLU) for kind in done.kinds):
        return "This network has no ReLU, so the map would be the plain gradient; try saliency."
    return None


def _rectified(task: Task, guided: bool) -> torch.Tensor:
    def replace(layer: nn.Module, taken: torch.Tensor, given: torch.Tensor) -> torch.Tensor | None:
        return _Rectified.apply(taken, given, guided) if isinstance(layer, nn.ReLU) else None

    model = task.network.model
    with torch.enable_grad(), quick_way_back(model), rewired(model, replace):
        image = task.image.detach().requires_grad_()
        (values,) = torch.autograd.grad(task.score(image).sum(), image)
    return values


class _Rectified(torch.autograd.Function):
    """A ReLU that lets only what is positive pass back: through its own derivative (guided), or past it."""

    @staticmethod
    def forward(ctx: Any, taken: torch.Tensor, given: torch.Tensor, guided: bool) -> torch.Tensor:
        ctx.guided = guided
        return given.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None]:
        positive = gradient.clamp(min=0)
        return (None, positive, None) if ctx.guided else (positive, None, None)
