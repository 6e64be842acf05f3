"""What moves while a network learns, from its weights at several moments: one moment after another, nothing kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.gallery import Gallery, numbers
from alexnet_core.insight.neighbours import Depth, answered
from alexnet_core.models import Network

BATCH = 128


@dataclass(frozen=True)
class LayerChange:
    """How far the weights of one layer moved, a value a moment.

    A change is measured in lengths of the weights themselves: 0 means that nothing changed; 1 that the change is as
    long as the weights (all of them seen as one vector) are afterwards.
    """

    name: str
    """The layer, dotted, without `.weight`."""
    since_before: np.ndarray
    """float (m,): since the moment before; 0 for the first."""
    since_start: np.ndarray
    """float (m,): since the first moment."""


def changes(states: Iterable[Mapping[str, torch.Tensor]]) -> list[LayerChange]:
    """How far each convolution and linear layer moved from state dict to state dict, in the order of the network.

    Biases and normalisations are left out. Raises ExplorerError where the states are of different networks.
    """
    start: dict[str, torch.Tensor] = {}
    before: dict[str, torch.Tensor] = {}
    steps: dict[str, list[float]] = {}
    totals: dict[str, list[float]] = {}
    for state in states:
        weights = {key: value.detach().cpu().float() for key, value in state.items() if _weighs(key, value)}
        if not start:
            start = before = weights
            steps, totals = {key: [] for key in weights}, {key: [] for key in weights}
        shapes = {key: value.shape for key, value in weights.items()}
        if shapes != {key: value.shape for key, value in start.items()}:
            raise ExplorerError("The snapshots are of different networks; train the run again.")
        for key, value in weights.items():
            length = float(value.norm()) or 1.0
            steps[key].append(float((value - before[key]).norm()) / length)
            totals[key].append(float((value - start[key]).norm()) / length)
        before = weights
    return [LayerChange(key.removesuffix(".weight"), np.array(steps[key]), np.array(totals[key])) for key in start]


def _weighs(key: str, value: torch.Tensor) -> bool:
    return key.endswith(".weight") and value.dim() in (2, 4)


def first_answers(network: Network, picture: Image.Image, weights: np.ndarray) -> np.ndarray:
    """What the first convolution of `network` would answer to `picture` with other filters, (n, 3, k, k): float32
    (n, H, W), before bias, normalisation and ReLU. All that the snapshots of a large network allow to be computed.

    Raises ExplorerError for a network without a convolution that reads colours, or one of another shape.
    """
    layers = [module for module in network.model.modules() if isinstance(module, nn.Conv2d) and module.in_channels == 3]
    if not layers or tuple(layers[0].weight.shape) != weights.shape:
        raise ExplorerError("These filters are not of this network; choose the run that they come from.")
    layer, device = layers[0], next(network.model.parameters()).device
    images = network.preprocessing.tensor(picture).to(device)
    with torch.no_grad():
        maps = F.conv2d(
            images,
            torch.from_numpy(weights).to(device),
            stride=layer.stride,
            padding=layer.padding,
            dilation=layer.dilation,
        )
    return maps[0].cpu().numpy()


@dataclass(frozen=True)
class Answered:
    """What a network makes of many pictures."""

    features: torch.Tensor
    """float32 (n, d), of the depth that was asked for."""
    predictions: np.ndarray
    """int64 (n,)."""


def answers(network: Network, gallery: Gallery, rows: np.ndarray, depth: Depth) -> Answered:
    """The features at `depth` and the answers for some rows of a gallery, in batches, from one pass.

    Raises ExplorerError for features that are not finite.
    """
    features, predictions = [], []
    for start in range(0, len(rows), BATCH):
        found, logits = answered(network, numbers(network, gallery, rows[start : start + BATCH]), [depth])
        features.append(found[0].cpu())
        predictions.append(logits.argmax(dim=1).cpu().numpy())
    return Answered(torch.cat(features), np.concatenate(predictions))


def confusion(labels: np.ndarray, predictions: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """How often each class was taken for each: int64 (true, predicted)."""
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts
