import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from small_networks import small_network

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.filters import (
    colourfulness,
    filters_of_file,
    filters_of_state,
    first_layer_filters,
    split_by_colour,
    traits,
)
from alexnet_core.models import MODELS, Network, build
from alexnet_core.models.weights import save_network
from alexnet_core.preprocess import Preprocessing


def state_of(*filters: np.ndarray) -> dict[str, torch.Tensor]:
    return {"features.0.weight": torch.tensor(np.stack(filters), dtype=torch.float32)}


def test_the_weights_are_the_layers_own_and_nothing_shares_memory():
    network = small_network()
    first = first_layer_filters(network)
    assert first.name == "features.0"
    assert np.array_equal(first.weights, network.model.features[0].weight.numpy())
    first.weights[:] = 0
    assert network.model.features[0].weight.abs().sum() > 0
    assert first.tiles.shape == (24, 5, 5, 3)
    assert first.tiles.dtype == np.uint8


def test_zero_is_middle_grey_and_each_filter_is_stretched_around_it_by_its_own_largest_magnitude():
    weak = np.zeros((3, 2, 2))
    weak[0, 0, 1], weak[2, 1, 0] = 0.01, -0.005
    first = filters_of_state(state_of(weak, 100 * weak))
    assert np.array_equal(first.tiles[0], first.tiles[1])
    assert first.tiles[0, 0, 1].tolist() == [255, 128, 128]  # red, row 0, column 1
    assert first.tiles[0, 1, 0].tolist() == [128, 128, round(128 - 127 / 2)]
    assert first.tiles[0, 0, 0].tolist() == [128, 128, 128]


def test_one_scale_for_all_keeps_their_strengths_apart():
    one = np.full((3, 2, 2), 1.0)
    first = filters_of_state(state_of(one, 0.5 * one), shared_scale=True)
    assert first.tiles[0].max() == 255
    assert first.tiles[1].max() == 192


def test_a_filter_of_zeros_is_grey():
    assert (filters_of_state(state_of(np.zeros((3, 2, 2)))).tiles == 128).all()


