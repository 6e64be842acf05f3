"""The backward passes of single units stay within what a unit can see, and leave nothing behind."""

from typing import get_args

import numpy as np
import pytest
import torch
from small_networks import SIZE, Failing, network_of, noise, small_network, traces
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.receptive_field import receptive_field
from alexnet_core.insight.unit_views import BackwardPass, drawn_back

METHODS = get_args(BackwardPass)


@pytest.mark.parametrize("method", METHODS)
def test_only_what_the_unit_sees_is_drawn(method):
    network = small_network()
    images = network.preprocessing.tensor(noise())
    before = traces(network.model)
    values = drawn_back(network, images, "features.3", 4, (2, 3), method)
    assert traces(network.model) == before
    left, top, right, bottom = receptive_field(network, "features.3").box(2, 3)
    outside = values.copy()
    outside[:, top:bottom, left:right] = 0
    assert not outside.any()
    assert values.any()


def test_without_a_relu_between_both_are_the_weights():
    layer = nn.Linear(3 * SIZE * SIZE, 4)
    network = network_of(nn.Sequential(nn.Flatten(), layer))
    images = network.preprocessing.tensor(noise())
    for method in METHODS:
        values = drawn_back(network, images, "1", 2, (0, 0), method)
        assert np.allclose(values.ravel(), layer.weight[2].numpy(), atol=1e-6)


def test_the_two_differ_as_their_rules_say():
    torch.manual_seed(0)
    network = small_network()
    images = network.preprocessing.tensor(noise())
    guided, deconvolved = (drawn_back(network, images, "features.8", 1, (1, 1), method) for method in METHODS)
    assert not np.allclose(guided, deconvolved)


class NoWayBack(nn.Module):
    """Lets pictures through, and fails when a gradient comes back."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        passed = images.clone()
        if passed.requires_grad:
            passed.register_hook(lambda gradient: 1 / 0)
        return passed


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("place", "failing"), [(5, Failing(nn.Identity())), (2, NoWayBack())])
def test_a_pass_that_fails_in_the_middle_leaves_nothing_behind(method, place, failing):
    layers = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Identity(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Identity()]
    layers[place] = failing
    network = network_of(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 4)))
    network.model[3].train()  # each layer is to get its own mode back
    before = traces(network.model)
    with pytest.raises(ZeroDivisionError):
        drawn_back(network, network.preprocessing.tensor(noise()), "4", 1, (2, 3), method)
    assert traces(network.model) == before


def test_a_layer_that_is_not_there_is_a_sentence():
    network = small_network()
    with pytest.raises(ExplorerError, match="no layer"):
        drawn_back(network, network.preprocessing.tensor(noise()), "features.99", 0, (0, 0), "deconvolution")
