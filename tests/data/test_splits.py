from collections import Counter

import pytest

from alexnet_core.data.collection import Entry
from alexnet_core.data.splits import carve, ranges


def test_carved_splits_are_stratified_and_never_change() -> None:
    entries = [Entry(f"{position:03d}.png", position % 3) for position in range(300)]
    splits = carve(entries)
    assert Counter(splits) == {"train": 225, "val": 30, "test": 45}
    for label in range(3):
        assert Counter(s for s, e in zip(splits, entries, strict=True) if e.label == label)["val"] == 10
    assert carve(entries) == splits
    # Without some pictures the others stay where they are, but for the few at the border.
    fewer = carve(entries[:-30])
    assert sum(a != b for a, b in zip(fewer, splits, strict=False)) < 15


@pytest.mark.parametrize(
    ("named", "carved"),
    [
        ({"train"}, {"train", "val", "test"}),
        ({"train", "test"}, {"train", "val", "test"}),
        ({"train", "val"}, {"train", "val"}),
        ({"train", "val", "test"}, {"train", "val", "test"}),
    ],
)
def test_named_splits_stay_as_they_are(named: set[str], carved: set[str]) -> None:
    entries = [Entry(f"{s}/{k}", k % 2, s) for s in sorted(named) for k in range(100)]
    splits = carve(entries)
    assert set(splits) == carved
    assert all(split == e.split for split, e in zip(splits, entries, strict=True) if e.split != "train")
    if named != {"train"}:
        taken = sum(split != e.split for split, e in zip(splits, entries, strict=True))
        assert taken == (0 if "val" in named else 10)


def test_a_class_of_one_picture_stays_in_train() -> None:
    assert carve([Entry("a", 0), Entry("b", 1), Entry("c", 1)])[0] == "train"


def test_ranges_are_those_of_rows_ordered_by_split() -> None:
    assert ranges(["train"] * 3 + ["test"] * 2) == {"train": (0, 3), "test": (3, 5)}
