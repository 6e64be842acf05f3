"""How alike two maps are, in numbers: by the order of their pixels, and by their structure."""

import numpy as np
import torch
from torch.nn import functional as F

from alexnet_core.insight.attribution import Attribution, find_method
from alexnet_core.insight.colours import full_scale, summarise

WINDOW = 11
"""Side of the window in which structure is compared, in pixels, and the standard deviation of its weights: those of
Wang et al. 2004, section III-C."""
SIGMA = 1.5
C1, C2 = 0.01**2, 0.03**2
"""What keeps the quotients finite where both maps are empty or even, for values in [0, 1] (the same section)."""


def as_drawn(explained: Attribution) -> np.ndarray:
    """One number a pixel, (S, S), as the map is drawn: with its sign where the method has one."""
    return summarise(explained.values, find_method(explained.method).signed)


def magnitudes(explained: Attribution) -> np.ndarray:
    """How strongly the map marks each pixel, (S, S), whatever the sign: a map that only changes its signs still points
    at the same places."""
    return np.abs(as_drawn(explained))


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    """Spearman's rank correlation of two maps of one shape, -1 to 1: whether they put the pixels in the same order.

    Equal values share the mean of their ranks. None where a map has the same value everywhere, and so no order.
    """
    ranks = [_ranks(values) for values in (first, second)]
    centred = [rank - rank.mean() for rank in ranks]
    lengths = [float(np.sqrt((rank**2).sum())) for rank in centred]
    if not all(lengths):
        return None
    return float((centred[0] * centred[1]).sum() / (lengths[0] * lengths[1]))


def _ranks(values: np.ndarray) -> np.ndarray:
    _, places, counts = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    return (counts.cumsum() - (counts - 1) / 2)[places]


def structural_similarity(first: np.ndarray, second: np.ndarray) -> float:
    """The mean structural similarity of two maps of magnitudes, (S, S), at most 1, and 1 only for equal maps.

    Compares brightness, contrast and structure in windows that slide over both (Wang, Bovik, Sheikh, Simoncelli 2004,
    "Image quality assessment: from error visibility to structural similarity", equation 13). Before, each map is
    brought to [0, 1] by its own full scale, as it is drawn.
    """
    maps = torch.from_numpy(np.stack([np.clip(values / full_scale(values), 0, 1) for values in (first, second)]))
    x, y = maps.double()[:, None]  # (1, S, S) each
    places = torch.arange(min(WINDOW, *first.shape), dtype=torch.float64)
    bell = torch.exp(-((places - places.mean()) ** 2) / (2 * SIGMA**2))
    window = torch.outer(bell, bell)[None, None] / bell.sum() ** 2
    together = torch.stack([x, y, x * x, y * y, x * y])  # (5, 1, S, S)
    mean_x, mean_y, xx, yy, xy = F.conv2d(together, window)
    means = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    spreads = (2 * (xy - mean_x * mean_y) + C2) / (xx - mean_x**2 + yy - mean_y**2 + C2)
    return float((means * spreads).mean())
