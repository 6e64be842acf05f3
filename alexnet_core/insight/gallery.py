"""Many pictures to look through with a network: a split of its data set, or crops of photographs that are always there.

Reading them needs no PIL where they were prepared before: rows of pixels become normalised numbers as whole batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from PIL import Image

from alexnet_core.data.augment import normalised
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.shards import ImageRows
from alexnet_core.errors import ExplorerError
from alexnet_core.models import Network

PHOTOGRAPHS = {"china.jpg": "A Chinese palace", "flower.jpg": "A dahlia"}
"""What comes with scikit-learn: the only photographs that are on every computer where this program runs."""
SCALES = 7
"""Sizes of crops, each smaller than the one before by the square root of two: from the whole height of a photograph to
an eighth of it."""


@dataclass(frozen=True)
class Gallery:
    """Pictures to look through with a network: a split of its data set, or crops of photographs that come with the
    program."""

    key: str
    """Identifies the content, for caches."""
    title: str
    """For the screen."""
    images: ImageRows
    """uint8 (N, S, S, 3) at the network's size; slices and index arrays are read when asked for."""
    labels: np.ndarray | None
    """int64 (N,), positions in the network's classes; None where the pictures have no classes of this network."""
    files: Sequence[str]
    """A name a row, for captions."""

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.images)


def numbers(network: Network, gallery: Gallery, rows: slice | np.ndarray) -> torch.Tensor:
    """The pictures in `rows` as the network reads them: float32 (n, 3, S, S), normalised, on the network's device."""
    device = next(network.model.parameters()).device
    pixels = torch.from_numpy(np.ascontiguousarray(gallery.images[rows])).to(device)
    return normalised(pixels, network.preprocessing)


def of_set(prepared: PreparedSet, split: str, classes: Sequence[str]) -> Gallery:
    """A split of a prepared set for a network with these classes, in whatever order the set has them.

    Raises ExplorerError when the set has no such split, or other classes.
    """
    if set(prepared.classes) != set(classes) or len(set(classes)) != len(classes):
        raise ExplorerError(f"“{prepared.title}” has other classes than this network; choose another data set.")
    places = np.array([classes.index(name) for name in prepared.classes], dtype=np.int64)
    return Gallery(
        key=f"{prepared.identity[:16]}-{split}",
        title=f"{prepared.title}, {split}",
        images=prepared.images(split),
        labels=places[prepared.labels(split)],
        files=prepared.files(split),
    )


def evenly(count: int, most: int) -> np.ndarray:
    """Positions in a list of `count`, int64, at most `most` of them, evenly spread from first to last, so that no
    class is left out where they stand in order."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(np.int64))


def evenly_spread(images: ImageRows, count: int = 200) -> np.ndarray:
    """At most `count` of the images, from the first to the last at even distances: uint8 (n, S, S, 3)."""
    return images[evenly(len(images), count)]


@dataclass(frozen=True)
class Crop:
    """A square of a photograph."""

    photograph: str
    left: int
    top: int
    side: int


class Crops:
    """uint8 images (N, size, size, 3) that are cut out of photographs when they are asked for: a thousand squares of
    224 pixels would take 150 MB."""

    def __init__(self, photographs: dict[str, Image.Image], crops: Sequence[Crop], size: int) -> None:
        self.photographs, self.crops, self.size = photographs, crops, size

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, size, size, 3)."""
        return len(self.crops), self.size, self.size, 3

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, rows: slice | np.ndarray, /) -> np.ndarray:
        """Raises IndexError for positions there are not."""
        asked = np.arange(len(self))[rows]
        cut = [self._cut(self.crops[row]) for row in asked.tolist()]
        return np.stack(cut) if cut else np.empty((0, *self.shape[1:]), np.uint8)

    def _cut(self, crop: Crop) -> np.ndarray:
        box = (crop.left, crop.top, crop.left + crop.side, crop.top + crop.side)
        photograph = self.photographs[crop.photograph]
        return np.asarray(photograph.resize((self.size, self.size), Image.Resampling.BICUBIC, box, reducing_gap=3.0))


@cache
def _photographs() -> dict[str, Image.Image]:
    from sklearn.datasets import load_sample_image  # takes a second to import

    return {name: Image.fromarray(load_sample_image(name)) for name in PHOTOGRAPHS}


def builtin(size: int) -> Gallery:
    """Squares of `size` pixels cut out of scikit-learn's two photographs at seven scales, half overlapping: the same
    ones everywhere, without labels. For a network whose own pictures are not on this computer."""
    photographs = _photographs()
    crops = [
        Crop(name, left, top, side)
        for name, photograph in photographs.items()
        for side in (round(min(photograph.size) / 2 ** (step / 2)) for step in range(SCALES))
        for top in _starts(photograph.height, side)
        for left in _starts(photograph.width, side)
    ]
    titles = [f"{PHOTOGRAPHS[crop.photograph]}, {crop.side} pixels at {crop.left}, {crop.top}" for crop in crops]
    return Gallery(f"builtin-{size}", "Crops of two photographs", Crops(photographs, crops, size), None, titles)


def _starts(length: int, side: int) -> list[int]:
    """Where squares of `side` begin along `length`, from edge to edge, each overlapping half of the next or a little
    more."""
    count = 1 + -(-2 * (length - side) // side)
    return np.linspace(0, length - side, count).round().astype(int).tolist()
