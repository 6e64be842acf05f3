"""Which pictures a network finds alike, at every depth: by their pixels, by each layer, by the last hidden one.

Krizhevsky, Sutskever, Hinton 2012, section 6.1 and figure 4: two pictures are alike where the features of the last
hidden layer lie close to each other, by Euclidean distance. Here the same is asked of every depth, so that one sees
where likeness turns from colour to content.

Features are large (a map of 27 x 27 places in 192 channels has 140,000 numbers), so an index keeps less of them:
maps are averaged to at most 4 x 4 places, pixels to at most 16 x 16, and of what remains the coordinates along the
`NUMBERS` directions in which the pictures differ most (principal components, fitted on at most `SAMPLE` of them).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.gallery import Gallery, evenly, numbers
from alexnet_core.insight.hooks import capture, evaluating
from alexnet_core.insight.stages import FLATTEN, stages
from alexnet_core.models import Network
from alexnet_core.models.anatomy import KINDS, anatomy

PIXELS = "pixels"
"""The name of the depth before the first layer."""
MOST_LAYERS = 8
"""Depths beside the pixels; of deeper networks evenly chosen ones, the first and the last always among them."""
PLACES, PIXEL_PLACES = 4, 16
"""Along each side, of maps and of the picture. What lies where still counts, a shift by a pixel hardly."""
NUMBERS = 128
"""A picture and depth: 50,000 pictures take 26 MB a depth."""
SAMPLE = 1024
"""Pictures on which the directions are fitted: eight times as many as there are directions."""
MOST = 50_000
"""Pictures in an index. Of larger galleries evenly chosen ones."""
BATCH = 128


@dataclass(frozen=True)
class Depth:
    """A place on the way of a picture through a network at which pictures can be compared."""

    name: str
    """The layer's dotted name, or "pixels"."""
    title: str
    """For the screen."""
    last: bool = False
    """Whether it is the last hidden layer: the classes are read off from nothing else."""


def depths(network: Network) -> tuple[Depth, ...]:
    """The pixels, then the output of each convolution, linear layer or block with all that follows it up to the next
    (its ReLU, normalisation, pooling), to the last hidden one; the layer that answers with classes is left out."""
    parts = _parts(network)
    heads = [place for place, (_, module) in enumerate(parts) if _weighs(module)]
    counts: Counter[str] = Counter()
    found = []
    for head, following in pairwise(heads):
        kind = KINDS.get(type(parts[head][1]), type(parts[head][1]).__name__)
        counts[kind] += 1
        ends = [name for name, module in parts[head:following] if not isinstance(module, nn.Dropout)]
        found.append(Depth(ends[-1], f"{kind[0].upper()}{kind[1:]} {counts[kind]}"))
    if found:
        found[-1] = replace(found[-1], title=f"{found[-1].title}, the last hidden layer", last=True)
    chosen = evenly(len(found), MOST_LAYERS)
    return (Depth(PIXELS, "Pixels"), *(found[place] for place in chosen))


def _parts(network: Network) -> list[tuple[str, nn.Module]]:
    """What a picture passes one after another: stages where the network is a row of them, else its single layers."""
    row = [(stage.name, stage.module) for stage in stages(network) if stage.name not in ("", FLATTEN)]
    if row:
        return row
    layers = dict(network.model.named_modules())
    return [(layer.name, layers[layer.name]) for layer in anatomy(network.model, network.preprocessing.size)]


def _weighs(module: nn.Module) -> bool:
    return any(isinstance(part, nn.Conv2d | nn.Linear) for part in module.modules())


def features(network: Network, images: torch.Tensor, wanted: Sequence[Depth]) -> list[torch.Tensor]:
    """What each wanted depth holds of images (n, 3, S, S) as the network reads them: float32 (n, d) on its device, maps
    averaged to at most `PLACES` x `PLACES` places. Raises ExplorerError where they are not finite."""
    return answered(network, images, wanted)[0]


