"""The layer table against independent counts."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import get_weight, inception_v3

from alexnet_core.models import MODELS, build
from alexnet_core.models.anatomy import anatomy
from alexnet_core.models.weights import frozen


def on_meta(name: str, classes: int = 1000, size: int | None = None) -> nn.Module:
    with torch.device("meta"):
        return build(name, classes, size).eval()


def parameters(layers):
    # A layer that runs twice has two rows and one set of parameters.
    return sum({layer.name: layer.parameters for layer in layers}.values())


@pytest.mark.parametrize("name", [name for name, entry in MODELS.items() if entry.imagenet_weights])
def test_parameters_equal_what_torchvision_states(name):
    stated = get_weight(MODELS[name].imagenet_weights).meta["num_params"]
    if name == "inception_v3":  # stated with the auxiliary head, which we leave out
        with torch.device("meta"):
            stated -= sum(p.numel() for p in inception_v3(init_weights=False).AuxLogits.parameters())
    assert parameters(anatomy(on_meta(name), MODELS[name].image_size)) == stated


@pytest.mark.parametrize(
    "name", [n for n in MODELS if n not in ("inception_v3", "efficientnet_v2_s", "resnet50", "vgg16")]
)
def test_multiply_adds_equal_half_of_what_torchs_flop_counter_counts(name):
    size = MODELS[name].image_size
    model = on_meta(name)
    with FlopCounterMode(display=False) as counter:
        model(torch.empty(1, 3, size, size, device="meta"))
    assert 2 * sum(layer.multiply_adds for layer in anatomy(model, size)) == counter.get_total_flops()


def test_alexnet_has_the_known_number_of_multiply_adds():
    assert sum(layer.multiply_adds for layer in anatomy(on_meta("alexnet"), 224)) == 714_188_480


def test_shapes_and_memory_are_those_of_a_real_forward_pass():
    torch.manual_seed(0)
    model = build("alexnet_mini", 10, 64).eval()
    seen: dict[str, torch.Tensor] = {}
    for name, module in model.named_modules():
        if not list(module.children()):
            module.register_forward_hook(lambda m, inputs, output, name=name: seen.__setitem__(name, output))
    model(torch.zeros(1, 3, 64, 64))
    layers = anatomy(model, 64)
    assert [layer.name for layer in layers] == list(seen)
    for layer in layers:
        assert layer.output_shape == tuple(seen[layer.name].shape[1:])
        assert layer.activation_bytes == seen[layer.name].nelement() * 4


@pytest.mark.parametrize("size", [64, 70, 96])
def test_the_receptive_field_is_the_part_of_the_picture_that_has_a_gradient(size):
    """Averaging instead of maximum lets every pixel of a window through; positive weights cannot cancel out."""
    model = build("alexnet_mini", 4, size, batch_norm=False).eval()
    rows = {layer.name: layer for layer in anatomy(model, size)}
    for name, module in model.features.named_children():
        if isinstance(module, nn.MaxPool2d):
            model.features[int(name)] = nn.AvgPool2d(3, 2)
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.01)
    image = torch.ones(1, 3, size, size, requires_grad=True)
    x = image
    for name, module in model.features.named_children():
        x = module(x)
        middle = x.shape[-1] // 2
        (gradient,) = torch.autograd.grad(x[0, 0, middle, middle], image, retain_graph=True)
        columns = gradient[0].abs().sum(dim=(0, 1)).nonzero()
        seen = int(columns.max() - columns.min()) + 1
        expected = rows[f"features.{name}"].receptive_field
        # Near the border the field hangs over the edge; it is never larger than stated.
        assert seen <= expected
        if expected < size // 2:
            assert seen == expected


def test_an_average_over_uneven_windows_counts_in_the_receptive_field():
    model = nn.Sequential()
    model.features = nn.Sequential(nn.Conv2d(3, 2, 3))
    model.pool = nn.AdaptiveAvgPool2d(6)
    rows = anatomy(model, 9)  # 9 -> 7 -> 6: windows of 2, one step apart
    assert [row.receptive_field for row in rows] == [3, 4]
    assert rows[1].stride is None


def test_networks_that_are_no_chain_have_no_receptive_field():
    assert {layer.receptive_field for layer in anatomy(on_meta("resnet18"), 64)} == {None}


def test_the_model_is_left_as_it_was():
    model = frozen(build("alexnet_mini", 5, 32))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    anatomy(model, 32)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(not module._forward_hooks for module in model.modules())
