"""torchvision's families: built for any number of classes, fit for hooks, refused where a picture is too small."""

import pytest
import torch
from torch import nn
from torchvision import models as torchvision_models

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import capture
from alexnet_core.models import MODELS, build, find_model

FAMILIES = [name for name, entry in MODELS.items() if entry.ours is None]


def on_meta(name: str, classes: int, size: int) -> nn.Module:
    with torch.device("meta"):
        return build(name, classes, size).eval()


@pytest.mark.parametrize("name", FAMILIES)
def test_the_smallest_size_works_and_one_less_is_refused_with_that_size(name):
    smallest = MODELS[name].smallest
    model = on_meta(name, 5, smallest)
    assert model(torch.empty(1, 3, smallest, smallest, device="meta")).shape == (1, 5)
    with pytest.raises(ExplorerError, match=f"{smallest} pixels"):
        on_meta(name, 5, smallest - 1)


@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_is_in_place(name):
    assert not any(getattr(module, "inplace", False) for module in on_meta(name, 3, 96).modules())


def test_a_hook_sees_the_convolution_and_not_its_relu():
    model = build("squeezenet1_1", 3, 32).eval()
    with torch.no_grad(), capture(model, "features.0", "features.1") as activations:
        model(torch.randn(1, 3, 32, 32))
    assert activations["features.0"].min() < 0
    assert torch.equal(activations["features.1"], activations["features.0"].relu())


def test_the_function_is_torchvisions():
    torch.manual_seed(0)
    theirs = torchvision_models.resnet18(num_classes=4).eval()
    ours = build("resnet18", 4, 64).eval()
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours(images), theirs(images))


def test_an_unknown_network_is_answered_with_the_known_ones():
    with pytest.raises(ExplorerError, match="alexnet_mini"):
        find_model("lenet")


@pytest.mark.parametrize("size", [0, -3, 7, 1025])
def test_absurd_sizes_are_refused(size):
    with pytest.raises(ExplorerError):
        build("resnet18", 3, size)
