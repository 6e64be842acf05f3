"""Many pictures as points on a plane, those that the network finds alike close together.

Two ways: the two directions in which their features differ most (principal components), which keeps large distances
and lets new pictures be placed exactly; and t-SNE (van der Maaten, Hinton 2008), which keeps neighbours together and
says nothing about distances between groups.
"""

from dataclasses import dataclass

import numpy as np
import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.neighbours import Axes, axes

MOST = 2_000
"""Pictures; t-SNE takes ten seconds for as many on one core."""
PERPLEXITY = 30.0
"""How many neighbours a point of t-SNE looks at, about; the middle of what its authors call usual (5 to 50)."""
BEFORE = 50
"""Numbers a picture that t-SNE starts from; its authors reduced to 30 (section 4.1)."""
NEIGHBOURS = 5
"""Whose mean place a new picture gets in t-SNE."""


def pca(features: torch.Tensor) -> tuple[Axes, np.ndarray]:
    """The plane along which features (n, d), n at least 3, differ most, and their places on it, float32 (n, 2)."""
    _enough(features)
    plane = axes(features, 2)
    return plane, on_plane(plane, features)


def on_plane(plane: Axes, features: torch.Tensor) -> np.ndarray:
    """Where features (n, d) of any pictures lie on a plane of `pca`: float32 (n, 2), exactly."""
    places = plane.coordinates(features).numpy()
    # Features with a single number each differ along one line.
    return np.pad(places, ((0, 0), (0, 2 - places.shape[1])))


def tsne(features: torch.Tensor, seed: int = 0) -> np.ndarray:
    """Places of features (n, d), n at least 3, by t-SNE: float32 (n, 2), the same for the same features and seed.

    Starts from the principal plane, so that the large arrangement is not left to chance (Kobak, Berens 2019).
    """
    from sklearn.manifold import TSNE  # takes a second to import

    _enough(features)
    reduced = axes(features, BEFORE).coordinates(features).numpy()
    perplexity = min(PERPLEXITY, (len(reduced) - 1) / 3)
    initial = "pca" if min(reduced.shape) >= 2 else "random"
    return TSNE(perplexity=perplexity, init=initial, random_state=seed, n_jobs=1).fit_transform(reduced)


def _enough(features: torch.Tensor) -> None:
    if len(features) < 3:
        raise ExplorerError("A map needs at least three pictures; choose others to look through.")


@dataclass(frozen=True)
class Placed:
    """Where a new picture goes among points of t-SNE."""

    place: np.ndarray
    """float (2,)."""
    among: np.ndarray
    """int (m,): the points whose mean place it has."""


def among(features: torch.Tensor, places: np.ndarray, asked: torch.Tensor) -> Placed:
    """The mean place of the points whose features (n, d) are nearest to `asked` (d,). t-SNE itself knows no new
    pictures: it would have to be computed anew, and all others would move."""
    order = torch.cdist(asked[None], features)[0].topk(min(NEIGHBOURS, len(features)), largest=False).indices.numpy()
    return Placed(places[order].mean(axis=0), order)
