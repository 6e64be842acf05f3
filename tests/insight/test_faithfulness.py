"""Infidelity and sensitivity on networks where both are known."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from alexnet_core.insight.attribution import Attribution, attribute
from alexnet_core.insight.faithfulness import unfaithful, unsteady
from tests.insight.small_networks import SIZE, Failing, Linear, network_of, noise, small_network, traces


@pytest.fixture
def network():
    torch.manual_seed(1)
    return network_of(Linear())


def test_a_linear_networks_own_weights_foretell_everything(network):
    found = unfaithful(network, noise(), attribute(network, noise(), "saliency", 2))
    assert found.reading == "slope"
    assert found.unexplained == pytest.approx(0, abs=1e-3)


def test_a_difference_of_two_classes_is_judged_by_the_difference_of_their_logits(network):
    found = unfaithful(network, noise(), attribute(network, noise(), "saliency", 2, against=1))
    assert found.unexplained == pytest.approx(0, abs=1e-3)
    alone = replace(attribute(network, noise(), "saliency", 2), against=1)  # the map of the one class
    assert unfaithful(network, noise(), alone).unexplained > 0.1


def test_shares_of_the_answer_do_so_as_well(network):
    picture = noise()
    image = network.preprocessing.tensor(picture)[0]
    shares = (image * network.model.layer.weight[2].view(3, SIZE, SIZE)).numpy()
    found = unfaithful(network, picture, Attribution("integrated_gradients", 2, "gamma", 7 * shares))
    assert found.reading == "share"
    assert found.unexplained == pytest.approx(0, abs=1e-3)


def test_a_map_of_chance_foretells_next_to_nothing_and_an_empty_one_is_not_judged(network):
    values = np.random.default_rng(0).normal(size=(3, SIZE, SIZE)).astype(np.float32)
    found = unfaithful(network, noise(), Attribution("saliency", 2, "gamma", values))
    assert 0.5 < found.unexplained <= 1
    assert unfaithful(network, noise(), Attribution("saliency", 2, "gamma", np.zeros_like(values))) is None


def test_a_linear_networks_gradient_does_not_move_and_its_products_with_the_picture_do(network):
    saliency = partial(attribute, method="saliency", target=2)
    assert unsteady(network, noise(), saliency) == pytest.approx(0, abs=1e-6)
    gradients = partial(attribute, method="integrated_gradients", target=2)
    assert 0.001 < unsteady(network, noise(), gradients) < 0.1


def test_the_map_is_asked_about_pictures_two_values_away():
    network, picture = small_network(), noise(SIZE, SIZE)
    asked = []

    def explain(network, one):
        asked.append(np.asarray(network.preprocessing.crop(one)).astype(int))
        return attribute(network, one, "saliency", 0)

    unsteady(network, picture, explain)
    original = np.asarray(network.preprocessing.crop(picture)).astype(int)
    assert np.array_equal(asked[0], original)
    assert [int(abs(pixels - original).max()) for pixels in asked[1:]] == [2] * 6


def test_nothing_is_left_behind_also_by_a_failure():
    network = network_of(Failing(Linear(), after=3))
    before = traces(network.model)
    explained = Attribution("saliency", 0, "alpha", np.ones((3, SIZE, SIZE), np.float32))
    with pytest.raises(ZeroDivisionError):
        unfaithful(network, noise(), explained)
    assert traces(network.model) == before
