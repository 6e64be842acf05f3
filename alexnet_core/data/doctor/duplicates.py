"""Pictures that are the same one, resized, saved again or cut a little, found among all pairs.

In three steps. Each picture becomes a thumbnail of 32 x 32. Its contrast is made equal everywhere, so that a frame
weighs no more than what it frames, and its low frequencies become a fingerprint, as in perceptual hashes (Zauner 2010),
but in real numbers instead of bits: all pairs are then one matrix product. Pairs with like fingerprints are compared
cell by cell, with either cut at the sides in all small ways: two pictures are the same where most places agree, not
where the sum of all looks alike.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

SIDE = 32
"""Pixels of a thumbnail."""
FREQUENCIES = 10
"""Of the cosine transform, each way: coarse enough for a fingerprint to survive a cut of 5 % at each side."""
LIKE = 0.72
"""The least cosine of two fingerprints that are looked at. Of Imagenette's 90 million pairs some 600 reach it; of
pictures cut by up to 5 % at each side all but one in a hundred do."""
SAME = 0.9
"""The least correlation in 70 % of the cells that say something. Measured on Imagenette's photographs: unrelated ones
reach 0.88; copies of half the size, saved with quality 30, or cut by up to 5 % at each side have 0.93 and more, all but
one in a hundred."""
NEARLY_EQUAL = 0.985
"""The same for pictures that were not cut, in a collection whose pictures are alike by nature, such as handwritten
digits: where more pairs have like fingerprints than there are pictures. Only copies that were resized or saved again
can be told from look-alikes there."""
AGREEING = 0.7
INSET, CELL, STEP = 4, 8, 4
"""Pixels of a thumbnail: the rim that is left out, where frames are; the side of a cell; from one to the next."""
SAYING = 6
"""Cells with contrast below which a picture counts as plain."""
CONTRAST = 1.5
"""Grey levels, standard deviation: below, a cell shows only what saving has left there."""
COLOURS = 24.0
"""Grey levels by which red less green and blue less green may differ on average."""
MARGINS = (0, 1, 2)
"""Pixels of a thumbnail that are cut off at each side: none, 3 % and 6 %."""
ROWS, PAIRS = 2_048, 64
"""Fingerprints and pairs that are compared at a time."""
LIKENESSES = 32_000_000
"""Of fingerprints at a time, 128 MB: of large sets fewer rows are compared together."""

Progress = Callable[[int, int], None]


def thumbnail(picture: Image.Image) -> np.ndarray:
    """The whole RGB picture as a small square, whatever its shape: uint8 (32, 32, 3)."""
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX))


def pairs(thumbnails: np.ndarray, progress: Progress | None = None) -> np.ndarray:
    """All pairs of thumbnails, uint8 (N, 32, 32, 3), that show the same picture: int64 (P, 2), the smaller first.

    `progress` gets (done, total) and may raise to stop.
    """
    likeness, linked = _like(fingerprints(thumbnails), progress)
    alike_by_nature = len(linked) > len(thumbnails)
    nearest = np.argsort(-likeness, kind="stable")[: len(thumbnails)]
    margins, least = ((0,), NEARLY_EQUAL) if alike_by_nature else (MARGINS, SAME)
    same = linked[nearest][_agreements(thumbnails, linked[nearest], margins) >= least]
    return np.unique(np.concatenate([_equal(thumbnails), same]), axis=0)


def groups(count: int, linked: np.ndarray) -> list[list[int]]:
    """The sets of two and more that the links (P, 2) join among `count` pictures, in the order of their first ones."""
    above = list(range(count))

    def top(position: int) -> int:
        while above[position] != position:
            above[position] = above[above[position]]
            position = above[position]
        return position

    for one, other in linked.tolist():
        low, high = sorted((top(one), top(other)))
        above[high] = low
    members: dict[int, list[int]] = {}
    for position in sorted({position for pair in linked.tolist() for position in pair}):
        members.setdefault(top(position), []).append(position)
    return list(members.values())


def fingerprints(thumbnails: np.ndarray) -> np.ndarray:
    """Of each thumbnail the low frequencies of its evened picture, of length 1: float32 (N, 99). A picture of one
    colour has only zeros, and is like no other."""
    cosine = _cosines()
    parts = [np.empty((0, FREQUENCIES**2 - 1), np.float32)]
    for first in range(0, len(thumbnails), ROWS):
        detail = _detail(_grey(thumbnails[first : first + ROWS]))
        evened = detail / (_box(detail.square(), 9).sqrt() + 2.0)  # grey levels: what is fainter stays faint
        waves = (cosine @ evened @ cosine.T).flatten(1)[:, 1:]  # the mean says nothing here
        length = waves.norm(dim=1, keepdim=True)
        parts.append(torch.where(length > 1.0, waves / length, 0.0).numpy())
    return np.concatenate(parts)


def _cosines() -> torch.Tensor:
    """The rows of the discrete cosine transform: (FREQUENCIES, SIDE)."""
    places = (2 * torch.arange(SIDE) + 1) * torch.pi / (2 * SIDE)
    return (torch.arange(FREQUENCIES)[:, None] * places).cos() * (2 / SIDE) ** 0.5


def _grey(thumbnails: np.ndarray) -> torch.Tensor:
    """Brightness of uint8 RGB (N, S, S, 3): float (N, S, S)."""
    return torch.from_numpy(thumbnails.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32))


def _box(images: torch.Tensor, side: int) -> torch.Tensor:
    """The mean round each pixel: (N, S, S) -> (N, S, S)."""
    padded = F.pad(images[:, None], (side // 2,) * 4, mode="replicate")
    return F.avg_pool2d(padded, side, stride=1)[:, 0]


def _detail(grey: torch.Tensor) -> torch.Tensor:
    """Neither the finest detail, which saving and resizing change, nor slow gradients, which skies share."""
    smooth = F.avg_pool2d(F.pad(grey[:, None], (1, 1, 1, 1), mode="replicate"), 2, stride=1)
    smooth = F.avg_pool2d(smooth, 2, stride=1)[:, 0]  # twice two: the binomial 1-2-1
    return smooth - _box(smooth, 9)


def _equal(thumbnails: np.ndarray) -> np.ndarray:
    """Each thumbnail with the first one of the same bytes."""
    first: dict[bytes, int] = {}
    found = []
    for position, thumb in enumerate(thumbnails):
        before = first.setdefault(thumb.tobytes(), position)
        if before != position:
            found.append((before, position))
    return np.array(found, np.int64).reshape(-1, 2)


def _like(prints: np.ndarray, progress: Progress | None) -> tuple[np.ndarray, np.ndarray]:
    """The cosines (P,) and the pairs (P, 2) of like fingerprints; of a block of rows the nearest ones, at most twice as
    many as rows, so that memory stays bounded where all are alike."""
    cosines, found = [np.empty(0, np.float32)], [np.empty((0, 2), np.int64)]
    rows_at_once = max(1, min(ROWS, LIKENESSES // max(1, len(prints))))
    for top in range(0, len(prints), rows_at_once):
        likeness = prints[top : top + rows_at_once] @ prints[top:].T
        likeness[np.tril_indices(len(likeness), 0, likeness.shape[1])] = 0  # each pair once, and none with itself
        rows, columns = np.nonzero(likeness >= LIKE)
        values = likeness[rows, columns]
        nearest = np.argsort(-values, kind="stable")[: 2 * rows_at_once]
        cosines.append(values[nearest])
        found.append(np.stack([rows[nearest] + top, columns[nearest] + top], 1))
        if progress:
            progress(min(top + rows_at_once, len(prints)), len(prints))
    return np.concatenate(cosines), np.concatenate(found)


def _agreements(thumbnails: np.ndarray, linked: np.ndarray, margins: tuple[int, ...]) -> np.ndarray:
    """How far the pairs (P, 2) show the same picture, either cut by one of the margins at each side: float (P,), at
    most 1; -1 for those of other colours."""
    grid = _cuts(margins)
    values = [np.empty(0, np.float32)]
    for first in range(0, len(linked), PAIRS):
        one, other = (thumbnails[linked[first : first + PAIRS, side]] for side in (0, 1))
        a, b = _detail(_grey(one)), _detail(_grey(other))
        agreement = torch.maximum(_agreement(a, b, grid), _agreement(b, a, grid)).numpy()
        colours = np.abs(_chroma(one) - _chroma(other)).mean(axis=(1, 2))
        values.append(np.where(colours <= COLOURS, agreement, -1.0))
    return np.concatenate(values)


def _chroma(thumbnails: np.ndarray) -> np.ndarray:
    """Red less green and blue less green in 4 x 4 places: float (N, 16, 2)."""
    places = thumbnails.reshape(len(thumbnails), 4, SIDE // 4, 4, SIDE // 4, 3).mean(axis=(2, 4), dtype=np.float32)
    return (places[..., [0, 2]] - places[..., [1]]).reshape(len(thumbnails), 16, 2)


def _cuts(margins: tuple[int, ...]) -> torch.Tensor:
    """Where to look in a thumbnail that is cut by `margins` at its four sides in all ways: (cuts, S, S, 2)."""
    maps = [
        [[1 - (left + right) / SIDE, 0, (left - right) / SIDE], [0, 1 - (top + bottom) / SIDE, (top - bottom) / SIDE]]
        for left, top, right, bottom in product(margins, repeat=4)
    ]
    return F.affine_grid(torch.tensor(maps), [len(maps), 1, SIDE, SIDE], align_corners=False)


def _agreement(cut: torch.Tensor, whole: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """The correlation that 70 % of the cells with contrast reach, in the best of all cuts: details (P, S, S) -> (P,).

    Minus one for plain pictures, of which no cell says anything."""
    asked = cut[None].expand(len(grid), -1, -1, -1)
    cuts = F.grid_sample(asked, grid, mode="bilinear", padding_mode="border", align_corners=False)  # (cuts, P, S, S)
    inner = slice(INSET, SIDE - INSET)
    x, y = cuts[..., inner, inner], whole[None, :, inner, inner]

    def mean(values: torch.Tensor) -> torch.Tensor:
        """Over each cell: (..., 24, 24) -> (..., 25)."""
        return F.avg_pool2d(values, CELL, STEP).flatten(-2)

    mean_x, mean_y = mean(x), mean(y)
    spread_x = (mean(x * x) - mean_x.square()).clamp(min=0).sqrt()
    spread_y = (mean(y * y) - mean_y.square()).clamp(min=0).sqrt()
    correlation = (mean(x * y) - mean_x * mean_y) / (spread_x * spread_y).clamp(min=1e-6)
    saying = torch.maximum(spread_x, spread_y) >= CONTRAST
    reached = torch.nanquantile(torch.where(saying, correlation, torch.nan), 1 - AGREEING, dim=-1)
    return torch.where(saying.sum(-1) >= SAYING, reached, -1.0).amax(0)
