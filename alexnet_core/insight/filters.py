"""The first layer's filters as pictures: the only weights that live in colour space and can be looked at directly."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from alexnet_core.errors import ExplorerError
from alexnet_core.models import Network


@dataclass(frozen=True)
class FirstLayer:
    """The first convolution's filters, in the order in which they are shown."""

    name: str
    """Of the layer, dotted, without `.weight`."""
    weights: np.ndarray
    """float32 (n, 3, k, k), as the network uses them."""
    tiles: np.ndarray
    """uint8 (n, k, k, 3). Weight 0 is middle grey (128); each filter is stretched by its own largest magnitude, so that
    a weak filter is as visible as a strong one, unless one scale for all was asked for. The sign shows as brighter or
    darker than grey in each of the three colours."""
    units: np.ndarray
    """int (n,): the number each filter has in the network, counted from 0."""


def first_layer_filters(network: Network, *, shared_scale: bool = False, by_colour: bool = False) -> FirstLayer:
    """The filters of `network`'s first convolution that reads colours.

    `shared_scale` stretches all filters by the largest magnitude among them, so that their strengths can be compared;
    `by_colour` orders them from grey to coloured. Raises ExplorerError for a network that has none.
    """
    return filters_of_state(network.model.state_dict(), shared_scale=shared_scale, by_colour=by_colour)


def filters_of_state(
    state: Mapping[str, torch.Tensor], *, shared_scale: bool = False, by_colour: bool = False
) -> FirstLayer:
    """`first_layer_filters` from a state dict alone, without building the network."""
    for key, value in state.items():
        if _reads_colours(key, tuple(value.shape)):
            return _first_layer(key, value, shared_scale, by_colour)
    raise ExplorerError("This network has no convolution that reads the three colours; there are no filters to show.")


def filters_of_file(path: Path, *, shared_scale: bool = False, by_colour: bool = False) -> FirstLayer:
    """`first_layer_filters` from a safetensors file (a snapshot, a network file), reading only that one layer of it.

    Raises ExplorerError when the file is missing, damaged, or holds no such layer.
    """
    try:
        with safe_open(path, framework="pt") as file:
            shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
            first = [key for key, shape in shapes.items() if _reads_colours(key, shape)][:1]
            state = {key: file.get_tensor(key) for key in first}
    except (SafetensorError, OSError) as error:
        raise ExplorerError(f"{path.name} is missing, damaged or no safetensors file.") from error
    return filters_of_state(state, shared_scale=shared_scale, by_colour=by_colour)


def colourfulness(weights: np.ndarray) -> np.ndarray:
    """How far each filter (n, 3, k, k) is from grey: the share of its energy that differs between the colours, 0 to 1.

    A filter that treats red, green and blue alike has 0; one that only compares colours has 1.
    """
    grey = weights.mean(axis=1, keepdims=True)
    energy = np.square(weights).sum(axis=(1, 2, 3))
    return np.square(weights - grey).sum(axis=(1, 2, 3)) / np.maximum(energy, np.finfo(np.float32).tiny)


Order = Literal["number", "colour", "orientation", "frequency"]
NEAR_ZERO = 0.02
"""Share of the strength of the layer's strongest tenth; a filter weaker than that answers nothing that the next layer
could hear. Not of the median: where most filters have died, that is next to zero itself."""
PADDED = 64
"""Values along a filter's spectrum: zeros around the filter make it finer, so that 1.6 cycles are not called 2."""


@dataclass(frozen=True)
class Traits:
    """What each of n filters is like, measured on its weights."""

    colourfulness: np.ndarray
    """float (n,), 0 (grey) to 1 (compares colours only)."""
    strength: np.ndarray
    """float (n,): the root of the sum of squared weights."""
    frequency: np.ndarray
    """float (n,): the strongest spatial frequency, in cycles along the filter; 0 for a blob."""
    angle: np.ndarray
    """float (n,): the direction of its stripes or edge in degrees, 0 (lying) up to 180, counter-clockwise."""
    oriented: np.ndarray
    """float (n,): how far its spectrum lies in one direction, 0 (every direction alike, or none) to 1."""

    @property
    def faint(self) -> np.ndarray:
        """bool (n,): whether the weights are next to zero, beside those of the strongest."""
        return self.strength <= NEAR_ZERO * np.quantile(self.strength, 0.9)

    def order(self, by: Order) -> np.ndarray:
        """The filters' numbers, int (n,): as the network has them, from grey to coloured, by the direction of their
        stripes (those without one at the end), or from coarse to fine."""
        if by == "number":
            return np.arange(len(self.angle))
        if by == "orientation":
            without = self.oriented < ORIENTED
            return np.lexsort((self.angle, without))
        return np.argsort(self.colourfulness if by == "colour" else self.frequency, kind="stable")


