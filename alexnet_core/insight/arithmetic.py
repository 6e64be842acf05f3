"""How one value of a map comes about, with the real numbers: a patch times a kernel plus a bias, or a simple rule."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import capture, capture_input, evaluating
from alexnet_core.models import Network


@dataclass(frozen=True)
class Contribution:
    """What one input channel adds to a value."""

    channel: int
    """Its number among the layer's inputs; 0, 1, 2 are red, green, blue for the first layer."""
    patch: np.ndarray
    """float32 (h, w): what the window shows of this channel, zeros where it reaches beyond the map."""
    kernel: np.ndarray
    """float32 (h, w): the weights."""
    product: float
    """The sum of patch times kernel."""


@dataclass(frozen=True)
class Sum:
    """A convolution's value: the contributions of all input channels, and the bias."""

    contributions: tuple[Contribution, ...]
    """The largest in magnitude first."""
    bias: float
    value: float
    """What the network computed there, equal to the sum but for rounding."""

    def strongest(self, count: int) -> tuple[tuple[Contribution, ...], float]:
        """The `count` largest contributions, and the sum of the rest."""
        rest = sum(contribution.product for contribution in self.contributions[count:])
        return self.contributions[:count], rest


@dataclass(frozen=True)
class Rule:
    """The value of a layer that has a rule in place of a kernel."""

    kind: str
    """ReLU, batch normalisation, max pooling."""
    patch: np.ndarray
    """float32 (h, w): what went in; one value, but for a pooling's window."""
    numbers: dict[str, float]
    """What a normalisation learned: mean, standard deviation, stretch, shift."""
    value: float
    source: tuple[int, int]
    """Row and column, in the map that went in, of the value that the rule was applied to; of a pooling, of the largest
    one."""


def arithmetic(network: Network, picture: Image.Image, layer: str, unit: int, row: int, column: int) -> Sum | Rule:
    """How the value of map `unit` of `layer` at (row, column) comes about for `picture`.

    Raises ExplorerError for a place there is not, and for layers other than convolutions, ReLUs, batch normalisations
    and max poolings.
    """
    device = next(network.model.parameters()).device
    images = network.preprocessing.tensor(picture).to(device)
    with (
        torch.no_grad(),
        evaluating(network.model) as model,
        capture(model, layer) as kept,
        capture_input(model, layer) as taken,
    ):
        model(images)
    module, inputs, output = network.model.get_submodule(layer), taken[-1][0].float(), kept[layer][0].float()
    if output.dim() != 3 or not all(
        0 <= at < limit for at, limit in zip((unit, row, column), output.shape, strict=True)
    ):
        raise ExplorerError(f"{layer} has no map {unit} with a value at row {row}, column {column}; choose another.")
    value = float(output[unit, row, column])
    if isinstance(module, nn.Conv2d):
        return _sum(module, inputs, value, unit, row, column)
    if isinstance(module, nn.ReLU):
        return Rule("ReLU", _numpy(inputs[unit, row, column].reshape(1, 1)), {}, value, (row, column))
    if isinstance(module, nn.BatchNorm2d):
        taken_in = _numpy(inputs[unit, row, column].reshape(1, 1))
        return Rule("batch normalisation", taken_in, _learned(module, unit), value, (row, column))
    if isinstance(module, nn.MaxPool2d):
        window, stride, padding = _pair(module.kernel_size), _pair(module.stride), _pair(module.padding)
        patch = _numpy(_window(inputs[unit], window, stride, padding, (1, 1), row, column, -np.inf))
        down, across = divmod(int(patch.argmax()), window[1])
        source = row * stride[0] - padding[0] + down, column * stride[1] - padding[1] + across
        return Rule("max pooling", patch, {}, value, source)
    raise ExplorerError(f"{layer} has no sum of few numbers to show; choose a convolution or the ReLU behind one.")


def _sum(module: nn.Conv2d, inputs: torch.Tensor, value: float, unit: int, row: int, column: int) -> Sum:
    if module.padding_mode != "zeros" or isinstance(module.padding, str):
        raise ExplorerError("This convolution pads its maps with other values than zeros; choose another layer.")
    kernels = module.weight[unit].detach().float()  # (channels of its group, h, w)
    each = module.out_channels // module.groups
    first = unit // each * len(kernels)
    sizes = (_pair(module.stride), _pair(module.padding), _pair(module.dilation))
    window = (kernels.shape[1], kernels.shape[2])
    patches = [_window(inputs[first + place], window, *sizes, row, column, 0.0) for place in range(len(kernels))]
    contributions = [
        Contribution(first + place, _numpy(patch), _numpy(kernel), float((patch.double() * kernel.double()).sum()))
        for place, (patch, kernel) in enumerate(zip(patches, kernels, strict=True))
    ]
    contributions.sort(key=lambda contribution: -abs(contribution.product))
    bias = 0.0 if module.bias is None else float(module.bias[unit])
    return Sum(tuple(contributions), bias, value)


def _window(
    plane: torch.Tensor,
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    row: int,
    column: int,
    outside: float,
) -> torch.Tensor:
    """What a window shows of a plane (H, W) when it stands at (row, column): `outside` beyond the plane's edges."""
    # As much again at the far edges as a window may need: rounding up leaves some reaching beyond the padding.
    far = [size * spread for size, spread in zip(window, dilation, strict=True)]
    padded = F.pad(plane, (padding[1], padding[1] + far[1], padding[0], padding[0] + far[0]), value=outside)
    top, left = row * stride[0], column * stride[1]
    rows = slice(top, top + window[0] * dilation[0], dilation[0])
    columns = slice(left, left + window[1] * dilation[1], dilation[1])
    return padded[rows, columns]


def _learned(module: nn.BatchNorm2d, unit: int) -> dict[str, float]:
    assert module.running_mean is not None
    assert module.running_var is not None
    return {
        "mean": float(module.running_mean[unit]),
        "deviation": float(torch.sqrt(module.running_var[unit] + module.eps)),
        "stretch": 1.0 if module.weight is None else float(module.weight[unit]),
        "shift": 0.0 if module.bias is None else float(module.bias[unit]),
    }


def _pair(size: int | tuple[int, ...] | str) -> tuple[int, int]:
    assert not isinstance(size, str)
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _numpy(values: torch.Tensor) -> np.ndarray:
    return values.cpu().numpy().astype(np.float32)
