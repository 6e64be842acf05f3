"""Layers that pass back their mean slope between two values, in place of the slope at one of them.

Where a ReLU or a pooling changes its mind between two pictures, the gradient at either of them says nothing of the
other side. The mean slope on the straight line from one value to the other does: it is the ratio of the differences,
and with it in every layer, what goes back from one picture to the next adds up to exactly what the score rises between
them (DeepLIFT's rule: Shrikumar, Greenside, Kundaje 2017, arXiv:1704.02685, section 3.5). Each factor of a product has
the other one's mean for its slope, which is exact, too. What goes back is the mean gradient but nearly, for slopes of
several layers change together: the shorter the way, the nearer.

Legend: pictures lie in a row in the batch, n + 1 of them; row i of a gradient is that between the pictures i and i + 1,
and the last row is 0.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from alexnet_core.insight.operations import operations, rewired
from alexnet_core.models import Network

ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Hardswish, nn.Hardsigmoid, nn.Sigmoid, nn.Tanh,
)  # fmt: skip
"""Functions of one value each."""

STRAIGHT_LAYERS = (
    nn.Conv2d, nn.Linear, nn.BatchNorm2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Dropout, nn.Dropout2d, nn.Flatten,
    nn.Identity, nn.ZeroPad2d,
)  # fmt: skip
"""Layers that are linear while the network is not trained."""

IDLE = ("StochasticDepth",)
"""Layers of torchvision that do nothing while the network is not trained."""

ALIKE = 1e-10
"""Where two values differ by less, the gradient stands for the ratio of differences, as in Captum."""

CUT = (nn.ReLU, nn.ReLU6)
"""Activations that hand values on as they are, so that differences of any size are right."""

CLOSE = 1e-3
"""The same as `ALIKE` for the others: what they round would be much of so small a difference."""

PRODUCT = "mul"
"""As `operations` calls it."""


def strange_layers(network: Network) -> list[str]:
    """The kinds of layers for which there is no rule here. Hold the network's lock."""
    known = (*ACTIVATIONS, *STRAIGHT_LAYERS, nn.MaxPool2d)
    kinds = operations(network).kinds
    return [kind.__name__ for kind in kinds if not issubclass(kind, known) and kind.__name__ not in IDLE]


def without_mean_slope(network: Network) -> list[str]:
    """The functions and kinds of layers for which there is no rule here. Hold the network's lock."""
    return [*(name for name in operations(network).bending if name != PRODUCT), *strange_layers(network)]


@contextmanager
def mean_slopes(model: nn.Module) -> Iterator[None]:
    """While the block runs, gradients of `model` are those between each picture of a batch and the next. Nothing is
    left behind when it ends."""

    def replace(layer: nn.Module, taken: torch.Tensor, given: torch.Tensor) -> torch.Tensor | None:
        if isinstance(layer, ACTIVATIONS):
            return Rescaled.apply(taken, given.detach(), layer)
        if isinstance(layer, nn.MaxPool2d):
            return _MeanPool.apply(taken, given.detach(), layer)
        return None

    with rewired(model, replace), _Products():
        yield


class _Products(TorchFunctionMode):
    """Sees the products of two maps, which no layer computes. Only in its own thread."""

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if getattr(function, "__name__", "").strip("_") == PRODUCT and torch.is_grad_enabled():
            factors = [value for value in args if isinstance(value, torch.Tensor) and value.requires_grad]
            if len(factors) == 2:
                return _MeanProduct.apply(*factors)
        return function(*args, **(kwargs or {}))


class Rescaled(torch.autograd.Function):
    """An activation whose derivative is the ratio of differences (Shrikumar et al. 2017, equations 6 and 11)."""

    @staticmethod
    def forward(ctx: Any, taken: torch.Tensor, given: torch.Tensor, layer: nn.Module) -> torch.Tensor:
        ctx.save_for_backward(taken, given)
        ctx.layer = layer
        return given

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        taken, given = ctx.saved_tensors
        # In place: maps of a hundred megabytes are sooner computed than their memory is found.
        found = torch.empty_like(taken)
        found[-1].zero_()
        slope, step = found[:-1], taken[1:] - taken[:-1]
        torch.sub(given[1:], given[:-1], out=slope).div_(step)
        alike = (step.abs_() < (ALIKE if isinstance(ctx.layer, CUT) else CLOSE)).nonzero(as_tuple=True)
        slope[alike] = _derivative(ctx.layer, (taken[:-1][alike] + taken[1:][alike]) / 2)
        slope.mul_(gradient[:-1])
        return found, None, None


def _derivative(layer: nn.Module, values: torch.Tensor) -> torch.Tensor:
    """Of a function of one value, at each of `values`, (n)."""
    with torch.enable_grad():
        values = values.detach().requires_grad_()
        (found,) = torch.autograd.grad(layer.forward(values).sum(), values)  # forward: past the hooks
    return found


class _MeanPool(torch.autograd.Function):
    """A maximum pooling. The line from one picture to the next is at the place of the first one's maximum up to where
    that of the other overtakes it: each gets its share of the line. A third that leads in between is left out."""

    @staticmethod
    def forward(ctx: Any, taken: torch.Tensor, given: torch.Tensor, layer: nn.MaxPool2d) -> torch.Tensor:
        ctx.save_for_backward(taken)
        ctx.layer = layer
        return given

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (taken,) = ctx.saved_tensors
        layer: nn.MaxPool2d = ctx.layer
        settings = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode)
        given, places = F.max_pool2d(taken, *settings, return_indices=True)
        before, after = _in_one_line(taken[:-1]), _in_one_line(taken[1:])
        first, second = _in_one_line(places[:-1]), _in_one_line(places[1:])
        ahead = _in_one_line(given[:-1]) - before.gather(1, second)
        gains = ahead + _in_one_line(given[1:]) - after.gather(1, first)
        share = torch.where(gains > 0, ahead / gains, 1.0)
        upper = _in_one_line(gradient[:-1])
        found = taken.new_zeros(len(taken), *before.shape[1:])  # the last row stays 0
        found[:-1].scatter_add_(1, first, upper * share).scatter_add_(1, second, upper * (1 - share))
        return found.unflatten(1, taken.shape[2:]).permute(0, 3, 1, 2), None, None


class _MeanProduct(torch.autograd.Function):
    """A product of maps, or of maps and one number for each: what x * y rises by is the mean of y times what x rises
    by, and the other way round."""

    @staticmethod
    def forward(ctx: Any, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(one, other)
        return one * other

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        one, other = ctx.saved_tensors
        return (
            (gradient * _means(other)).sum_to_size(one.shape),
            (gradient * _means(one)).sum_to_size(other.shape),
        )


def _means(rows: torch.Tensor) -> torch.Tensor:
    """Of each row and the next; of the last, zeros."""
    return torch.cat([(rows[:-1] + rows[1:]) / 2, torch.zeros_like(rows[:1])])


def _in_one_line(maps: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) -> (N, H * W, C): no copy where channels lie last, as they do in a processor's convolutions."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)
