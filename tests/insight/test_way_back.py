"""Gradients that pass back quickly are those that pass back plainly."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image
from small_networks import SIZE, network_of, noise, small_network, traces
from torch import nn

from alexnet_core.insight.attribution import attribute
from alexnet_core.insight.attribution.way_back import quick_way_back
from alexnet_core.models import build
from alexnet_core.runs.directory import RunDirectory

CONVOLUTIONS = [
    nn.Conv2d(3, 5, 11, 4, 2),  # alexnet's first
    nn.Conv2d(3, 5, 7, 2, 3),
    nn.Conv2d(3, 5, 5, 3),  # does not reach the last pixels
    nn.Conv2d(1, 5, (3, 4), 2, (1, 2)),
    nn.Conv2d(3, 5, 2, 4, 1),  # leaves gaps
    nn.Conv2d(3, 6, 3, 2, 1, groups=3),
    nn.Conv2d(3, 6, 3, 2, 1, padding_mode="reflect"),
    nn.Conv2d(6, 5, 3, 2, 1),
    nn.Conv2d(6, 5, 3, padding="same"),
]


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layer", CONVOLUTIONS, ids=str)
def test_one_convolution(layer, kind):
    model = nn.Sequential(layer.requires_grad_(False))
    images = torch.randn(2, layer.in_channels, 33, 37, requires_grad=True)
    given = model(images)
    upper = torch.randn_like(given)
    (expected,) = torch.autograd.grad(given, images, upper)
    with quick_way_back(model, kind):
        passed = model(images)
        (found,) = torch.autograd.grad(passed, images, upper)
    assert torch.equal(passed, given)
    assert found.dtype == torch.float32
    bound = 1e-5 if kind == torch.float32 else 1e-2
    assert torch.allclose(found, expected, atol=bound * float(expected.abs().max()))


def test_the_weights_of_a_network_that_learns_keep_their_gradients():
    layer = nn.Conv2d(3, 5, 11, 4, 2)
    images = torch.randn(1, 3, 33, 33, requires_grad=True)
    with quick_way_back(layer):
        layer(images).sum().backward()
    assert layer.weight.grad is not None


def test_nothing_is_left_behind():
    network = small_network()
    before = traces(network.model)
    with pytest.raises(ZeroDivisionError), quick_way_back(network.model, torch.bfloat16):
        raise ZeroDivisionError
    assert traces(network.model) == before


@pytest.mark.bf16
@pytest.mark.parametrize("run", ["alexnet-mini-cifar10", "alexnet-narrow-imagenette"])
def test_16_bits_on_the_way_back_change_integrated_gradients_by_a_thousandth(monkeypatch, run):
    """Of trained networks and photographs; with the way forward in 16 bits it was up to a quarter."""
    monkeypatch.setattr("alexnet_core.insight.attribution.task.fastest", lambda device: torch.bfloat16)
    network = RunDirectory.find(run).network()
    photograph = Image.fromarray(load_sample_image("china.jpg"))
    exact, rounded = (
        attribute(network, photograph, "integrated_gradients", settings={"more": "off", "precision": precision})
        for precision in ("fp32", "fastest")
    )
    assert rounded.facts["precision"] == "bf16"
    assert not np.array_equal(rounded.values, exact.values)
    assert np.allclose(rounded.values, exact.values, atol=1.5e-3 * np.abs(exact.values).max())


def test_networks_with_branches_keep_32_bits(monkeypatch):
    monkeypatch.setattr("alexnet_core.insight.attribution.task.fastest", lambda device: torch.bfloat16)
    network = network_of(build("squeezenet1_1", 4, SIZE))
    settings = {"more": "off", "steps": 4}
    assert attribute(network, noise(), "integrated_gradients", settings=settings).facts["precision"] == "fp32"
