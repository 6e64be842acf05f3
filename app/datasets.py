"""The data sets there are, as the pages offer and show them."""

from collections.abc import Sequence

import numpy as np

from alexnet_core.data import corrections
from alexnet_core.data.album import ALBUM_ID, find
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import DATASETS, FOLDER_SIZE, Available, available, prepared_album
from app.sentences import plain
from app.words import distinct, memory

PREPARED_UNASKED = ("digits",)
"""Done in less than a second, so the page need not ask."""
COLLECTED_UNASKED = 300
"""Collected photographs: a few seconds with a bar."""
A_GLANCE = 40
"""Pictures: enough to see what a set is like, few enough to see each."""


def offers(sets: Sequence[Available]) -> dict[str, str]:
    """Each set's line in the list by what `prepare` calls it: digits first, then what is here, then what must
    be fetched."""
    ordered = sorted(
        sets, key=lambda one: (one.name != "digits", not (one.offline or one.prepared), one.name != "shapes")
    )
    return distinct({one.source: _line(one) for one in ordered})


def _line(one: Available) -> str:
    fetched = "" if one.offline or one.prepared else f", {memory(one.download_bytes)} to fetch"
    return f"{one.title} · {one.images:,} pictures, {one.classes} classes{fetched}"


def usual_size(source: str) -> int:
    """The side in pixels a set is prepared with unless asked otherwise; pictures of one's own are, as they lie
    there."""
    if source in DATASETS:
        return DATASETS[source].image_size
    return next((one.image_size for one in _ready() if str(one.directory) == source), FOLDER_SIZE)


def size_for(source: str, side: int) -> int:
    """`side`, where the pictures can still be prepared in it; a folder or zip of which only the prepared form is known
    keeps its own."""
    return side if source in DATASETS or is_collected(source) else usual_size(source)


def in_stock(source: str, size: int) -> PreparedSet | None:
    """The prepared set, with a person's corrections, where it lies ready in that size."""
    sets = (one for entry in available() if entry.source == source for one in entry.prepared)
    ready = (one for one in sets if one.image_size == size)
    found = prepared_album(find(source), size) if is_collected(source) else next(ready, None)
    return None if found is None else corrections.in_stock(found)


def is_collected(source: str) -> bool:
    """Whether these are pictures that a person collects: what was prepared of them yesterday may be out of date."""
    return ALBUM_ID.fullmatch(source) is not None


def unasked(source: str) -> bool:
    """Whether preparing is so quick that the page need not ask."""
    return source in PREPARED_UNASKED or (
        is_collected(source) and len(find(source).contents().pictures) <= COLLECTED_UNASKED
    )


def _ready() -> list[PreparedSet]:
    return [one for entry in available() for one in entry.prepared]


def glance(prepared: PreparedSet) -> tuple[np.ndarray, str]:
    """Some training pictures, the classes in turn, and the sentence under them."""
    labels = prepared.labels("train")
    turns = [np.flatnonzero(labels == index) for index in range(len(prepared.classes))]
    rows: list[int] = []
    for turn in range(max(map(len, turns))):
        rows += [int(rows_of_class[turn]) for rows_of_class in turns if turn < len(rows_of_class)]
        if len(rows) >= A_GLANCE:
            break
    return prepared.images("train")[rows[:A_GLANCE]], f"Some of the training pictures of {plain(prepared.title)}"
