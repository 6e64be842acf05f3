"""Every distortion begins with the untouched picture, and each does what its name says."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.distortions import (
    DISTORTIONS,
    Box,
    distort,
    probabilities,
    right_answers,
    series,
)
from alexnet_core.insight.prediction import logits
from tests.insight.small_networks import SIZE, Failing, Linear, network_of, noise, small_network, traces

PIXELS = np.asarray(noise(SIZE, SIZE))
SMOOTH = np.linspace(20, 230, SIZE)[:, None, None] * np.array([1.0, 0.5, 0.2])
SMOOTH = np.broadcast_to(SMOOTH, (SIZE, SIZE, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_from_the_untouched_picture_to_another_one(name):
    levels = series(PIXELS, name)
    assert levels.shape == (11, SIZE, SIZE, 3)
    assert levels.dtype == np.uint8
    assert np.array_equal(levels[0], PIXELS)
    differences = [float(np.abs(level.astype(int) - PIXELS).mean()) for level in levels]
    assert min(differences[1:]) > 0
    assert differences[-1] > 3
    assert np.array_equal(series(PIXELS, name), levels), "the same level is the same picture"


@pytest.mark.parametrize("name", ["noise", "contrast", "blur", "jpeg", "box"])
def test_more_is_worse(name):
    differences = [float(np.abs(level.astype(int) - PIXELS).mean()) for level in series(PIXELS, name)]
    assert all(later >= earlier - 0.3 for earlier, later in pairwise(differences))


@pytest.mark.parametrize("name", DISTORTIONS)
@pytest.mark.parametrize("side", [8, 15, 33])
def test_any_size_will_do(name, side):
    assert series(np.asarray(noise(side, side)), name).shape == (11, side, side, 3)


def test_a_quarter_turn_and_a_half_turn_are_exact():
    for degrees, turns in ((90, 1), (180, 2)):
        assert np.array_equal(distort(PIXELS, "rotation", degrees), np.rot90(PIXELS, turns))


def test_shuffling_keeps_every_pixel():
    shuffled = distort(PIXELS, "shuffle", 4)
    assert np.array_equal(np.sort(shuffled.reshape(-1, 3), axis=0), np.sort(PIXELS.reshape(-1, 3), axis=0))
    patch = shuffled[:8, :8]
    found = [PIXELS[y : y + 8, x : x + 8] for y in range(0, SIZE, 8) for x in range(0, SIZE, 8)]
    assert any(np.array_equal(patch, one) for one in found)


def test_no_contrast_is_one_grey_and_a_turned_hue_keeps_greys():
    assert len(np.unique(distort(PIXELS, "contrast", 0))) == 1
    grey = np.repeat(PIXELS[..., :1], 3, axis=2)
    assert np.array_equal(distort(grey, "hue", 120), grey)
    assert distort(SMOOTH, "hue", 120)[-1, 0].argmax() == 1, "red turned by a third of the circle is green"


def test_the_box_covers_what_it_says_and_nothing_else():
    box = Box(x=0.25, y=0.75, width=0.5, height=0.25)
    covered = distort(PIXELS, "box", 100, box)
    changed = (covered != PIXELS).any(axis=2)
    assert changed[20:28, 0:16].mean() > 0.95
    changed[20:28, 0:16] = False
    assert not changed.any()
    beyond = distort(PIXELS, "box", 100, Box(x=1, y=1, width=0.5, height=0.5))
    assert (beyond[24:, 24:] == 128).all()


def test_what_cannot_be_is_refused():
    with pytest.raises(ExplorerError, match="no distortion"):
        distort(PIXELS, "melt", 1)
    with pytest.raises(ExplorerError, match="goes from 0 to 99"):
        distort(PIXELS, "jpeg", 100)
    with pytest.raises(ExplorerError, match="goes from"):
        distort(PIXELS, "noise", float("nan"))
    with pytest.raises(ExplorerError, match="box"):
        Box(x=1.5)


def test_probabilities_are_those_of_a_prediction_and_batches_change_nothing():
    network = small_network()
    squares = np.stack([np.asarray(noise(SIZE, SIZE, seed)) for seed in range(40)])
    found = probabilities(network, squares)
    assert found.shape == (40, 4)
    expected = logits(network, [noise(SIZE, SIZE, seed) for seed in range(40)]).softmax(1).numpy()
    assert np.allclose(found, expected, atol=1e-5)


def test_all_are_right_at_first_where_the_labels_are_the_networks_own_answers():
    torch.manual_seed(0)
    network = network_of(Linear())
    squares = np.stack([np.asarray(noise(SIZE, SIZE, seed)) for seed in range(20)])
    labels = probabilities(network, squares).argmax(axis=1)
    shares = [right.mean() for right in right_answers(network, squares, labels, "noise")]
    assert shares[0] == 1
    assert len(shares) == 11
    assert shares[-1] < 1


def test_nothing_is_left_behind_also_by_a_failure():
    network = network_of(Failing(Linear()))
    network.model.train()
    before = traces(network.model)
    with pytest.raises(ZeroDivisionError):
        probabilities(network, PIXELS[None])
    assert traces(network.model) == before


def test_answers_that_are_no_numbers_are_one_sentence():
    network = network_of(Linear())
    network.model.layer.weight.fill_(float("nan"))
    with pytest.raises(ExplorerError, match="not a finite number"):
        probabilities(network, np.zeros((1, SIZE, SIZE, 3), np.uint8))
