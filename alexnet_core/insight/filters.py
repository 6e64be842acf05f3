"""The first layer's filters as pictures: the only weights that live in colour space and can be looked at directly."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
