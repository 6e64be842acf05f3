"""Taking pixels away and putting them in, on networks whose answer can be calculated."""

import numpy as np
import pytest
import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.attribution import Attribution, attribute
from alexnet_core.insight.deletion import STEPS, Curve, curves, order_of, random_order
from alexnet_core.insight.prediction import logits
from tests.insight.small_networks import SIZE, Failing, Linear, network_of, noise, traces


@pytest.fixture
def network():
    torch.manual_seed(1)
    return network_of(Linear())


def test_the_ends_are_the_picture_and_nothing_of_it(network):
    picture = noise()
    found = curves(network, picture, 2, random_order(SIZE, 0))
    whole = float(logits(network, [picture]).softmax(1)[0, 2])
    grey = float(network.model.layer.bias.softmax(0)[2])
    assert found.deletion.probabilities[0] == pytest.approx(whole, abs=1e-5)
    assert found.insertion.probabilities[-1] == pytest.approx(whole, abs=1e-5)
    assert found.deletion.probabilities[-1] == pytest.approx(grey, abs=1e-5)
    assert found.deletion.shares[[0, -1]].tolist() == [0, 1]
    assert len(found.deletion.shares) == STEPS + 1


def test_a_true_map_beats_chance_and_its_reverse_is_beaten(network):
    picture = noise()
    explained = attribute(network, picture, "integrated_gradients", 2)
    order = order_of(explained)
    good, bad = curves(network, picture, 2, order), curves(network, picture, 2, order[::-1].copy())
    chance = [curves(network, picture, 2, random_order(SIZE, seed)) for seed in range(4)]
    assert good.deletion.area < min(one.deletion.area for one in chance)
    assert good.insertion.area > max(one.insertion.area for one in chance)
    assert bad.deletion.area > good.deletion.area
    assert bad.insertion.area < good.insertion.area


def test_the_area_is_that_under_the_curve():
    assert Curve(np.array([0, 0.5, 1]), np.array([1, 1, 0])).area == pytest.approx(0.75)


def test_the_order_is_that_of_the_map_and_chance_decides_between_equals():
    values = np.zeros((1, 4, 4), np.float32)
    values[0, 2, 1] = 5
    values[0, 0, 0] = -5
    explained = Attribution("integrated_gradients", 0, "", values)
    order = order_of(explained)
    assert order[0] == 9
    assert order[-1] == 0
    assert sorted(order.tolist()) == list(range(16))
    assert order.tolist() == order_of(explained).tolist() != order_of(explained, seed=1).tolist()
    assert order_of(Attribution("saliency", 0, "", values))[:2].tolist() in ([9, 0], [0, 9])


def test_nothing_is_left_behind_also_by_a_failure():
    network = network_of(Failing(Linear(), after=1))
    network.model.train()
    before = traces(network.model)
    with pytest.raises(ZeroDivisionError):
        curves(network, noise(), 0, random_order(SIZE, 0))
    assert traces(network.model) == before


def test_against_another_class_the_two_are_alone(network):
    picture = noise()
    found = curves(network, picture, 2, random_order(SIZE, 0), against=1)
    two = logits(network, [picture])[0, [2, 1]].softmax(0)
    assert found.deletion.probabilities[0] == pytest.approx(float(two[0]), abs=1e-5)
    back = curves(network, picture, 1, random_order(SIZE, 0), against=2)
    assert found.insertion.probabilities + back.insertion.probabilities == pytest.approx(1, abs=1e-5)


def test_answers_that_are_no_numbers_are_one_sentence(network):
    network.model.layer.bias.fill_(float("inf"))
    with pytest.raises(ExplorerError, match="not a finite number"):
        curves(network, noise(), 0, random_order(SIZE, 0))
