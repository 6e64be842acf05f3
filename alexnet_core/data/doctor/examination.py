"""One pass over the pictures of a collection, and what it finds: copies, blur, smallness, odd shapes, broken files.

Every picture is decoded once, as small as the wanted side allows, by a thread for each core; memory holds a thumbnail
of 3 kB and a few numbers for each.
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from alexnet_core.data import balance
from alexnet_core.data.ahead import made_ahead
from alexnet_core.data.collection import Cancelled, Collection, Progress, Refused
from alexnet_core.data.corrections import Corrections
from alexnet_core.data.doctor.duplicates import SIDE, groups, pairs, thumbnail
from alexnet_core.data.doctor.sharpness import blurred, sharpness
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.prepared_collection import as_collection
from alexnet_core.data.splits import carve
from alexnet_core.errors import ExplorerError
from alexnet_core.images import NoRoom

CHUNK = 16
"""Pictures a task."""
COPY, BLURRED, TINY, STRETCHED = "copy", "blurred", "tiny", "stretched"
"""What a picture can be suspected of, as corrections name it where a person keeps it."""
ASPECT = 3.0
"""The long side over the short one, beyond which the centre square shows less than a third of the picture."""


@dataclass(frozen=True)
class Findings:
    """What was found. Positions are those of the pictures that could be read, 0 to N - 1."""

    title: str
    classes: tuple[str, ...]
    side: int
    """Pixels of the squares that a network is to get."""
    places: np.ndarray
    """int64 (N,), positions in the entries of the collection."""
    files: tuple[str, ...]
    labels: np.ndarray
    """int64 (N,), positions in `classes`."""
    splits: tuple[str, ...]
    sizes: np.ndarray
    """int64 (N, 2), width and height in pixels as they were decoded: a JPEG many times larger than needed was decoded
    at a half, a quarter or an eighth."""
    sharpness: np.ndarray
    """float64 (N,), as `sharpness.sharpness` gives it."""
    groups: tuple[tuple[int, ...], ...]
    """Pictures that are the same one but for resizing, saving or a small cut."""
    blurred: tuple[int, ...]
    """The most blurred first."""
    tiny: tuple[int, ...]
    """Pictures whose short side is below `side`, the smallest first: they would be enlarged, and show no more."""
    stretched: tuple[int, ...]
    """Pictures more than three times as long as wide, or as wide as long, the most extreme first."""
    broken: tuple[tuple[str, str], ...]
    """(file, reason) of what could not be used."""

    @property
    def apart(self) -> list[tuple[int, ...]]:
        """Groups that lie in training and in another split: what a test on them says is partly learned by heart."""
        found = []
        for group in self.groups:
            splits = {self.splits[place] for place in group}
            if "train" in splits and len(splits) > 1:
                found.append(group)
        return found

    @property
    def at_odds(self) -> list[tuple[int, ...]]:
        """Groups that are said to show more than one class: at most one can be right."""
        return [group for group in self.groups if len({int(self.labels[place]) for place in group}) > 1]

    @property
    def imbalance(self) -> float:
        """The pictures of the largest class over those of the smallest, among those to learn from."""
        return balance.imbalance(self.counts("train"))

    def after(self, corrections: Corrections) -> "Findings":
        """What of it is still open once a person has corrected some: no more of what was dropped, classes and splits as
        they are now, and nothing of a kind of finding that was found to be in order."""
        dropped, relabelled, moved = corrections.dropped, corrections.relabelled, corrections.moved
        stay = [place for place, file in enumerate(self.files) if file not in dropped]
        now = {place: number for number, place in enumerate(stay)}
        number_of = {name: number for number, name in enumerate(self.classes)}

        def still(found: Iterable[int], suspicion: str) -> tuple[int, ...]:
            kept = corrections.kept(suspicion)
            return tuple(now[place] for place in found if place in now and self.files[place] not in kept)

        open_groups = (still(group, COPY) for group in self.groups)
        labels = (number_of.get(relabelled.get(self.files[place], ""), int(self.labels[place])) for place in stay)
        return replace(
            self,
            places=self.places[stay],
            files=tuple(self.files[place] for place in stay),
            labels=np.array(list(labels), np.int64),
            splits=tuple(moved.get(self.files[place], self.splits[place]) for place in stay),
            sizes=self.sizes[stay],
            sharpness=self.sharpness[stay],
            groups=tuple(group for group in open_groups if len(group) > 1),
            blurred=still(self.blurred, BLURRED),
            tiny=still(self.tiny, TINY),
            stretched=still(self.stretched, STRETCHED),
        )

    def counts(self, split: str) -> list[int]:
        """Pictures of each class in the split, in the order of `classes`."""
        here = self.labels[[place for place, name in enumerate(self.splits) if name == split]]
        return np.bincount(here.astype(np.int64), minlength=len(self.classes)).tolist()


def examine(
    source: Collection | PreparedSet,
    side: int = SIDE,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Findings:
    """Examine all pictures of a collection, for squares of `side` pixels, or of a prepared set.

    `progress` gets (done, total, stage), the stage "examining" (in pictures) or "comparing" (in pictures, too).
    Of a prepared set, whose pictures were cut and resized, neither smallness nor an odd shape is left to be seen.
    Raises ExplorerError when cancelled, and what the collection itself raises.
    """
    broken: list[tuple[str, str]] = []
    if isinstance(source, PreparedSet):
        side, collection = source.image_size, as_collection(source)
        broken += source.bad_files
    else:
        collection = source
        broken += collection.skipped
    title, entries = collection.title, collection.entries
    total, bad = len(entries), []
    stopped = ExplorerError(f"The examination of “{title}” was stopped. Start it again when you like.")
    thumbnails = np.zeros((total, SIDE, SIDE, 3), np.uint8)
    sizes, sharp = np.ones((total, 2), np.int64), np.ones(total)
    pieces = [range(first, min(first + CHUNK, total)) for first in range(0, total, CHUNK)]
    workers = os.cpu_count() or 1
    looked = made_ahead(pieces, partial(_look, collection), ThreadPoolExecutor(workers, "examine"), 4 * workers)
    for piece, looks in zip(pieces, looked, strict=True):
        if cancelled and cancelled():
            raise stopped
        for position, look in looks:
            if isinstance(look, str):
                bad.append(position)
                broken.append((entries[position].file, look))
            else:
                thumbnails[position], sizes[position], sharp[position] = look
        if progress:
            progress(piece.stop, total, "examining")

    def compared(done: int, total: int) -> None:
        if cancelled and cancelled():
            raise stopped
        if progress:
            progress(done, total, "comparing")

    good = np.delete(np.arange(total), bad)
    found = groups(len(good), pairs(thumbnails[good], compared))
    splits = carve(entries)
    return Findings(
        title=title,
        classes=collection.classes,
        side=side,
        places=good,
        files=tuple(entries[place].file for place in good),
        labels=np.array([entries[place].label for place in good], np.int64),
        splits=tuple(splits[place] for place in good),
        sizes=sizes[good],
        sharpness=sharp[good],
        groups=tuple(tuple(group) for group in found),
        blurred=tuple(blurred(sharp[good]).tolist()),
        tiny=_below(sizes[good].min(axis=1), side),
        stretched=_below(sizes[good].min(axis=1) / sizes[good].max(axis=1), 1 / ASPECT),
        broken=tuple(broken),
    )


def _below(values: np.ndarray, limit: float) -> tuple[int, ...]:
    """Positions of the values below the limit, the smallest first."""
    order = np.argsort(values, kind="stable")
    return tuple(order[values[order] < limit].tolist())


_Look = tuple[np.ndarray, tuple[int, int], float] | str
"""A picture's thumbnail, size and sharpness; or why it could not be read."""


def _look(collection: Collection, positions: range) -> list[tuple[int, _Look]]:
    looks: list[tuple[int, _Look]] = []
    for position in positions:
        try:
            picture = collection.read(position)
        except (Refused, NoRoom):
            raise
        except ExplorerError as error:
            looks.append((position, str(error)))
            continue
        looks.append((position, (thumbnail(picture), picture.size, sharpness(picture))))
    return looks
