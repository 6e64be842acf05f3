"""Which picture trains, which validates, which is kept for the test at the end."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable

from alexnet_core.data.collection import Entry
from alexnet_core.data.prepared import SPLITS

VAL_SHARE, TEST_SHARE = 0.10, 0.15
TEST_FROM = 100
"""Below this many pictures a test split would be too small to say anything and too dear to give away."""


def carve(entries: Iterable[Entry]) -> list[str]:
    """The split of each entry, with what is missing taken out of train: never another for the same file names.

    Validation is a tenth of each class. Where the source names neither a validation nor a test split, and has pictures
    enough, 15 % become a test split.
    """
    entries = list(entries)
    named = {entry.split for entry in entries}
    by_class: dict[int, list[int]] = defaultdict(list)
    for position, entry in enumerate(entries):
        if entry.split == "train":
            by_class[entry.label].append(position)
    splits = [entry.split for entry in entries]
    test_share = TEST_SHARE if named == {"train"} and len(entries) >= TEST_FROM else 0.0
    for positions in by_class.values():
        # Ranked by a hash of the name: as good as drawn by lot, yet a new file moves hardly any of the others.
        positions.sort(key=lambda p: hashlib.sha256(entries[p].file.encode()).digest())
        val = 0 if "val" in named or len(positions) < 2 else max(1, round(VAL_SHARE * len(positions)))
        test = round(test_share * len(positions))
        for position in positions[:val]:
            splits[position] = "val"
        for position in positions[val : val + test]:
            splits[position] = "test"
    return splits


def ranges(splits: list[str]) -> dict[str, tuple[int, int]]:
    """The rows [first, last) of each split, where rows are ordered by split."""
    counts = Counter(splits)
    found, first = {}, 0
    for split in SPLITS:
        if counts[split]:
            found[split] = (first, first + counts[split])
            first += counts[split]
    return found
