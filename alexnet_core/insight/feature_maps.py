"""What each layer puts out for one picture, as pictures."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import capture, evaluating
from alexnet_core.insight.operations import operations
from alexnet_core.models import Network
from alexnet_core.models.anatomy import Layer, anatomy


@dataclass(frozen=True)
class LayerChoice:
    """A layer whose output can be looked at."""

    name: str
    """Dotted, as in the state dict."""
    kind: str
    label: str
    """For the screen: name, kind with its number among its kind, and how many maps of which size."""


@dataclass(frozen=True)
class FeatureMaps:
    """The output of one layer for one picture."""

    layer: str
    values: np.ndarray
    """float32 (C, H, W): C maps of H x W values, as the layer put them out."""
    receptive_field: int | None
    """Side in pixels of the part of the picture that one value can see; None where layers do not form a chain."""

    @property
    def signed(self) -> bool:
        """Whether there are values below zero, as before a ReLU: then zero is drawn middle grey, else black."""
        return bool((self.values < 0).any())

    def strongest(self, by: Literal["mean", "max"] = "mean") -> np.ndarray:
        """The numbers of the maps, int (C,), the most active first: by the mean over the map, which favours what fills
        the picture, or by its largest value, which favours what is found in one place."""
        score = self.values.mean(axis=(1, 2)) if by == "mean" else self.values.max(axis=(1, 2))
        return np.argsort(-score, kind="stable")

    def tiles(self, shared_scale: bool = True) -> np.ndarray:
        """The maps as brightness, uint8 (C, H, W), in the layer's order.

        The largest magnitude of the layer, or of each map when `shared_scale` is off, is white, or black for a negative
        value; zero is black, or middle grey (128) when the layer is `signed`.
        """
        largest = np.abs(self.values).max(axis=None if shared_scale else (1, 2), keepdims=True)
        relative = self.values / np.where(largest > 0, largest, 1)
        return np.rint(128 + 127 * relative if self.signed else 255 * relative).astype(np.uint8)


def layers_with_maps(network: Network) -> list[LayerChoice]:
    """The layers of `network` that put out maps, in the order in which a picture passes them.

    Dropout is left out: outside training it changes nothing.
    """
    counts: Counter[str] = Counter()
    choices = []
    for layer in anatomy(network.model, network.preprocessing.size):
        if len(layer.output_shape) != 3 or layer.kind == "dropout":
            continue
        counts[layer.kind] += 1
        maps, height, width = layer.output_shape
        label = f"{layer.name} · {layer.kind} {counts[layer.kind]} ({maps} maps, {height} x {width})"
        choices.append(LayerChoice(layer.name, layer.kind, label))
    return choices


def steps_of_maps(network: Network) -> list[list[str]]:
    """For each convolution its name and those of the layers that pass its maps on: each takes what the one before it
    put out, and nothing else. Where maps are added, or laid side by side, a row ends.

    The first question about a network runs it once: hold its lock.
    """
    rows: list[list[str]] = []
    goes_on = False
    for step in operations(network).steps:
        with_maps = step.layer is not None and len(step.shape) == 3
        begins = with_maps and isinstance(step.layer, nn.Conv2d)
        goes_on = begins or (with_maps and goes_on and step.follows)
        if begins:
            rows.append([step.name])
        elif goes_on and not isinstance(step.layer, nn.modules.dropout._DropoutNd):
            rows[-1].append(step.name)
    return rows


def feature_maps(network: Network, picture: Image.Image, layer: str) -> FeatureMaps:
    """The output of the layer called `layer` for `picture`.

    Raises ExplorerError for a layer that does not exist or puts out no maps, and for maps that are not finite.
    """
    output = _output(network, picture, layer)
    if output is None or output.dim() != 4:
        raise ExplorerError(f"The layer {layer} puts out single numbers, no maps; choose a layer before it.")
    # (1, C, H, W) -> (C, H, W)
    return FeatureMaps(layer, _finite(output, layer), _receptive_field(network, layer))


def numbers_of_layer(network: Network, picture: Image.Image, layer: str) -> np.ndarray:
    """The output of a layer that puts out a list of numbers: float32 (C,). Raises ExplorerError for another layer, and
    for values that are not finite."""
    output = _output(network, picture, layer)
    if output is None or output.dim() != 2:
        raise ExplorerError(f"The layer {layer} puts out maps, no list of numbers; choose a layer behind it.")
    return _finite(output, layer)


def _finite(output: torch.Tensor, layer: str) -> np.ndarray:
    """What a layer puts out for the one picture that passed: float32, without the dimension of the batch."""
    values = output[0].float().cpu().numpy()
    if not np.isfinite(values).all():
        raise ExplorerError(f"The values of {layer} are not all finite numbers; choose another network.")
    return values


def _output(network: Network, picture: Image.Image, layer: str) -> torch.Tensor | None:
    """What the layer puts out for one picture; None where the picture does not pass it."""
    device = next(network.model.parameters()).device
    with torch.no_grad(), evaluating(network.model) as model, capture(model, layer) as activations:
        model(network.preprocessing.tensor(picture).to(device))
    return activations.get(layer)


def _receptive_field(network: Network, name: str) -> int | None:
    layers: list[Layer] = anatomy(network.model, network.preprocessing.size)
    return next((layer.receptive_field for layer in layers if layer.name == name), None)
