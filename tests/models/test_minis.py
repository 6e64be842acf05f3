"""The successors in mini form: any small size, alexnet_mini's cost, fit for looking inside, able to learn."""

import numpy as np
import pytest
import torch
from torch import nn

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.devices import Compute
from alexnet_core.errors import ExplorerError
from alexnet_core.insight.attribution import ATTRIBUTIONS, attribute, why_not
from alexnet_core.models import MODELS, Network, build
from alexnet_core.models.anatomy import anatomy
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing
from alexnet_core.training.events import EpochDone
from alexnet_core.training.loop import Training
from alexnet_core.training.recipes import model_settings, settle
from tests.insight.small_networks import noise, traces

NAMES = ("vgg_mini", "inception_mini", "resnet_mini", "efficientnet_mini")


def on_meta(name: str, size: int) -> nn.Module:
    with torch.device("meta"):
        return build(name, 10, size).eval()


@pytest.mark.parametrize("name", NAMES)
def test_every_small_size_gives_logits_and_a_smaller_one_is_refused(name):
    smallest = MODELS[name].smallest
    for size in (smallest, 17, 28, 31, 32, 47, 48, 64, 95, 96, 128):
        assert on_meta(name, size)(torch.empty(2, 3, size, size, device="meta")).shape == (2, 10)
    with pytest.raises(ExplorerError, match=f"{smallest} pixels"):
        build(name, 10, smallest - 1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [32, 64])
def test_each_costs_what_alexnet_mini_costs(name, size):
    def multiply_adds(of: str) -> int:
        return sum(layer.multiply_adds for layer in anatomy(on_meta(of, size), size))

    assert 0.9 < multiply_adds(name) / multiply_adds("alexnet_mini") < 1.1


def test_each_has_its_idea():
    vgg, inception, resnet, efficient = (anatomy(on_meta(name, 32), 32) for name in NAMES)
    assert {layer.kernel for layer in vgg if layer.kind == "convolution"} == {3}
    assert all(layer.receptive_field for layer in vgg)
    assert {layer.kernel for layer in inception if layer.kind == "convolution"} == {1, 3, 5}
    assert sum(layer.kind == "convolution" and ".shortcut." not in layer.name for layer in resnet) == 13
    depthwise = [layer for layer in efficient if ".each." in layer.name and layer.kind == "convolution"]
    assert {layer.kernel for layer in depthwise} == {3, 5}
    assert all(layer.multiply_adds < layer.parameters * 256 + 1 for layer in depthwise)


def test_a_block_without_learned_weights_passes_the_maps_on():
    block = build("resnet_mini", 10, 32).features[4].eval()
    nn.init.zeros_(block.second[1].weight)
    maps = torch.rand(2, 24, 8, 8)
    assert torch.equal(block(maps), maps)


@pytest.mark.parametrize("name", NAMES)
def test_each_can_be_explained_and_nothing_is_left_behind(name):
    torch.manual_seed(0)
    model = frozen(build(name, 3, 32))
    assert not any(getattr(module, "inplace", False) for module in model.modules())
    network = Network(name, model, ("a", "b", "c"), Preprocessing(32, 32))
    before = traces(model)
    methods = ("saliency", "grad_cam", "guided_backprop", "deep_lift", "lrp")
    works = [method for method in methods if why_not(network, method) is None]
    # The weighing of maps is a product with a sigmoid, which no rule for rectifiers covers.
    assert set(works) >= {"saliency", "grad_cam"} | ({"guided_backprop"} if name != "efficientnet_mini" else set())
    for method in works:
        assert method in ATTRIBUTIONS
        assert np.isfinite(attribute(network, noise(), method, 1).values).all()
    assert traces(model) == before


def test_digits_are_learned(digits: PreparedSet):
    name = "resnet_mini"
    count = digits.count("train")
    explicit = {"model": name, "epochs": 2, "batch_size": 32, "threads": 1}
    settings = settle(explicit, train_images=count, image_size=32, mirrors=False)
    torch.manual_seed(0)
    training = Training(
        build(name, 10, 32, **model_settings(settings)),
        settings,
        Compute(torch.device("cpu"), "fp32", 1),
        digits.preprocessing,
        (digits.images("train")[:], digits.labels("train")),
        (digits.images("val")[:], digits.labels("val")),
        np.array(digits.rgb_covariance),
    )
    last = [event for event in training.events() if isinstance(event, EpochDone)][-1]
    assert last.val_top1 > 0.95


@pytest.mark.parametrize("name", NAMES)
def test_no_maps_begin_far_below_the_variance_of_one_that_normalisation_begins_with(name):
    torch.manual_seed(0)
    model = build(name, 10, 32).eval()
    spreads: list[float] = []
    for layer in model.features.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.register_forward_hook(lambda module, inputs, output: spreads.append(float(inputs[0].std())))
    with torch.no_grad():
        model(torch.randn(8, 3, 32, 32))
    assert min(spreads) > 0.1