ORIENTED = 0.35
"""From where on a filter is said to have a direction; that of a blob or of noise lies below."""


def traits(weights: np.ndarray) -> Traits:
    """What filters (n, 3, k, k) are like.

    Frequency and direction come from the two-dimensional Fourier transform, its power added up over the three colours:
    for a grey filter that is the transform of the grey filter, and an edge between red and green has a direction, too,
    though in grey there is nothing of it. `oriented` is one minus the circular variance of the directions, weighted by
    power (Ringach, Shapley, Hawken 2002, J. Neurosci. 22(13), “Data analysis”).
    """
    side = weights.shape[-1]
    spectrum = np.fft.fft2(weights.astype(np.float64), s=(max(PADDED, side),) * 2)  # (n, 3, p, p)
    power = np.square(np.abs(spectrum)).sum(axis=1)
    along = np.fft.fftfreq(power.shape[-1]) * side  # cycles along the filter
    vertical, horizontal = np.meshgrid(along, along, indexing="ij")
    radius = np.hypot(vertical, horizontal)
    strongest = power.reshape(len(power), -1).argmax(axis=1)
    # A frequency and its opposite are one direction: at twice the angle they meet.
    twice = np.exp(2j * np.arctan2(-vertical, horizontal)) * (radius > 0)
    without_mean = np.where(radius > 0, power, 0)
    total = np.maximum(without_mean.sum(axis=(1, 2)), np.finfo(np.float64).tiny)
    resultant = (without_mean * twice).sum(axis=(1, 2)) / total
    return Traits(
        colourfulness=colourfulness(weights),
        strength=np.sqrt(np.square(weights.astype(np.float64)).sum(axis=(1, 2, 3))),
        frequency=radius.ravel()[strongest],
        # Stripes lie across the direction in which the brightness changes.
        angle=(np.degrees(np.angle(resultant)) / 2 + 90) % 180,
        oriented=np.abs(resultant),
    )


@dataclass(frozen=True)
class Split:
    """Two groups of filters, as section 6.1 of the 2012 paper saw them: colour-agnostic and colour-specific."""

    threshold: float
    """The colourfulness between the two groups."""
    grey: int
    """Filters below it."""
    coloured: int
    explained: float
    """The share of the variance of colourfulness that lies between the groups, 0 to 1. Values spread evenly, without
    any gap, would have 0.75."""


def split_by_colour(colour: np.ndarray) -> Split:
    """The threshold that divides `colour` (n,), at least two values, into the two most distinct groups (Otsu 1979,
    IEEE Trans. SMC 9(1), equation 12)."""
    ordered = np.sort(colour.astype(np.float64))
    count = np.arange(1, len(ordered))
    below = np.cumsum(ordered)[:-1] / count
    above = (ordered.sum() - np.cumsum(ordered)[:-1]) / (len(ordered) - count)
    between = count * (len(ordered) - count) / len(ordered) ** 2 * np.square(above - below)
    best = int(between.argmax())
    variance = max(float(ordered.var()), np.finfo(np.float64).tiny)
    threshold = (ordered[best] + ordered[best + 1]) / 2
    return Split(float(threshold), best + 1, len(ordered) - best - 1, min(1.0, float(between[best]) / variance))


def _reads_colours(key: str, shape: tuple[int, ...]) -> bool:
    return key.endswith(".weight") and len(shape) == 4 and shape[1] == 3


def _first_layer(key: str, value: torch.Tensor, shared_scale: bool, by_colour: bool) -> FirstLayer:
    weights = value.detach().cpu().float().numpy().copy()  # (n, 3, k, k)
    units = np.argsort(colourfulness(weights), kind="stable") if by_colour else np.arange(len(weights))
    weights = weights[units]
    if not np.isfinite(weights).all():
        raise ExplorerError("The first layer holds values that are not numbers; the training has failed there.")
    largest = np.abs(weights).max(axis=None if shared_scale else (1, 2, 3), keepdims=True)
    # A filter of nothing but zeros is grey, not a division by zero.
    relative = weights / np.where(largest > 0, largest, 1)
    tiles = np.rint(128 + 127 * relative).astype(np.uint8).transpose(0, 2, 3, 1)  # (n, k, k, 3)
    return FirstLayer(key.removesuffix(".weight"), weights, tiles, units)
