"""What single units answer to: the pictures of a gallery that excite each unit of a layer most and least, by class.

A unit is a channel of a layer with maps, or one number of a layer without. One pass over the gallery, up to the layer
and no further, answers for all units of the layer at once.
"""

import copy
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.gallery import Gallery, evenly, numbers
from alexnet_core.insight.hooks import evaluating
from alexnet_core.insight.operations import pooled_first
from alexnet_core.insight.receptive_field import Box, Field
from alexnet_core.insight.stages import Stage, output_of, place_of, stages
from alexnet_core.models import Network
from alexnet_core.models.anatomy import anatomy
from alexnet_core.precision import fastest

EXTREMES = 9
"""Pictures at either end: three rows of three, as in the figures of Zeiler and Fergus 2013."""
PIXELS_AT_ONCE = 128 * 64**2
"""In one pass, as 128 pictures of 64 pixels: more are no faster on two cores."""
Progress = Callable[[float], None]
"""Called with the share of the pictures that have passed, 0 to 1."""


@dataclass(frozen=True)
class UnitLayer:
    """A layer whose units can be looked at."""

    name: str
    """Dotted, as in the state dict."""
    kind: str
    units: int
    side: int | None
    """Values along a map; None for a list of numbers."""


@dataclass(frozen=True)
class Extremes:
    """The pictures at one end for each of C units, the most extreme first."""

    values: np.ndarray
    """float32 (C, n): the most extreme value of the unit anywhere in that picture."""
    rows: np.ndarray
    """int64 (C, n): the pictures' rows in the gallery."""


@dataclass(frozen=True)
class Survey:
    """How all C units of a layer answer to a gallery."""

    layer: str
    pictures: int
    strongest: Extremes
    """By the largest value in a picture."""
    weakest: Extremes
    """By the smallest value in a picture."""
    excited: np.ndarray
    """float32 (C,): the share of pictures in which the unit is above zero anywhere."""
    class_means: np.ndarray | None
    """float32 (C, K): the mean over each class's pictures and over all places, values below zero counted as zero, as
    the ReLU behind would pass them on; nan for a class without pictures. None where the gallery has no classes."""
    seconds: float

    @property
    def silent(self) -> np.ndarray:
        """bool (C,): whether the unit is never above zero: behind a ReLU it would be dead for this gallery."""
        return self.excited == 0

    def selectivity(self, unit: int) -> float | None:
        """How far one class excites the unit more than the others do, 0 to 1: (m - r) / (m + r) with m the largest
        class mean and r the mean of the others' (Morcos et al. 2018, arXiv:1803.06959, section 2.3).

        0 where all classes are alike or nothing excites it; None where the gallery has no classes.
        """
        if self.class_means is None:
            return None
        means = self.class_means[unit]
        means = means[np.isfinite(means)]
        if len(means) < 2:
            return None
        largest = float(means.max())
        others = (float(means.sum()) - largest) / (len(means) - 1)
        return (largest - others) / (largest + others) if largest + others > 0 else 0.0


@dataclass(frozen=True)
class Patch:
    """What one unit saw where it answered most extremely to a picture."""

    row: int
    """The picture's row in the gallery."""
    value: float
    place: tuple[int, int]
    """Row and column in the map; (0, 0) for a list of numbers."""
    box: Box
    """Left, top, right, bottom in pixels of the picture, without padding."""
    pixels: np.ndarray
    """uint8 (side, side, 3): the receptive field, middle grey where it reaches beyond the picture."""


def layers_with_units(network: Network) -> list[UnitLayer]:
    """The layers of `network` whose units can be looked at, in the order in which a picture passes them; dropout, which
    changes nothing here, is left out."""
    return [
        UnitLayer(
            row.name,
            row.kind,
            row.output_shape[0],
            row.output_shape[-1] if len(row.output_shape) == 3 else None,
        )
        for row in anatomy(network.model, network.preprocessing.size)
        if row.kind != "dropout" and len(row.output_shape) in (1, 3)
    ]


