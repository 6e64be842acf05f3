"""The look at what a network does: layers, functions between them, chains; and layers rewired for a while."""

import pytest
import torch
from small_networks import SIZE, Failing, network_of, small_network, traces
from torch import nn
from torch.nn import functional as F

from alexnet_core.insight.operations import operations, rewired
from alexnet_core.models import build


def test_a_chain_of_layers_computes_what_the_network_does():
    network = small_network()
    chain = operations(network).chain
    image = torch.randn(2, 3, SIZE, SIZE)
    value = image
    for layer in chain:
        value = layer(value)
    assert torch.equal(value, network.model(image))
    assert [type(layer) for layer in chain].count(nn.Flatten) == 1


class Between(nn.Module):
    """Bends values outside its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.relu, self.last = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(4, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.first(images)
        x = self.relu(F.max_pool2d(x, 2) * torch.sigmoid(x.mean()) * 2.0)
        return self.last(x.mean(dim=(2, 3)))


def test_what_bends_values_between_layers_is_seen():
    done = operations(network_of(Between()))
    assert sorted(done.bending) == ["max_pool2d", "mul", "sigmoid"]
    assert done.chain is None
    assert done.kinds == [nn.Conv2d, nn.ReLU, nn.Linear]
    assert done.maps["first"] == (SIZE - 2, SIZE - 2)


def test_branches_are_no_chain_and_normalisations_know_their_convolution():
    assert operations(network_of(build("squeezenet1_1", 4, SIZE))).chain is None
    done = operations(network_of(build("alexnet_mini", 4, SIZE)))
    assert done.normalised["features.0"] == "features.1"
    assert len(done.normalised) == 5


def test_the_look_leaves_nothing_behind_also_when_the_pass_fails():
    for network, fails in ((small_network(), False), (network_of(Failing(small_network().model)), True)):
        network.model.train()
        before = traces(network.model)
        if fails:
            with pytest.raises(ZeroDivisionError):
                operations(network)
        else:
            assert operations(network) is operations(network)
        assert traces(network.model) == before


def test_layers_are_rewired_only_while_the_block_runs():
    network = small_network()
    image = torch.randn(1, 3, SIZE, SIZE)
    usual, before = network.model(image), traces(network.model)

    def doubled(layer: nn.Module, taken: torch.Tensor, given: torch.Tensor) -> torch.Tensor | None:
        return 2 * given if layer is network.model.classifier[-1] else None

    with rewired(network.model, doubled):
        assert torch.allclose(network.model(image), 2 * usual)
    assert torch.equal(network.model(image), usual)
    with pytest.raises(ZeroDivisionError), rewired(network.model, lambda *_: 1 / 0):
        network.model(image)
    assert traces(network.model) == before