def answered(
    network: Network, images: torch.Tensor, wanted: Sequence[Depth]
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """`features`, and the network's logits (n, K) from the same pass."""
    layers = [depth.name for depth in wanted if depth.name != PIXELS]
    with torch.no_grad(), evaluating(network.model) as model, capture(model, *layers) as kept:
        logits = model(images).float()
    kept[PIXELS] = images
    levels = [_pooled(kept[depth.name], PIXEL_PLACES if depth.name == PIXELS else PLACES) for depth in wanted]
    if not all(bool(torch.isfinite(level).all()) for level in levels):
        raise ExplorerError(
            "The network's features are not finite numbers, so nothing is near; choose another network."
        )
    return levels, logits


def _pooled(values: torch.Tensor, places: int) -> torch.Tensor:
    if values.dim() == 4:  # (n, C, H, W) -> (n, C, at most places, at most places)
        high, wide = values.shape[2:]
        values = F.adaptive_avg_pool2d(values.float(), (min(places, high), min(places, wide)))
    return torch.flatten(values.float(), 1)


@dataclass(frozen=True)
class Axes:
    """The directions in which many pictures differ most at one depth."""

    mean: torch.Tensor
    """float32 (d,)."""
    directions: torch.Tensor
    """float32 (k, d), orthonormal, the most telling first."""
    kept: float
    """The share of the variance that lies along them, 0 to 1."""

    def coordinates(self, features: torch.Tensor) -> torch.Tensor:
        """Features (n, d) on any device -> coordinates (n, k) on the processor."""
        device = features.device
        return ((features - self.mean.to(device)) @ self.directions.to(device).T).cpu()


def axes(features: torch.Tensor, most: int) -> Axes:
    """The at most `most` principal directions of features (n, d). Deterministic."""
    from sklearn.decomposition import PCA  # takes a second to import

    values = features.cpu().numpy()
    found = PCA(min(most, *values.shape), random_state=0).fit(values)
    total = float(values.var(axis=0, ddof=1).sum()) if len(values) > 1 else 0.0
    return Axes(
        torch.from_numpy(found.mean_.astype(np.float32)),
        torch.from_numpy(found.components_.astype(np.float32)),
        min(1.0, float(found.explained_variance_.sum()) / total) if total else 1.0,
    )


@dataclass(frozen=True)
class Index:
    """Where many pictures lie at every depth, in memory."""

    depths: tuple[Depth, ...]
    axes: tuple[Axes, ...]
    points: tuple[torch.Tensor, ...]
    """A depth each: float32 (N, k), coordinates along its axes."""
    lengths: tuple[torch.Tensor, ...]
    """Their squared lengths, (N,)."""
    rows: np.ndarray
    """int64 (N,): which rows of the gallery they are."""

    @property
    def bytes(self) -> int:
        """Memory that the points take."""
        return sum(points.nelement() * points.element_size() for points in self.points)


@dataclass(frozen=True)
class Indexing:
    """How far an index has come."""

    done: int
    total: int
    """Pictures."""
    index: Index | None = None
    """At the end."""


def indexing(network: Network, gallery: Gallery, most: int = MOST) -> Iterator[Indexing]:
    """Build the index of a gallery, at most `most` evenly chosen pictures of it, and say how far it is.

    Between two reports nothing is left of it on the network: hold its lock for each step alone, and stop at any of
    them. Raises ExplorerError for an empty gallery and for features that are not finite.
    """
    if not len(gallery):
        raise ExplorerError("There are no pictures to look through; choose others.")
    levels = depths(network)
    every = evenly(len(gallery), most)
    first = evenly(len(every), SAMPLE)
    rows = np.concatenate([every[first], np.delete(every, first)])
    sample: list[list[torch.Tensor]] = []
    for batch in _batches(rows[: len(first)]):
        sample.append(features(network, numbers(network, gallery, batch), levels))
        yield Indexing(sum(len(part[0]) for part in sample), len(rows))
    joined = [torch.cat(parts) for parts in zip(*sample, strict=True)]
    sample.clear()
    directions = tuple(axes(level, NUMBERS) for level in joined)
    points = [[axis.coordinates(level)] for axis, level in zip(directions, joined, strict=True)]
    done = len(first)
    for batch in _batches(rows[len(first) :]):
        found = features(network, numbers(network, gallery, batch), levels)
        for kept, axis, level in zip(points, directions, found, strict=True):
            kept.append(axis.coordinates(level))
        done += len(batch)
        yield Indexing(done, len(rows))
    together = tuple(torch.cat(parts) for parts in points)
    lengths = tuple(part.square().sum(dim=1) for part in together)
    yield Indexing(done, len(rows), Index(levels, directions, together, lengths, rows))


def _batches(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]


def located(network: Network, index: Index, images: torch.Tensor) -> list[torch.Tensor]:
    """Where images (n, 3, S, S) lie at each depth of an index: coordinates (n, k)."""
    found = features(network, images, index.depths)
    return [axis.coordinates(level) for axis, level in zip(index.axes, found, strict=True)]


@dataclass(frozen=True)
class Neighbours:
    """The nearest pictures at one depth, the nearest first."""

    depth: Depth
    rows: np.ndarray
    """int64 (n,): rows of the gallery."""
    distances: np.ndarray
    """float32 (n,): Euclidean, in units of the median distance to the pictures of the index (of at most `SAMPLE` of
    them, evenly chosen)."""


def nearest(
    index: Index, places: Sequence[torch.Tensor], count: int = 8, without: int | None = None
) -> list[Neighbours]:
    """The `count` nearest pictures at each depth to the one that lies at `places`, (1, k) a depth, as `located` gives
    it. The row `without`, the picture itself, is passed over. One matrix product a depth."""
    found = []
    for depth, place, points, lengths in zip(index.depths, places, index.points, index.lengths, strict=True):
        squared = (lengths - 2 * (points @ place[0]) + place[0].square().sum()).clamp_(min=0)
        # The first ones are evenly chosen: their median is that of all, and takes no time.
        typical = float(squared[:SAMPLE].median().sqrt()) or 1.0
        asked = min(len(squared), count + 1)
        values, order = squared.topk(asked, largest=False)
        rows = index.rows[order.numpy()]
        others = rows != (-1 if without is None else without)
        distances = values.sqrt().numpy() / typical
        found.append(Neighbours(depth, rows[others][:count], distances[others][:count].astype(np.float32)))
    return found


def share_of_class(found: Neighbours, labels: np.ndarray, label: int) -> float:
    """The share of the neighbours that have this class."""
    return float((labels[found.rows] == label).mean())
