"""A box is right exactly if changing pixels inside it changes the value, and changing those outside does not."""

import numpy as np
import pytest
import torch
from small_networks import Linear, network_of, small_network, traces
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.receptive_field import Field, receptive_field
from alexnet_core.insight.stages import output_of, stages
from alexnet_core.models import build


def depends_on(network, layer, row, column) -> tuple[int, int, int, int]:
    """The box of the pixels on which the value at (row, column) depends, over all maps and several pictures."""
    size = network.preprocessing.size
    seen = torch.zeros(size, size)
    for seed in range(3):
        images = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(seed)).requires_grad_()
        kept = []
        handle = network.model.get_submodule(layer).register_forward_hook(
            lambda m, i, output, kept=kept: kept.append(output)
        )
        network.model(images)
        handle.remove()
        (gradient,) = torch.autograd.grad(kept[0][0, :, row, column].sum(), images)
        seen += gradient.abs().sum(dim=(0, 1))
    rows, columns = np.flatnonzero(seen.sum(1)), np.flatnonzero(seen.sum(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@pytest.mark.parametrize("layer", ["features.0", "features.2", "features.3"])
@pytest.mark.parametrize("place", [(0, 0), (3, 5)])
def test_in_a_chain_the_box_is_what_the_value_depends_on(layer, place):
    network = small_network()
    field = receptive_field(network, layer)
    assert field.box(*place) == depends_on(network, layer, *place)
    assert field.side <= 32


@pytest.mark.parametrize("layer", ["features.0", "features.3", "features.3.squeeze", "features.4.expand3x3"])
def test_with_branches_it_is_measured(layer):
    torch.manual_seed(0)
    network = network_of(build("squeezenet1_1", 4, 64), size=64)
    before = traces(network.model)
    field = receptive_field(network, layer)
    assert traces(network.model) == before
    for place in ((0, 0), (3, 4)):
        assert field.box(*place) == depends_on(network, layer, *place)


def test_measured_and_calculated_agree(monkeypatch):
    network = small_network()
    calculated = {name: receptive_field(network, name) for name in ("features.0", "features.2", "features.6")}
    monkeypatch.setattr("alexnet_core.models.anatomy._is_chain", lambda model: False)
    for name, field in calculated.items():
        measured = receptive_field(network, name)
        assert measured.box(1, 2) == field.box(1, 2)
        assert (measured.whole, measured.side) == (field.side >= 64, min(field.side, 32)) or measured == field


@pytest.mark.parametrize("layer", ["classifier.1", "classifier.6"])
def test_a_list_of_numbers_sees_the_whole_picture(layer):
    field = receptive_field(small_network(), layer)
    assert field.whole
    assert field.box(0, 0) == (0, 0, 32, 32)
    assert receptive_field(network_of(Linear()), "layer").whole


def test_global_gates_see_the_whole_picture():
    torch.manual_seed(0)
    network = network_of(build("mobilenet_v3_small", 4, 64), size=64)
    assert receptive_field(network, "features.1").whole
    assert not receptive_field(network, "features.0").whole


def test_padding_lies_outside_the_picture():
    field = Field(first=-2, step=4, side=11, picture=64)
    assert field.unclipped(0, 1) == (2, -2, 13, 9)
    assert field.box(0, 1) == (2, 0, 13, 9)


def test_a_layer_that_is_not_there_is_a_sentence():
    for network in (small_network(), network_of(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()))):
        with pytest.raises(ExplorerError, match="no layer"):
            receptive_field(network, "features.99")


def test_the_output_of_a_measured_layer_is_untouched():
    torch.manual_seed(0)
    network = network_of(build("squeezenet1_1", 4, 64), size=64)
    images = torch.randn(1, 3, 64, 64)
    before = output_of(stages(network), "features.4", images)
    receptive_field(network, "features.4")
    assert torch.equal(before, output_of(stages(network), "features.4", images))


def test_a_map_is_laid_out_round_the_middles_of_what_its_values_see():
    field = Field(first=-2, step=4, side=11, picture=32)
    values = np.arange(1, 50).reshape(7, 7)
    laid = field.laid_out(values, 64)
    assert laid.shape == (64, 64)
    for row, column in ((0, 0), (2, 5), (6, 6)):
        left, top, right, bottom = field.unclipped(row, column)
        assert laid[top + bottom, left + right] == values[row, column]  # twice the middle, for 64 are twice 32
    assert not laid[0].any()
    assert field.laid_out(np.ones((7, 7, 3), np.uint8), 64).dtype == np.uint8
    whole = Field(0, 0, 32, 32)
    assert whole.laid_out(values, 64) is values
