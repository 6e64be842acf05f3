"""The networks for speed: of AlexNet's kind, for every small picture, and fit for looking inside."""

import pytest
import torch
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import capture
from alexnet_core.models import MODELS, build

NAMES = ["alexnet_sprint", "alexnet_lap", "alexnet_track"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [16, 17, 24, 31, 32, 47, 64, 96])
def test_every_small_size_gives_logits(name, size):
    with torch.device("meta"):
        model = build(name, 7, size)
    assert model(torch.empty(2, 3, size, size, device="meta")).shape == (2, 7)


@pytest.mark.parametrize("name", NAMES)
def test_too_small_a_picture_is_refused_with_the_size_that_works(name):
    with pytest.raises(ExplorerError, match=f"{MODELS[name].smallest} pixels"):
        build(name, 7, MODELS[name].smallest - 1)


@pytest.mark.parametrize("name", NAMES)
def test_they_are_chains_of_convolutions_poolings_and_a_linear_layer(name):
    kinds = {type(layer) for layer in build(name, 7, 32).modules() if not list(layer.children())}
    assert kinds == {nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d, nn.Dropout, nn.Linear}


@pytest.mark.parametrize("name", NAMES)
def test_the_hook_on_a_convolution_sees_its_own_output(name):
    model = build(name, 7, 32).eval()
    images = torch.randn(1, 3, 32, 32)
    with torch.no_grad(), capture(model, "features.0") as seen:
        model(images)
        assert torch.equal(seen["features.0"], model.features[0](images))
