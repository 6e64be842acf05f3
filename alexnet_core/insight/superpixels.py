"""A picture cut into some fifty pieces of like colour: simple linear iterative clustering."""

import numpy as np
from PIL import Image

ROUNDS = 8
"""Times that every pixel chooses its piece anew; ten are the authors' number, eight change nothing one could see."""

COMPACTNESS = 20.0
"""Levels of colour that weigh as much as the distance between two pieces' middles: larger gives squarer pieces."""


def superpixels(pixels: np.ndarray, wanted: int) -> np.ndarray:
    """The piece each pixel belongs to: uint8 (H, W, 3) -> int64 (H, W), numbered from 0 without gaps.

    About `wanted` pieces, each of one connected part. Achanta et al. 2012 (SLIC), section 3, with brightness and colour
    differences (YCbCr) in place of CIELAB, and each pixel choosing among the nine pieces that began around it.
    """
    height, width = pixels.shape[:2]
    rows = max(1, min(height, round((wanted * height / width) ** 0.5)))
    columns = max(1, min(width, round(wanted / rows)))
    colours = np.asarray(Image.fromarray(pixels).convert("YCbCr"), dtype=np.float32).reshape(-1, 3)
    y, x = (axis.ravel().astype(np.float32) for axis in np.mgrid[:height, :width])
    spacing = (height * width / (rows * columns)) ** 0.5
    features = np.stack([*(colours.T / COMPACTNESS), y / spacing, x / spacing])  # (5, H * W)
    row, column = (y * rows / height).astype(int), (x * columns / width).astype(int)
    labels = row * columns + column
    near = [
        np.clip(row + down, 0, rows - 1) * columns + np.clip(column + right, 0, columns - 1)
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    ]
    for _ in range(ROUNDS):
        middles = _means(features, labels, rows * columns)
        distances = np.stack([_distances(features, middles, choice) for choice in near])
        labels = np.choose(distances.argmin(axis=0), near)
    middles = _means(features, labels, rows * columns)
    connected = _connected(labels.reshape(height, width), features, middles)
    return np.unique(connected, return_inverse=True)[1].reshape(height, width)


def _means(features: np.ndarray, labels: np.ndarray, pieces: int) -> np.ndarray:
    """The mean of each piece, (5, pieces); a piece that lost all its pixels is put out of reach."""
    counts = np.bincount(labels, minlength=pieces)
    sums = np.stack([np.bincount(labels, feature, pieces) for feature in features])
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf).astype(np.float32)


def _distances(features: np.ndarray, middles: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The squared distance of each pixel from the middle of the piece that `labels` gives it, (H * W,)."""
    return ((features - middles.take(labels, axis=1)) ** 2).sum(axis=0)


def _connected(labels: np.ndarray, features: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """`labels` (H, W) with each piece reduced to the part that hangs together with its most typical pixel; what is cut
    off goes to a neighbour."""
    flat = labels.ravel()
    order = np.lexsort((_distances(features, middles, flat), flat))  # by piece, the most typical pixel first
    _, first = np.unique(flat[order], return_index=True)
    reached = np.zeros(flat.size, dtype=bool)
    reached[order[first]] = True
    owner = np.where(reached, flat, -1).reshape(labels.shape)
    for may_join in (lambda mine, theirs: mine == theirs, lambda mine, theirs: theirs >= 0):
        while True:
            grown = owner.copy()
            for here, there in _NEIGHBOURS:
                theirs = owner[there]
                join = (grown[here] < 0) & (theirs >= 0) & may_join(labels[here], theirs)
                grown[here] = np.where(join, theirs, grown[here])
            if np.array_equal(grown, owner):
                break
            owner = grown
    return owner


_NEIGHBOURS = (
    (np.s_[1:, :], np.s_[:-1, :]), (np.s_[:-1, :], np.s_[1:, :]),
    (np.s_[:, 1:], np.s_[:, :-1]), (np.s_[:, :-1], np.s_[:, 1:]),
)  # fmt: skip
"""Each pixel beside the one above, below, to the left and to the right of it."""
