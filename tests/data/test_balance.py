import numpy as np
import pytest
import torch

from alexnet_core.data.balance import class_weights, even_order, imbalance

LABELS = np.repeat([0, 1, 3], [70, 5, 25])
"""Three classes of unequal size; number 2 has no picture."""


def test_imbalance_is_the_largest_over_the_smallest_that_has_any() -> None:
    assert imbalance([70, 5, 0, 25]) == 14
    assert imbalance([5, 5]) == imbalance([]) == 1


def test_weights_let_every_class_count_alike_and_keep_the_size_of_the_loss() -> None:
    weights = class_weights(LABELS)
    shares = [weights[LABELS][label == LABELS].sum() for label in (0, 1, 3)]
    assert shares == pytest.approx([len(LABELS) / 3] * 3)
    assert weights[2] == 0


def test_an_even_order_shows_classes_and_the_pictures_in_them_equally_often() -> None:
    places = even_order(4, 1, LABELS).numpy()
    assert len(places) == len(LABELS)
    seen = np.bincount(LABELS[places])
    assert seen[2] == 0
    assert set(seen[[0, 1, 3]]) == {33, 34}
    often = np.bincount(places, minlength=len(LABELS))
    for label in (0, 1, 3):
        assert np.ptp(often[label == LABELS]) <= 1


def test_an_even_order_depends_on_seed_and_epoch_alone() -> None:
    first = even_order(4, 1, LABELS)
    assert torch.equal(first, even_order(4, 1, LABELS))
    assert not torch.equal(first, even_order(4, 2, LABELS))
    assert not torch.equal(first, even_order(5, 1, LABELS))


def test_no_picture_of_a_large_class_is_left_out_for_ever() -> None:
    seen = {row for epoch in range(1, 13) for row in even_order(0, epoch, LABELS).tolist()}
    assert len(seen) == len(LABELS)
