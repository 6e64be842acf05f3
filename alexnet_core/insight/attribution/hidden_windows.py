"""What hiding a square changes, and nothing else: the quick way to an occlusion map.

A hidden square of 15 pixels changes 7 x 7 of the 55 x 55 places behind AlexNet's first convolution, 5 x 5 of 27 x 27
behind the first pooling, and so on. The picture is computed once; for each square only the places that it can reach are
computed again, layer by layer. The places of many squares are the rows of one matrix, so each layer is one product.
Convolutions and linear layers take the change, not the value: half precision then rounds the change, and what did not
change stays exact.

Legend: B squares; P places that changed, of all squares together; C channels; H, W sides of a map.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from alexnet_core.insight.attribution.task import Score
from alexnet_core.precision import name_of

MAP_LAYERS = (nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d, nn.Dropout, nn.Identity)
"""Layers that are computed at places; from the first other one on, maps are computed as wholes."""

PLACES_AT_ONCE = 2048
"""Rows of a product: the gathered neighbourhoods of so many places stay within the processor's cache, about."""

FEW_SQUARES = 64
"""For so few, a linear layer's product takes no longer in 32 bits than in 16; to convert the weights would be a quarter
of the wait for the first map."""


@dataclass(frozen=True)
class Regions:
    """The rectangle of a map that each square can reach; int64 (B,) each, in places of that map."""

    top: torch.Tensor
    left: torch.Tensor
    height: torch.Tensor
    width: torch.Tensor

    def through(self, kernel: int, stride: int, padding: int, side: tuple[int, int]) -> "Regions":
        """The rectangles behind a convolution or pooling whose output has the height and width `side`."""

        def reach(start: torch.Tensor, length: torch.Tensor, most: int) -> tuple[torch.Tensor, torch.Tensor]:
            first = torch.clamp(-((kernel - 1 - padding - start) // stride), min=0, max=most)
            last = torch.clamp((start + length - 1 + padding) // stride, max=most - 1)
            return first, torch.clamp(last - first + 1, min=0)

        top, height = reach(self.top, self.height, side[0])
        left, width = reach(self.left, self.width, side[1])
        return Regions(top, left, height, width)

    @cached_property
    def offsets(self) -> torch.Tensor:
        """The row at which each square's places begin, (B,)."""
        areas = self.height * self.width
        return areas.cumsum(0) - areas

    @cached_property
    def places(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Square, row and column of every place, (P,) each, square after square, row after row."""
        areas = self.height * self.width
        square = torch.repeat_interleave(torch.arange(len(areas), device=areas.device), areas)
        within = torch.arange(len(square), device=areas.device) - self.offsets[square]
        width = self.width[square]
        return square, self.top[square] + within // width, self.left[square] + within % width

    def rows(self, side: tuple[int, int]) -> torch.Tensor:
        """The row at which each place lies among those of the whole map, whose height and width is `side`: (P,)."""
        _, y, x = self.places
        return y * side[1] + x


@dataclass(frozen=True)
class Pass:
    """A layer, and what the picture as it is gives behind it."""

    layer: nn.Module
    rows: torch.Tensor
    """Behind a layer of maps, float32 (H * W, C); behind others what it puts out, (1, ...)."""
    side: tuple[int, int]
    """Height and width of the map behind it."""
    kind: torch.dtype
    """The precision of the products."""

    @cached_property
    def weight(self) -> torch.Tensor:
        """Of a convolution (k * k * C, C'), of a linear layer (outputs, inputs), in the precision of the products."""
        assert isinstance(self.layer, nn.Conv2d | nn.Linear)
        weight = self.layer.weight
        return (weight.permute(2, 3, 1, 0).flatten(0, 2) if weight.dim() == 4 else weight).to(self.kind)


class HiddenWindows:
    """The drops of one score of one picture, for squares of any place and size."""

    @staticmethod
    def knows(chain: tuple[nn.Module, ...]) -> bool:
        """Whether the layers are such that this way can follow them: from a convolution to a linear layer."""
        return isinstance(chain[0], nn.Conv2d) and isinstance(chain[-1], nn.Linear) and _follows(chain[0])

    def __init__(
        self, chain: tuple[nn.Module, ...], score: Score, image: torch.Tensor, cover: torch.Tensor, kind: torch.dtype
    ) -> None:
        """`image` and `cover` (1, 3, S, S): what is hidden, and by what. `kind`: precision of the products."""
        self.kind, self.device = kind, image.device
        self.image, self.change = (_rows(value) for value in (image.detach(), cover - image.detach()))
        self.side = (image.shape[2], image.shape[3])
        on_maps = next((at for at, layer in enumerate(chain) if not _follows(layer)), len(chain))
        self.maps: list[Pass] = []
        self.rest: list[Pass] = []
        with torch.no_grad():
            value = image.detach()
            for at, layer in enumerate(chain[:-1]):
                value = layer(value)
                if at < on_maps:
                    side = (value.shape[2], value.shape[3])
                    self.maps.append(Pass(layer, _rows(value), side, kind))
                else:
                    self.rest.append(Pass(layer, value.float(), (0, 0), kind))
            last = chain[-1]
            assert isinstance(last, nn.Linear)
            weight = last.weight[score.target]
            self.readout = (weight if score.against is None else weight - last.weight[score.against]).float()

    @property
    def precision(self) -> str:
        """Of the products."""
        return name_of(self.kind)

    def drops(self, tops: list[int], lefts: list[int], window: int) -> np.ndarray:
        """How far the score falls when the square with this top, left and side is hidden: lists of B -> (B,)."""
        top, left = (torch.tensor(start, device=self.device) for start in (tops, lefts))
        size = torch.full_like(top, window)
        regions = Regions(top, left, torch.minimum(size, self.side[0] - top), torch.minimum(size, self.side[1] - left))
        with torch.no_grad():
            return (-self._rise(regions)).cpu().numpy()

    def _rise(self, regions: Regions) -> torch.Tensor:
        at = regions.rows(self.side)
        values = self.image.index_select(0, at) + self.change.index_select(0, at)  # (P, 3)
        before, side = self.image, self.side
        for step in self.maps:
            layer = step.layer
            if isinstance(layer, nn.Conv2d):
                change = values - before.index_select(0, regions.rows(side))
                regions_after = regions.through(
                    _one(layer.kernel_size), _one(layer.stride), _one(layer.padding), step.side
                )
                values = self._convolved(layer, step, regions, regions_after, change)
                regions = regions_after
            elif isinstance(layer, nn.MaxPool2d):
                regions_after = regions.through(_one(layer.kernel_size), _one(layer.stride), 0, step.side)
                values = self._pooled(layer, step, before, side, regions, regions_after, values)
                regions = regions_after
            elif isinstance(layer, nn.BatchNorm2d):
                scale, shift = _affine(layer)
                values = values * scale + shift
            elif isinstance(layer, nn.ReLU):
                values = values.clamp(min=0)
            before, side = step.rows, step.side
        return self._finished(values, before, side, regions)

    def _convolved(
        self, layer: nn.Conv2d, step: Pass, regions: Regions, after: Regions, change: torch.Tensor
    ) -> torch.Tensor:
        """The convolution at the places behind it: what the picture as it is gives, plus what the change does."""
        kernel, stride, padding = _one(layer.kernel_size), _one(layer.stride), _one(layer.padding)
        source = torch.cat([change, change.new_zeros(1, change.shape[1])]).to(self.kind)
        square, y, x = after.places
        index = _neighbours(regions, square, y * stride - padding, x * stride - padding, kernel)
        index = torch.where(index < 0, len(change), index)  # (P, k * k); outside: no change
        found = step.rows.index_select(0, after.rows(step.side))
        for start in range(0, len(found), PLACES_AT_ONCE):
            some = slice(start, start + PLACES_AT_ONCE)
            near = source.index_select(0, index[some].flatten()).view(-1, step.weight.shape[0])  # (p, k * k * C)
            found[some] += near @ step.weight
        return found

    def _pooled(
        self,
        layer: nn.MaxPool2d,
        step: Pass,
        before: torch.Tensor,
        side: tuple[int, int],
        regions: Regions,
        after: Regions,
        values: torch.Tensor,
    ) -> torch.Tensor:
        """The pooling at the places behind it, over changed values and unchanged ones beside them."""
        kernel, stride = _one(layer.kernel_size), _one(layer.stride)
        source = torch.cat([values, before])
        square, y, x = after.places
        inside = _neighbours(regions, square, y * stride, x * stride, kernel)
        steps = torch.arange(kernel, device=self.device)
        beside = (y * stride)[:, None, None] + steps[:, None], (x * stride)[:, None, None] + steps
        index = torch.where(inside < 0, len(values) + (beside[0] * side[1] + beside[1]).flatten(1), inside)
        columns = index.T.contiguous()  # (k * k, P)
        found = source.index_select(0, columns[0])
        for column in columns[1:]:
            torch.maximum(found, source.index_select(0, column), out=found)
        return found

    def _finished(
        self, values: torch.Tensor, before: torch.Tensor, side: tuple[int, int], regions: Regions
    ) -> torch.Tensor:
        """From the last map computed at places to the rise of the score, (B,)."""
        squares, channels = len(regions.top), before.shape[1]
        whole = before.expand(squares, *before.shape).contiguous()  # (B, H * W, C)
        square = regions.places[0]
        whole.view(-1, channels).index_copy_(0, square * len(before) + regions.rows(side), values)
        now = whole.transpose(1, 2).reshape(squares, channels, *side)
        then = before.T.reshape(1, channels, *side)
        for step in self.rest:
            if isinstance(step.layer, nn.Linear):
                weight = step.layer.weight if squares <= FEW_SQUARES else step.weight
                now = step.rows + F.linear((now - then).to(weight.dtype), weight).float()
            else:
                now = step.layer(now)
            then = step.rows
        return (now - then) @ self.readout


def _neighbours(
    regions: Regions, square: torch.Tensor, top: torch.Tensor, left: torch.Tensor, kernel: int
) -> torch.Tensor:
    """For windows of `kernel` x `kernel` that begin at `top`, `left` of the map in front: the row of each of their
    places among the changed ones, -1 where it did not change. (P,) -> int64 (P, k * k)."""
    steps = torch.arange(kernel, device=square.device)
    y = top[:, None] + steps - regions.top[square, None]  # (P, k), counted from the rectangle's corner
    x = left[:, None] + steps - regions.left[square, None]
    width = regions.width[square, None]
    down = torch.where((y >= 0) & (y < regions.height[square, None]), regions.offsets[square, None] + y * width, FAR)
    right = torch.where((x >= 0) & (x < width), x, FAR)
    index = down[:, :, None] + right[:, None, :]
    return torch.where(index < 0, -1, index).flatten(1)


FAR = -(2**40)
"""Makes an index negative whatever is added."""


def _follows(layer: nn.Module) -> bool:
    """Whether `layer` can be computed at single places."""
    if isinstance(layer, nn.Conv2d):
        plain = layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros"
        return plain and all(_square(value) for value in (layer.kernel_size, layer.stride, layer.padding))
    if isinstance(layer, nn.MaxPool2d):
        plain = layer.padding in (0, (0, 0)) and layer.dilation in (1, (1, 1)) and not layer.ceil_mode
        return plain and _square(layer.kernel_size) and _square(layer.stride)
    return isinstance(layer, MAP_LAYERS)


def _square(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, tuple) and value[0] == value[1])


def _one(value: object) -> int:
    number = value[0] if isinstance(value, tuple) else value
    assert isinstance(number, int)
    return number


def _rows(value: torch.Tensor) -> torch.Tensor:
    """(1, C, H, W) -> float32 (H * W, C)."""
    return value[0].flatten(1).T.float().contiguous()


def _affine(layer: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """What a batch normalisation multiplies by and adds, outside training."""
    assert layer.running_mean is not None
    assert layer.running_var is not None
    scale = torch.rsqrt(layer.running_var + layer.eps)
    if layer.affine:
        scale = scale * layer.weight
    shift = -layer.running_mean * scale
    return scale, shift + layer.bias if layer.affine else shift