def survey(
    network: Network,
    gallery: Gallery,
    layer: str,
    progress: Progress | None = None,
    most: int | None = None,
    lock: AbstractContextManager[object] | None = None,
    exact: bool = False,
) -> Survey:
    """Look through `gallery`, or through `most` pictures of it evenly spaced, with all units of `layer`.

    It computes on a copy of the layers it needs, so others who share the network wait only while that is made: `lock`
    is held then. Unless `exact`, it computes in the fastest precision of this computer, which on many is bf16: two to
    three digits, enough to find the extreme pictures, whose exact values `patches` gives. Raises ExplorerError for a
    layer that does not exist, an empty gallery, and values that are not finite.
    """
    count = len(gallery) if most is None else min(most, len(gallery))
    if count == 0:
        raise ExplorerError("There are no pictures to look through; choose others.")
    started = time.perf_counter()
    with nullcontext() if lock is None else lock:
        look = _Look(network, layer, exact)
    rows = evenly(len(gallery), count)
    whole = count == len(gallery)
    at_once = max(8, PIXELS_AT_ONCE // network.preprocessing.size**2)
    running = _Running(len(network.classes), count)
    for first in range(0, count, at_once):
        part = rows[first : first + at_once]
        images = numbers(network, gallery, slice(first, first + len(part)) if whole else part)
        output = look(images)
        labels = None if gallery.labels is None else torch.from_numpy(gallery.labels[part]).to(output.device)
        running.add(output, torch.from_numpy(part).to(output.device), labels)
        if progress is not None:
            progress(min(1.0, (first + len(part)) / count))
    return running.survey(layer, time.perf_counter() - started)


class _Look:
    """A copy of the stages up to a layer, made for one quick pass over many pictures."""

    def __init__(self, network: Network, layer: str, exact: bool) -> None:
        row = stages(network)
        place = place_of(row, layer)
        self.layer = layer
        self.dtype = torch.float32 if exact else fastest(next(network.model.parameters()).device)
        modules = [copy.deepcopy(stage.module).eval() for stage in row[: place + 1]]
        if not exact:
            _quicken(modules)
        for module in modules:
            for part in module.modules():
                # Normalisations keep their statistics in 32 bits, and take numbers of either kind.
                if isinstance(part, nn.Conv2d | nn.Linear):
                    part.to(self.dtype)
        self.row = [Stage(stage.name, module) for stage, module in zip(row, modules, strict=False)]

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """images (N, 3, S, S) as the network reads them -> the layer's output, in the precision of the pass."""
        images = images.to(self.dtype, memory_format=torch.channels_last)
        return output_of(self.row, self.layer, images)


def _quicken(modules: list[nn.Module]) -> None:
    """Less work for the same answers of the last of the modules, which is or holds the layer that is asked about: a
    convolution and the normalisation behind it become one, and a ReLU goes behind the pooling that follows it."""
    for place in range(len(modules) - 1):
        first, second = modules[place], modules[place + 1]
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            modules[place : place + 2] = [fuse_conv_bn_eval(first, second), nn.Identity()]
    modules[:] = pooled_first(modules)


class _Running:
    """The extremes and the sums so far."""

    def __init__(self, classes: int, pictures: int) -> None:
        self.classes, self.pictures = classes, pictures
        self.highest: tuple[torch.Tensor, torch.Tensor] | None = None
        self.lowest: tuple[torch.Tensor, torch.Tensor] | None = None
        self.excited: torch.Tensor | None = None
        self.sums: torch.Tensor | None = None
        self.counts: torch.Tensor | None = None

    def add(self, output: torch.Tensor, rows: torch.Tensor, labels: torch.Tensor | None) -> None:
        """output (n, C, H, W) or (n, C), of the pictures in `rows` (n,), of the classes `labels` (n,)."""
        maps = output.dim() == 4
        # Pooling over the whole map: in 16 bits five times as fast on a processor as amax, amin and mean.
        whole = tuple(output.shape[2:])
        high = (F.max_pool2d(output, whole).flatten(1) if maps else output).float()  # (n, C)
        low = (-F.max_pool2d(-output, whole).flatten(1) if maps else output).float()
        self.highest = self._extreme(self.highest, high, rows, True)
        self.lowest = self._extreme(self.lowest, low, rows, False)
        above = (high > 0).sum(dim=0)
        self.excited = above if self.excited is None else self.excited + above
        if labels is not None:
            rectified = output if bool((low >= 0).all()) else output.clamp(min=0)
            means = (F.avg_pool2d(rectified, whole).flatten(1) if maps else rectified).float()
            member = F.one_hot(labels, self.classes).to(means.dtype)  # (n, K)
            sums, counts = means.T @ member, member.sum(dim=0)
            self.sums = sums if self.sums is None else self.sums + sums
            self.counts = counts if self.counts is None else self.counts + counts

    def _extreme(
        self, kept: tuple[torch.Tensor, torch.Tensor] | None, values: torch.Tensor, rows: torch.Tensor, largest: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The most extreme values, and their rows, among those kept and the new ones: both (n, C)."""
        candidates, places = values, rows[:, None].expand(values.shape)
        if kept is not None:
            candidates, places = torch.cat([kept[0], values]), torch.cat([kept[1], places])
        best = candidates.topk(min(EXTREMES, len(candidates)), dim=0, largest=largest)
        return best.values, places.gather(0, best.indices)

    def survey(self, layer: str, seconds: float) -> Survey:
        """Raises ExplorerError for values that are not finite."""
        assert self.highest is not None
        assert self.lowest is not None
        assert self.excited is not None
        if not all(bool(torch.isfinite(values).all()) for values, _ in (self.highest, self.lowest)):
            raise ExplorerError(f"The units of {layer} put out values that are not numbers; choose another network.")
        means = None
        if self.sums is not None and self.counts is not None:
            means = (self.sums / self.counts).cpu().numpy()
        excited = (self.excited.double() / self.pictures).float().cpu().numpy()
        return Survey(layer, self.pictures, _ends(self.highest), _ends(self.lowest), excited, means, seconds)


def _ends(kept: tuple[torch.Tensor, torch.Tensor]) -> Extremes:
    return Extremes(kept[0].T.contiguous().cpu().numpy(), kept[1].T.contiguous().cpu().numpy())


def patches(network: Network, gallery: Gallery, found: Survey, field: Field, unit: int, strongest: bool) -> list[Patch]:
    """The patches of the gallery to which unit number `unit` answers most strongly, or most weakly, that first; one of
    each picture. `field` is the receptive field of the survey's layer."""
    ends = found.strongest if strongest else found.weakest
    rows = ends.rows[unit]
    with torch.no_grad(), evaluating(network.model):
        output = output_of(stages(network), found.layer, numbers(network, gallery, rows)).float()
    maps = output[:, unit].reshape(len(rows), -1)  # (n, H W), or (n, 1)
    places = (maps.argmax(dim=1) if strongest else maps.argmin(dim=1)).tolist()
    wide = output.shape[-1] if output.dim() == 4 else 1
    exact = maps.gather(1, torch.tensor(places, device=maps.device)[:, None])[:, 0].tolist()
    pictures = gallery.images[rows]
    found_patches = [
        Patch(
            row=int(row),
            value=value,
            place=divmod(place, wide),
            box=field.box(*divmod(place, wide)),
            pixels=cut(picture, field, *divmod(place, wide)),
        )
        for row, value, place, picture in zip(rows, exact, places, pictures, strict=True)
    ]
    return sorted(found_patches, key=lambda patch: -patch.value if strongest else patch.value)


def cut(picture: np.ndarray, field: Field, row: int, column: int) -> np.ndarray:
    """What the value at (row, column) sees of a picture uint8 (S, S, 3), at most as much again as the picture around it
    in middle grey: uint8 (side, side, 3)."""
    left, top, right, bottom = field.box(row, column)
    seen = picture[top:bottom, left:right]
    if field.side >= field.picture:
        return picture
    whole = np.full((field.side, field.side, 3), 128, np.uint8)
    outer_left, outer_top, _, _ = field.unclipped(row, column)
    whole[top - outer_top : bottom - outer_top, left - outer_left : right - outer_left] = seen
    return whole