def test_by_colour_goes_from_grey_to_coloured_and_says_which_is_which():
    grey, opponent, tinted = np.full((3, 2, 2), 0.3), np.zeros((3, 2, 2)), np.full((3, 2, 2), 0.3)
    opponent[0], opponent[1] = 1, -1
    tinted[0] = 0.6
    first = filters_of_state(state_of(opponent, grey, tinted), by_colour=True)
    assert first.units.tolist() == [1, 2, 0]
    assert np.allclose(first.weights[0], grey)
    assert colourfulness(np.stack([grey, opponent])).tolist() == pytest.approx([0, 1], abs=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_every_network_has_filters_to_show(name):
    with torch.device("meta"):
        model = build(name, 3)
    model = model.to_empty(device="cpu")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    first = first_layer_filters(Network(name, model, ("a", "b", "c"), Preprocessing(224, 224)))
    convolution = next(module for module in model.modules() if isinstance(module, torch.nn.Conv2d))
    assert first.weights.shape == tuple(convolution.weight.shape)


def test_a_file_shows_the_same_filters_as_its_network(tmp_path):
    network = small_network()
    save_network(tmp_path / "n.safetensors", network, half=True)
    first = filters_of_file(tmp_path / "n.safetensors", by_colour=True)
    assert first.weights.dtype == np.float32
    assert np.allclose(first.weights, first_layer_filters(network, by_colour=True).weights, atol=1e-3)


def test_what_has_no_such_layer_or_is_no_file_is_one_sentence(tmp_path):
    save_file({"features.0.weight": torch.zeros(4, 1, 3, 3)}, tmp_path / "grey.safetensors")
    with pytest.raises(ExplorerError, match="three colours"):
        filters_of_file(tmp_path / "grey.safetensors")
    (tmp_path / "x.safetensors").write_bytes(b"no")
    for name in ("x.safetensors", "missing.safetensors"):
        with pytest.raises(ExplorerError, match=name):
            filters_of_file(tmp_path / name)


def test_weights_that_are_no_numbers_are_named_as_such():
    with pytest.raises(ExplorerError, match="not numbers"):
        filters_of_state(state_of(np.full((3, 2, 2), np.nan)))


def stripes(angle: float, cycles: float, side: int = 11) -> np.ndarray:
    """A grey grating whose stripes run at `angle` degrees, counter-clockwise from lying, under a round window."""
    down, across = np.mgrid[:side, :side] - (side - 1) / 2
    # Up on the screen is a falling row; stripes at 90 degrees change across.
    along = across * np.sin(np.radians(angle)) + down * np.cos(np.radians(angle))
    window = np.exp(-(down**2 + across**2) / (2 * (side / 4) ** 2))
    return np.repeat((np.sin(2 * np.pi * cycles * along / side) * window)[None], 3, axis=0)


@pytest.mark.parametrize("angle", [0, 30, 45, 90, 135, 170])
@pytest.mark.parametrize("cycles", [2, 3])
def test_a_grating_has_its_direction_and_its_frequency(angle, cycles):
    found = traits(stripes(angle, cycles)[None].astype(np.float32))
    assert abs((found.angle[0] - angle + 90) % 180 - 90) < 4
    assert found.frequency[0] == pytest.approx(cycles, abs=0.35)
    assert found.oriented[0] > 0.6


def test_directions_turn_as_on_the_screen():
    lying, rising = np.zeros((2, 3, 9, 9), np.float32)
    lying[:, 4] = 1
    for step in range(9):
        rising[:, 8 - step, step] = 1  # from the lower left to the upper right
    found = traits(np.stack([lying, rising]))
    assert min(found.angle[0], 180 - found.angle[0]) < 2
    assert found.angle[1] == pytest.approx(45, abs=2)


def test_a_blob_has_no_direction_and_no_frequency():
    down, across = np.mgrid[:11, :11] - 5
    blob = np.repeat(np.exp(-(down**2 + across**2) / 12.0)[None], 3, axis=0)
    found = traits(blob[None].astype(np.float32))
    assert found.oriented[0] < 0.1
    assert found.frequency[0] == 0


def test_an_edge_between_two_colours_has_a_direction_though_grey_knows_nothing_of_it():
    edge = stripes(60, 2)
    edge[1], edge[2] = -edge[0], 0
    assert np.abs(edge.mean(axis=0)).max() < 1e-12
    assert traits(edge[None].astype(np.float32)).angle[0] == pytest.approx(60, abs=4)


def test_filters_come_in_the_order_that_was_asked_for():
    filters = np.stack([stripes(90, 3), stripes(0, 1), stripes(45, 2), np.zeros((3, 11, 11))]).astype(np.float32)
    filters[1, 0] *= 3
    found = traits(filters)
    assert found.order("number").tolist() == [0, 1, 2, 3]
    assert found.order("orientation").tolist() == [1, 2, 0, 3]
    assert found.order("frequency").tolist()[1:] == [1, 2, 0]
    assert found.order("colour").tolist()[-1] == 1
    assert found.faint.tolist() == [False, False, False, True]
    mostly_dead = traits(np.concatenate([filters[:1]] + [1e-6 * filters[:1]] * 4))
    assert mostly_dead.faint.tolist() == [False, True, True, True, True]


def test_two_groups_of_colour_are_told_apart_and_an_even_spread_is_not():
    two = split_by_colour(np.array([0.02, 0.05, 0.03, 0.9, 0.95]))
    assert 0.05 < two.threshold < 0.9
    assert (two.grey, two.coloured) == (3, 2)
    assert two.explained > 0.99
    even = split_by_colour(np.linspace(0, 1, 101))
    assert even.explained == pytest.approx(0.75, abs=0.01)
    assert split_by_colour(np.array([0.5, 0.5])).explained <= 1
