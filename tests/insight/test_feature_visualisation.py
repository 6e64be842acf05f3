"""A picture that grows: the objective rises, the seed decides every bit, and nothing stays on the network."""

import itertools
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from small_networks import network_of, small_network, traces
from torch import nn
from torch.nn import functional as F

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.feature_visualisation import Objective, Regularisers, doubts, visualise

NONE = Regularisers(fourier=False, decorrelated=False, jitter=False, rotate=False, scale=False)
OBJECTIVES = [
    Objective(2),
    Objective(2, against=1),
    Objective(3, "features.3"),
    Objective(3, "features.4", centre=True),
    Objective(7, "classifier.1"),
]


def last(drawings):
    return list(drawings)[-1]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("kinds", [Regularisers(), NONE])
def test_the_objective_rises(objective, kinds):
    drawings = list(visualise(small_network(), objective, kinds, steps=25))
    assert drawings[-1].value > drawings[0].value
    assert [drawing.step for drawing in drawings][:3] == [1, 5, 9]
    assert drawings[-1].step == drawings[-1].steps == 25
    assert drawings[-1].pixels.shape == (32, 32, 3)
    assert drawings[-1].pixels.dtype == np.uint8


def test_the_same_seed_gives_the_same_picture_and_another_another():
    network, objective = small_network(), Objective(1)
    one, again, other = (last(visualise(network, objective, steps=12, seed=seed)).pixels for seed in (3, 3, 4))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("switch", [field.name for field in fields(Regularisers)])
def test_each_switch_changes_the_picture(switch):
    network, objective = small_network(), Objective(1)
    off = replace(Regularisers(), **{switch: False})
    pictures = [last(visualise(network, objective, kinds, steps=9)).pixels for kinds in (Regularisers(), off)]
    assert not np.array_equal(*pictures)


def test_without_its_regularisers_a_picture_is_rougher():
    def roughness(pixels):
        return np.abs(np.diff(pixels.astype(float), axis=0)).mean() / pixels.std()

    network = small_network()
    smooth, rough = (last(visualise(network, Objective(0), kinds, steps=40)).pixels for kinds in (Regularisers(), NONE))
    assert roughness(smooth) < 0.8 * roughness(rough)


def test_a_known_optimum_is_found():
    linear = nn.Linear(3 * 16 * 16, 4)
    with torch.no_grad():
        linear.weight.zero_()
        linear.weight[0, : 16 * 16] = 1  # red everywhere
    network = network_of(nn.Sequential(nn.Flatten(), linear), size=16)
    pixels = last(visualise(network, Objective(0), NONE, steps=120)).pixels
    assert pixels[..., 0].min() > 240
    assert abs(float(pixels[..., 1].mean()) - 128) < 8


def test_a_silent_unit_behind_a_relu_grows_too():
    network = small_network()
    with torch.no_grad():
        network.model.features[0].bias.fill_(-3)  # nothing excites it yet
    drawings = list(visualise(network, Objective(0, "features.1"), steps=40))
    assert drawings[-1].value > drawings[0].value


class InPlace(nn.Module):
    """A convolution whose output is added to in place, as in ResNets, or rectified, as in GoogLeNet."""

    def __init__(self, adds):
        super().__init__()
        self.layer, self.adds = nn.Conv2d(3, 4, 3, padding=1), adds
        with torch.no_grad():
            self.layer.bias.fill_(-3)  # nothing excites it yet

    def forward(self, images):
        found = self.layer(images)
        if self.adds:
            found += 5
        else:
            F.relu(found, inplace=True)
        return found.mean(dim=(2, 3))


@pytest.mark.parametrize("adds", [True, False])
def test_what_is_done_in_place_behind_the_layer_does_not_count(adds):
    torch.manual_seed(0)
    drawings = list(visualise(network_of(InPlace(adds)), Objective(0, "layer"), steps=40))
    assert drawings[0].value < -1
    assert drawings[-1].value > drawings[0].value


def test_between_two_drawings_nothing_is_on_the_network():
    network = small_network()
    before = traces(network.model)
    for _ in itertools.islice(visualise(network, Objective(3, "features.4")), 3):
        assert traces(network.model) == before
    assert traces(network.model) == before


@pytest.mark.parametrize(
    "objective",
    [
        Objective(4), Objective(-1), Objective(0, against=9), Objective(99, "features.3"), Objective(0, "x"),
        Objective(0, "features.3", against=1),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_sentence_and_nothing_stays(objective):
    network = small_network()
    before = traces(network.model)
    with pytest.raises(ExplorerError):
        list(visualise(network, objective, steps=2))
    with pytest.raises(ExplorerError, match="At least one step"):
        list(visualise(network, Objective(0), steps=0))
    assert traces(network.model) == before


def test_numbers_beyond_all_bounds_are_named():
    network = small_network()
    network.model.features[0].weight.fill_(torch.nan)
    with pytest.raises(ExplorerError, match="beyond what can be computed"):
        list(visualise(network, Objective(0), steps=2))


def test_small_and_untrained_networks_say_that_their_pictures_mean_little():
    network = small_network()
    assert len(doubts(network)) == 2
    trained = replace(network, source="a run")
    assert len(doubts(trained, 0.5)) == 2
    assert doubts(trained, 0.9)[0].startswith("Its pictures have 32")
    large = replace(trained, preprocessing=replace(network.preprocessing, size=128))
    assert doubts(large, 0.9) == []
