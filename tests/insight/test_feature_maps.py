import numpy as np
import pytest
import torch
from small_networks import Failing, Linear, network_of, noise, small_network, traces
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.feature_maps import (
    FeatureMaps,
    feature_maps,
    layers_with_maps,
    numbers_of_layer,
    steps_of_maps,
)
from alexnet_core.models import build
from alexnet_core.models.anatomy import anatomy


def test_the_layers_that_have_maps_are_named_for_people():
    choices = layers_with_maps(small_network())
    assert [choice.name for choice in choices] == [f"features.{n}" for n in range(13)] + ["avgpool"]
    assert choices[3].label == "features.3 · convolution 2 (48 maps, 15 x 15)"
    assert choices[1].kind == "ReLU"


def test_every_layer_that_is_offered_gives_maps_of_the_size_on_its_label():
    torch.manual_seed(0)
    for network in (small_network(), network_of(build("resnet18", 4, 32))):
        for choice in layers_with_maps(network)[::7]:
            maps, height, width = feature_maps(network, noise(), choice.name).values.shape
            assert f"({maps} maps, {height} x {width})" in choice.label


def test_the_maps_are_what_the_layer_puts_out():
    network, picture = small_network(), noise()
    maps = feature_maps(network, picture, "features.1")
    image = network.preprocessing.tensor(picture)
    with torch.no_grad():
        expected = network.model.features[:2](image)[0].numpy()
    assert np.array_equal(maps.values, expected)
    assert maps.receptive_field == next(
        row.receptive_field for row in anatomy(network.model, 32) if row.name == "features.1"
    )
    assert not maps.signed
    assert feature_maps(network, picture, "features.0").signed


def test_strongest_first_by_mean_and_by_maximum_differ_where_they_should():
    broad, spot = np.full((2, 2), 0.5), np.array([[0, 0], [0, 1.0]])
    maps = FeatureMaps("x", np.stack([spot, np.zeros((2, 2)), broad]).astype(np.float32), None)
    assert maps.strongest().tolist() == [2, 0, 1]
    assert maps.strongest("max").tolist() == [0, 2, 1]


def test_brightness_has_one_scale_or_one_a_map():
    values = np.array([[[0, 1]], [[0, 4]], [[0, 0]]], dtype=np.float32)
    maps = FeatureMaps("x", values, None)
    assert maps.tiles().tolist() == [[[0, 64]], [[0, 255]], [[0, 0]]]
    assert maps.tiles(shared_scale=False).tolist() == [[[0, 255]], [[0, 255]], [[0, 0]]]


def test_below_zero_is_darker_than_middle_grey():
    maps = FeatureMaps("x", np.array([[[-2, 0, 1]]], dtype=np.float32), None)
    assert maps.tiles().tolist() == [[[1, 128, 192]]]


@pytest.mark.parametrize("layer", ["features.99", "classifier.1", "classifier"])
def test_a_layer_without_maps_is_one_sentence(layer):
    network = small_network()
    before = traces(network.model)
    with pytest.raises(ExplorerError):
        feature_maps(network, noise(), layer)
    assert traces(network.model) == before


@pytest.mark.parametrize("ask", [feature_maps, numbers_of_layer])
def test_a_pass_that_fails_behind_the_layer_leaves_nothing_behind(ask):
    network = network_of(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), Failing(nn.Flatten()), nn.Linear(4, 4)))
    network.model[1].train()  # each layer is to get its own mode back
    before = traces(network.model)
    with pytest.raises(ZeroDivisionError):
        ask(network, noise(), "0")
    assert traces(network.model) == before


def test_nothing_is_left_behind():
    network = small_network()
    before = traces(network.model)
    feature_maps(network, noise(), "features.10")
    layers_with_maps(network)
    assert traces(network.model) == before


def test_steps_of_the_same_maps_end_where_others_come_in():
    torch.manual_seed(0)
    plain = steps_of_maps(small_network())
    assert plain[:2] == [["features.0", "features.1", "features.2"], ["features.3", "features.4", "features.5"]]
    fire = steps_of_maps(network_of(build("squeezenet1_1", 4, 32)))
    assert ["features.3.expand3x3", "features.3.expand3x3_activation"] in fire
    assert not any("features.5" in row for row in fire)  # pools what both kinds of filters found
    network = network_of(build("resnet18", 4, 32))
    before = traces(network.model)
    block = steps_of_maps(network)
    assert ["layer1.0.conv1", "layer1.0.bn1", "layer1.0.relu"] in block
    assert ["layer1.0.conv2", "layer1.0.bn2"] in block  # behind it the shortcut is added
    assert traces(network.model) == before


def test_numbers_that_are_not_finite_are_named_as_such():
    network = network_of(Linear())
    network.model.layer.weight.fill_(float("nan"))
    with pytest.raises(ExplorerError, match="finite"):
        numbers_of_layer(network, noise(), "layer")
