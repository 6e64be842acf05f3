"""AlexNet is torchvision's, weight for weight, and refused before the start where a map would vanish."""

import pytest
import torch
import torchvision
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.models import MODELS, build
from alexnet_core.models.alexnet import AlexNet, alexnet, alexnet_bn, alexnet_mini, alexnet_narrow, mini_plan


def on_meta(name: str, classes: int, size: int | None = None) -> nn.Module:
    with torch.device("meta"):
        return build(name, classes, size).eval()


def test_weights_go_both_ways_with_torchvision_and_the_logits_are_equal():
    torch.manual_seed(0)
    ours, theirs = alexnet(num_classes=7).eval(), torchvision.models.alexnet(num_classes=7).eval()
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        ours.load_state_dict(theirs.state_dict(), strict=True)
        assert torch.equal(ours(images), theirs(images))
        for parameter in ours.parameters():
            parameter.add_(0.01)
        theirs.load_state_dict(ours.state_dict(), strict=True)
        assert torch.equal(ours(images), theirs(images))


def test_the_mission_gives_the_number_of_parameters():
    assert sum(parameter.numel() for parameter in on_meta("alexnet", 1000).parameters()) == 61_100_840


def test_the_layers_have_the_missions_names_and_shapes():
    weights = {key: tuple(value.shape) for key, value in on_meta("alexnet", 1000).state_dict().items()}
    assert {key: shape for key, shape in weights.items() if key.endswith("weight")} == {
        "features.0.weight": (64, 3, 11, 11),
        "features.3.weight": (192, 64, 5, 5),
        "features.6.weight": (384, 192, 3, 3),
        "features.8.weight": (256, 384, 3, 3),
        "features.10.weight": (256, 256, 3, 3),
        "classifier.1.weight": (4096, 9216),
        "classifier.4.weight": (4096, 4096),
        "classifier.6.weight": (1000, 4096),
    }


@pytest.mark.parametrize("make", [alexnet_bn, alexnet_mini, alexnet_narrow])
def test_batch_norm_stands_between_each_convolution_and_its_relu(make):
    with torch.device("meta"):
        layers = list(make(num_classes=3).features)
    after = [
        [type(layer) for layer in layers[i + 1 : i + 3]] for i, one in enumerate(layers) if isinstance(one, nn.Conv2d)
    ]
    assert after == [[nn.BatchNorm2d, nn.ReLU]] * 5


def test_mini_can_do_without_batch_norm_and_keeps_the_topology():
    with torch.device("meta"):
        plain, full = alexnet_mini(num_classes=3, batch_norm=False), alexnet(num_classes=3)
    assert [type(one) for one in plain.modules()][1:] == [type(one) for one in full.modules()][1:]


@pytest.mark.parametrize("name", ["alexnet", "alexnet_bn", "alexnet_mini", "alexnet_narrow"])
def test_the_smallest_size_works_and_one_less_is_refused_with_the_layer_and_that_size(name):
    smallest = MODELS[name].smallest
    model = on_meta(name, 3, smallest)
    assert model(torch.empty(1, 3, smallest, smallest, device="meta")).shape == (1, 3)
    with pytest.raises(ExplorerError, match=rf"vanish at the third pooling.* {smallest} pixels"):
        on_meta(name, 3, smallest - 1)


def test_the_refusal_is_not_stricter_than_the_network():
    # The same network, told it would get large pictures, really fails on the size that is refused.
    with pytest.raises(RuntimeError, match="Output size is too small"):
        alexnet(num_classes=3).eval()(torch.zeros(1, 3, 62, 62))


@pytest.mark.parametrize("size", [*range(32, 129, 7), 47, 48, 95, 96])
def test_mini_takes_every_size_of_its_range(size):
    assert on_meta("alexnet_mini", 10, size)(torch.empty(2, 3, size, size, device="meta")).shape == (2, 10)


@pytest.mark.parametrize("size", [63, 127, 224, 227, 256, 300])
@pytest.mark.parametrize("classes", [2, 1000])
def test_any_size_and_any_number_of_classes(size, classes):
    model = on_meta("alexnet", classes, size)
    assert model(torch.empty(1, 3, size, size, device="meta")).shape == (1, classes)


@pytest.mark.parametrize("classes", [-1, 0, 1, 100_001])
def test_impossible_numbers_of_classes_are_refused(classes):
    with pytest.raises(ExplorerError, match=str(classes)):
        build("alexnet_mini", classes)


def test_a_setting_the_network_does_not_have_is_refused():
    with pytest.raises(ExplorerError, match="batch_norm"):
        build("alexnet", 10, batch_norm=True)


def test_relu_is_never_in_place():
    for module in AlexNet(4, image_size=64, batch_norm=True).modules():
        assert not getattr(module, "inplace", False)


def test_the_first_filters_start_as_small_as_the_plan_says():
    torch.manual_seed(0)
    first = alexnet_mini(num_classes=3, image_size=64).features[0]
    assert float(first.weight.detach().std()) == pytest.approx(mini_plan(64).first_std, rel=0.05)


def test_without_normalisation_the_signal_reaches_the_last_layer():
    """Each ReLU takes half; weights that do not make up for it leave nothing after eight layers, and nothing learns."""
    torch.manual_seed(0)
    model = alexnet_mini(10, 64, batch_norm=False, dropout=0.0)
    with torch.no_grad():
        logits = model(torch.randn(64, 3, 64, 64))
    # Differences between pictures, not the share that all have in common: with PyTorch's own weights below 0.01.
    assert logits.std(0).mean() > 0.1


@pytest.mark.parametrize("batch_norm", [True, False])
def test_pooling_before_the_relu_while_training_changes_neither_values_nor_gradients(batch_norm):
    torch.manual_seed(0)
    model = alexnet_mini(5, 64, dropout=0.0, batch_norm=batch_norm)
    images = torch.randn(8, 3, 64, 64)
    results = []
    for forward in (model.features.forward, model._quick_features):
        model.zero_grad()
        maps = forward(images)
        maps.square().sum().backward()
        gradients = [parameter.grad.clone() for parameter in model.features.parameters()]
        results.append([maps.detach(), *gradients])
    for usual, quick in zip(*results, strict=True):
        torch.testing.assert_close(quick, usual)


def test_the_narrow_classifier_fits_into_sixteen_megabytes_and_keeps_the_missions_convolutions():
    narrow, full = on_meta("alexnet_narrow", 10), on_meta("alexnet_bn", 10)
    assert 2 * sum(value.numel() for value in narrow.state_dict().values()) <= 16e6
    shapes = [{key: value.shape for key, value in model.features.state_dict().items()} for model in (narrow, full)]
    assert shapes[0] == shapes[1]
