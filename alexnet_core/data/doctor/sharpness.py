"""How much of a picture's detail is as fine as its pixels: little where it is blurred or was enlarged."""

import numpy as np
from PIL import Image

SIDE = 96
"""Pixels of the short side at which pictures are compared: finer blur is gone at the sizes that a network sees."""
COARSEST = 16
"""Pixels of the short side of the coarsest copy that is looked at."""
NOISE = 1.0
"""Variance of a Laplacian, in grey levels squared, that rounding alone leaves behind."""
BLURRED, OF_THE_REST = 0.2, 0.5
"""Below the first, and below this share of the median of its collection, a picture counts as blurred. Photographs have
0.6, with one in three thousand below 0.2; blurred by a standard deviation of 1 % of their side they have 0.1 to 0.15.
The second number is for collections that were all enlarged: there nothing stands out."""


def sharpness(picture: Image.Image) -> float:
    """The variance of the Laplacian over that of the picture at half its size; the least of two such steps.

    The variance of the Laplacian (Pech-Pacheco et al. 2000) alone says as much about contrast and content as about
    blur: a bird in the sky has little of it. Natural pictures have detail at all sizes alike (Field 1987), so the
    share that is left at the finest one says how blurred they are.
    """
    scale = min(1.0, SIDE / min(picture.size))
    size = (max(4, round(picture.width * scale)), max(4, round(picture.height * scale)))
    grey = np.asarray(picture.convert("L").resize(size, Image.Resampling.BOX), np.float32)
    least, detail = np.inf, _laplacian_variance(grey)
    while min(grey.shape) >= 2 * COARSEST:
        grey = _halved(grey)
        coarser = _laplacian_variance(grey)
        least, detail = min(least, detail / (coarser + NOISE)), coarser
    return float(least) if np.isfinite(least) else 1.0


def blurred(values: np.ndarray) -> np.ndarray:
    """Which of the pictures stand out as blurred, the most blurred first: positions in `values`, their sharpness."""
    if not len(values):
        return np.empty(0, np.int64)
    limit = min(BLURRED, OF_THE_REST * float(np.median(values)))
    order = np.argsort(values, kind="stable")
    return order[values[order] < limit]


def _laplacian_variance(grey: np.ndarray) -> float:
    inner = grey[1:-1, 1:-1]
    return float((4 * inner - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]).var())


def _halved(grey: np.ndarray) -> np.ndarray:
    high, wide = grey.shape[0] // 2 * 2, grey.shape[1] // 2 * 2
    even = grey[:high, :wide]
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
