"""Which square of the picture one value of a layer can see.

For layers in a chain it follows from windows, steps and paddings (Araujo, Norris, Sim 2019, “Computing Receptive Fields
of Convolutional Neural Networks”, Distill). For networks with branches it is measured, on a copy in which every weight
is positive, nothing is cut off, and pooling averages: there a value depends on a pixel exactly if it can in any network
of this shape.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from alexnet_core.insight.stages import FLATTEN, Stage, passed, place_of, stages
from alexnet_core.models import Network
from alexnet_core.models.anatomy import anatomy

Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels of the preprocessed picture; right and bottom are not inside."""


@dataclass(frozen=True)
class Field:
    """The receptive fields of all places of a layer's map."""

    first: int
    """The pixel at which the field of row 0 and of column 0 begins; below zero where padding lies around the
    picture."""
    step: int
    """Pixels from one place's field to the next one's."""
    side: int
    """Pixels along a field."""
    picture: int
    """Pixels along the picture."""

    @property
    def whole(self) -> bool:
        """Whether every value sees the whole picture."""
        return self.step == 0

    def box(self, row: int, column: int) -> Box:
        """What the value at (row, column) sees, without the padding."""
        left, top = self.first + self.step * column, self.first + self.step * row
        return max(0, left), max(0, top), min(self.picture, left + self.side), min(self.picture, top + self.side)

    def unclipped(self, row: int, column: int) -> Box:
        """The same with the padding: a square of `side` pixels that may reach beyond the picture."""
        left, top = self.first + self.step * column, self.first + self.step * row
        return left, top, left + self.side, top + self.side

    def laid_out(self, values: np.ndarray, side: int) -> np.ndarray:
        """A map, (H, W) or (H, W, colours), as large as the picture on a screen, `side` pixels: each value stands round
        the middle of what it sees. Zero beyond the outermost; where all see the whole picture, the map as it is."""
        if self.whole:
            return values
        middles = (np.arange(side) + 0.5) * self.picture / side
        places = np.floor((middles - self.first - (self.side - self.step) / 2) / self.step).astype(int)
        rows, columns = (np.clip(places, 0, length - 1) for length in values.shape[:2])
        found = values[rows[:, None], columns]
        found[(rows != places), :] = 0
        found[:, (columns != places)] = 0
        return found


def receptive_field(network: Network, layer: str) -> Field:
    """The field of the layer called `layer`; the whole picture for lists of numbers and for what averages over maps of
    uneven windows. Raises ExplorerError for a layer that does not exist."""
    size = network.preprocessing.size
    everything = Field(0, 0, size, size)
    field, step, first = 1, 1, 0
    for row in anatomy(network.model, size):
        if row.receptive_field is None:
            return _measured(network, layer)
        if len(row.output_shape) != 3 or (row.kernel is not None and not row.stride):
            place_of(stages(network), layer)
            return everything
        if row.kernel is not None and row.stride is not None:
            field, first = field + (row.kernel - 1) * step, first - (row.padding or 0) * step
            step *= row.stride
        if row.name == layer:
            return Field(first, step, field, size)
    return _measured(network, layer)


def _measured(network: Network, layer: str) -> Field:
    """Two neighbouring places in the middle of a picture of twice the side, where the border is far: a field that
    reaches the border there sees the whole of the real picture from every place."""
    size = network.preprocessing.size
    everything = Field(0, 0, size, size)
    row = stages(network)
    place = place_of(row, layer)
    if any(stage.name in (FLATTEN, "") for stage in row[: place + 1]):
        return everything
    model = copy.deepcopy(network.model).cpu()
    target = model.get_submodule(layer)
    kept: list[torch.Tensor] = []
    target.register_forward_hook(lambda module, inputs, output: kept.append(output))
    _open_up(model, target)
    picture = torch.ones(1, 3, 2 * size, 2 * size, requires_grad=True)
    last = passed([Stage(stage.name, model.get_submodule(stage.name)) for stage in row[: place + 1]], picture)
    output = kept[-1] if kept else last  # a container whose parts are stages is not called itself
    middle = output.shape[-1] // 2
    if output.dim() != 4 or middle + 1 >= output.shape[-1]:
        return everything
    (one, end), (next_one, _) = (_seen(output, picture, place) for place in (middle, middle + 1))
    if one == 0 or end == 2 * size - 1:
        return everything
    step = next_one - one
    return Field(one - step * middle, step, end - one + 1, size)


def _seen(output: torch.Tensor, picture: torch.Tensor, place: int) -> tuple[int, int]:
    """The first and the last row of pixels that the value at (place, place) depends on."""
    (gradient,) = torch.autograd.grad(output[0, :, place, place].sum(), picture, retain_graph=True)
    rows = gradient.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    return int(rows[0]), int(rows[-1])


def _open_up(model: nn.Module, target: nn.Module) -> None:
    """Make a value of `model` depend on everything that it may depend on. `target` keeps its place and its hook."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Conv2d | nn.Linear):
                with torch.no_grad():
                    child.weight.fill_(1 / child.weight[0].numel())
                    if child.bias is not None:
                        child.bias.zero_()
            elif isinstance(child, nn.MaxPool2d):
                open_child: nn.Module = nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode)
                setattr(parent, name, _hooked(open_child, child, target))
            elif not list(child.children()) and not isinstance(child, nn.AvgPool2d | nn.AdaptiveAvgPool2d):
                setattr(parent, name, _hooked(nn.Identity(), child, target))


def _hooked(stand_in: nn.Module, child: nn.Module, target: nn.Module) -> nn.Module:
    if child is target:
        stand_in._forward_hooks = child._forward_hooks
    return stand_in
