"""Which split each picture belongs to, so that the same picture is never both learned from and tested on."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from alexnet_core.data.prepared import SPLITS


def split_of_most(splits: Sequence[str], groups: Sequence[Sequence[int]]) -> dict[int, str]:
    """New splits, by position, for the members of `groups` (positions in `splits`) that lie apart: where most of the
    group lie; the one that is learned from where it is a tie."""
    moves: dict[int, str] = {}
    for group in groups:
        counts = Counter(splits[position] for position in group)
        home = max(SPLITS, key=lambda split: counts[split])
        moves |= {position: home for position in group if splits[position] != home}
    return moves


def kept_together(
    files: Sequence[str], labels: Sequence[int], splits: Sequence[str], groups: Sequence[Sequence[int]]
) -> dict[int, str]:
    """New splits, by position, such that every group lies in one split and every class keeps its shares of them.

    After `split_of_most`, what a class has lost or won in a split is given back by pictures that belong to no group,
    taken in the order of a hash of their names: as good as drawn by lot, and the same for the same names.
    """
    moves = split_of_most(splits, groups)
    grouped = {position for group in groups for position in group}
    lacking: Counter[tuple[int, str]] = Counter()
    for position, home in moves.items():
        lacking[labels[position], splits[position]] += 1
        lacking[labels[position], home] -= 1
    free = [position for position in range(len(files)) if position not in grouped]
    free.sort(key=lambda position: hashlib.sha256(files[position].encode()).digest())
    for position in free:
        label, here = labels[position], splits[position]
        if lacking[label, here] >= 0:
            continue
        there = max(SPLITS, key=lambda split: lacking[label, split])
        moves[position] = there
        lacking[label, here] += 1
        lacking[label, there] -= 1
    return moves
