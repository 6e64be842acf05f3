"""Some classes of a prepared set, as a set of their own."""

import numpy as np
import pytest

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.subset import of_classes
from alexnet_core.errors import ExplorerError


def test_the_chosen_classes_keep_their_pictures_and_colours(digits: PreparedSet) -> None:
    odd = of_classes(digits, [7, 1, 3], "odd")
    assert odd.classes == ("7", "1", "3")
    assert (odd.mean, odd.std, odd.rgb_covariance) == (digits.mean, digits.std, digits.rgb_covariance)
    assert odd.identity != digits.identity
    assert set(odd.splits) == set(digits.splits)
    for split in digits.splits:
        labels = digits.labels(split)
        rows = np.flatnonzero(np.isin(labels, [7, 1, 3]))
        assert [odd.classes[label] for label in odd.labels(split)] == [digits.classes[label] for label in labels[rows]]
        assert np.array_equal(odd.images(split)[:], digits.images(split)[rows])
        assert odd.files(split) == [digits.files(split)[row] for row in rows]
    assert not odd.mirrors


def test_it_is_prepared_once(digits: PreparedSet) -> None:
    first = of_classes(digits, [0, 1], "two")
    changed = (first.directory / "meta.json").stat().st_mtime_ns
    again = of_classes(digits, [0, 1], "two")
    assert again.directory == first.directory
    assert (again.directory / "meta.json").stat().st_mtime_ns == changed
    assert of_classes(digits, [1, 0], "two").directory != first.directory


def test_training_pictures_can_be_few_and_the_test_stays_whole(digits: PreparedSet) -> None:
    few = of_classes(digits, [0, 1, 2], "few", most=10)
    assert few.class_counts("train") == [10, 10, 10]
    assert few.count("test") == int(np.isin(digits.labels("test"), [0, 1, 2]).sum())


@pytest.mark.parametrize("classes", [[], [3], [3, 3], [0, 10], [-1, 2]])
def test_impossible_choices_are_one_sentence(digits: PreparedSet, classes: list[int]) -> None:
    with pytest.raises(ExplorerError, match="at least 2 different classes"):
        of_classes(digits, classes, "none")
