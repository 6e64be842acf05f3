"""The sum that is shown is the number that the network computed."""

import numpy as np
import pytest
import torch
from small_networks import network_of, noise, small_network, traces
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.arithmetic import Rule, Sum, arithmetic
from alexnet_core.insight.feature_maps import feature_maps
from alexnet_core.models import build


@pytest.mark.parametrize("layer", ["features.0", "features.3", "features.6"])
@pytest.mark.parametrize("place", [(0, 0), (1, 3)])
def test_patch_times_kernel_plus_bias_is_the_value(layer, place):
    network, picture = small_network(), noise()
    found = arithmetic(network, picture, layer, 5, *place)
    assert isinstance(found, Sum)
    assert found.value == feature_maps(network, picture, layer).values[(5, *place)]
    total = sum(float((c.patch.astype(float) * c.kernel).sum()) for c in found.contributions) + found.bias
    assert total == pytest.approx(found.value, abs=1e-4)
    shown, rest = found.strongest(2)
    assert sum(c.product for c in shown) + rest + found.bias == pytest.approx(found.value, abs=1e-4)
    magnitudes = [abs(c.product) for c in found.contributions]
    assert magnitudes == sorted(magnitudes, reverse=True)


def test_the_first_layer_has_three_planes_of_the_picture_itself():
    network, picture = small_network(), noise()
    found = arithmetic(network, picture, "features.0", 1, 4, 4)
    assert {c.channel for c in found.contributions} == {0, 1, 2}
    convolution = network.model.features[0]
    top = 4 * convolution.stride[0] - convolution.padding[0]
    image = network.preprocessing.tensor(picture)[0].numpy()
    for c in found.contributions:
        side = convolution.kernel_size[0]
        assert np.array_equal(c.patch, image[c.channel, top : top + side, top : top + side])
        assert np.array_equal(c.kernel, convolution.weight[1, c.channel].numpy())


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(3, 6, 3, groups=3, padding=1),
        nn.Conv2d(3, 6, 3, dilation=2, padding=2, bias=False),
        nn.Conv2d(3, 6, (1, 5), stride=(2, 3), padding=(0, 2)),
    ],
)
def test_groups_gaps_and_oblong_windows(convolution):
    torch.manual_seed(0)
    model = nn.Sequential(convolution, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))
    network = network_of(model)
    high, wide = feature_maps(network, noise(), "0").values.shape[1:]
    for place in ((0, 0), (high - 1, wide - 1)):
        found = arithmetic(network, noise(), "0", 4, *place)
        assert sum(c.product for c in found.contributions) + found.bias == pytest.approx(found.value, abs=1e-4)


def test_what_has_a_rule_follows_it():
    torch.manual_seed(0)
    network = network_of(build("alexnet_mini", 4, 32))
    normalisation = network.model.features[1]
    normalisation.running_mean.uniform_(-1, 1)
    normalisation.running_var.uniform_(0.5, 2)
    found = arithmetic(network, noise(), "features.1", 2, 3, 3)
    assert isinstance(found, Rule)
    n = found.numbers
    by_hand = (found.patch[0, 0] - n["mean"]) / n["deviation"] * n["stretch"] + n["shift"]
    assert found.value == pytest.approx(by_hand, abs=1e-5)
    relu = arithmetic(network, noise(), "features.2", 2, 3, 3)
    assert relu.value == max(0, relu.patch[0, 0])
    pooled = arithmetic(network, noise(), "features.3", 2, 3, 3)
    assert pooled.patch.shape == (3, 3)
    assert pooled.value == pooled.patch.max()
    assert feature_maps(network, noise(), "features.2").values[(2, *pooled.source)] == pooled.value


@pytest.mark.parametrize(
    ("layer", "place"),
    [("features.0", (99, 0, 0)), ("features.0", (0, 99, 0)), ("classifier.1", (0, 0, 0)), ("x", (0, 0, 0))],
)
def test_what_is_not_there_is_a_sentence_and_nothing_stays(layer, place):
    network = small_network()
    before = traces(network.model)
    with pytest.raises(ExplorerError):
        arithmetic(network, noise(), layer, *place)
    assert traces(network.model) == before


def test_an_average_has_no_sum_to_show():
    with pytest.raises(ExplorerError, match="no sum"):
        arithmetic(small_network(), noise(), "avgpool", 0, 0, 0)
