"""DeepLIFT: differences from a comparison, passed back through each layer in proportion."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from alexnet_core.insight.attribution.baselines import baselines, references
from alexnet_core.insight.attribution.mean_slopes import ACTIVATIONS, ALIKE, Rescaled, strange_layers
from alexnet_core.insight.attribution.paths import how_complete
from alexnet_core.insight.attribution.task import Facts, Setting, Task
from alexnet_core.insight.attribution.way_back import quick_way_back
from alexnet_core.insight.operations import operations, rewired
from alexnet_core.models import Network

COMPARED = Setting(
    "samples", "Comparisons", "How many pictures to compare with; the map is the mean over them.", 8, least=2, most=50
)


def deep_lift(task: Task) -> tuple[torch.Tensor, Facts]:
    """Against each baseline; the values add up to the score's rise.

    Captum's DeepLift gives the same values but for two things, both of which AlexNet has. Where windows of a pooling
    overlap, Captum keeps one of several shares that meet in a place (`max_unpool2d` overwrites); here they are added
    up. Where a pooling follows a ReLU directly, Captum's ReLU is handed the plain gradient (its hook on the tensor
    between them runs before the pooling's). Its shares then miss up to two thirds of the rise.
    """
    start = baselines(task)
    values, found = _lifted(task, start)
    return values, {"baseline": task.text("baseline"), **found}


def deep_lift_shap(task: Task) -> tuple[torch.Tensor, Facts]:
    """The mean over several pictures to compare with."""
    start, words = references(task, task.number("samples"))
    values, found = _lifted(task, start)
    return values, {"compared_with": words, **found}


def deep_lift_obstacle(network: Network) -> str | None:
    """A function that bends and is no layer cannot be given the rule; nor is there one for products."""
    if bending := operations(network).bending:
        return (
            f"{network.title} computes {', '.join(bending)} outside its layers, where DeepLIFT's rules cannot reach; "
            "try integrated gradients."
        )
    if strange := strange_layers(network):
        return f"DeepLIFT has no rule for layers of the kind {', '.join(strange)}; try integrated gradients."
    return None


def _lifted(task: Task, start: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
    """The mean of the contributions against each of `start`, (1, 3, S, S), and how complete they are."""

    def replace(layer: nn.Module, taken: torch.Tensor, given: torch.Tensor) -> torch.Tensor | None:
        if isinstance(layer, ACTIVATIONS):
            return Rescaled.apply(taken, given.detach(), layer)
        if isinstance(layer, nn.MaxPool2d):
            return _RescaledPool.apply(taken, given, layer)
        return None

    total, now, before = torch.zeros_like(task.image), [], []
    model = task.network.model
    # One comparison a pass: with several the convolutions of a processor round more, and the shares of a small network
    # missed 1e-4 of the rise in place of 1e-5.
    for done, compared in enumerate(start.split(1), 1):
        image = task.image.detach().clone()
        with torch.enable_grad(), quick_way_back(model), rewired(model, replace):
            image.requires_grad_()
            score, other = task.score(torch.cat([image, compared])).chunk(2)
            (multipliers,) = torch.autograd.grad(score.sum(), image)
        now.append(score.detach())
        before.append(other.detach())
        total += ((image - compared) * multipliers).detach()
        task.progress(done / len(start))
    values = total / len(start)
    return values, how_complete(values, torch.cat(now), torch.cat(before))


class _RescaledPool(torch.autograd.Function):
    """A maximum pooling: what the pair's larger maximum exceeds the comparison's by goes to the picture's place of
    maximum, the rest to the comparison's (as in the authors' code and Captum); shares that meet are added up."""

    @staticmethod
    def forward(ctx: Any, taken: torch.Tensor, given: torch.Tensor, layer: nn.MaxPool2d) -> torch.Tensor:
        ctx.save_for_backward(taken, given)
        ctx.layer = layer
        return given.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        taken, given = ctx.saved_tensors
        layer: nn.MaxPool2d = ctx.layer
        _, places = F.max_pool2d(
            taken, layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode, True
        )
        ours, compared = given.chunk(2)
        largest = torch.maximum(ours, compared)
        upper = gradient.chunk(2)[0]
        found = torch.zeros_like(taken.chunk(2)[0]).flatten(2)
        for share, place in zip((largest - compared, ours - largest), places.chunk(2), strict=True):
            found.scatter_add_(2, place.flatten(2), (upper * share).flatten(2))
        step = torch.sub(*taken.chunk(2))
        alike = step.abs() < ALIKE
        through = torch.where(alike, 0.0, found.view_as(step) / step.masked_fill(alike, 1.0))
        return torch.cat([through, torch.zeros_like(through)]), torch.zeros_like(given), None
