"""First filters from patches: each answers alone and as strongly as the others, with its opposite beside it."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from alexnet_core.models import build
from alexnet_core.training import first_weights
from alexnet_core.training.first_weights import (
    first_convolution,
    first_layers,
    spread,
    start_as_identity,
    start_from_patches,
)


def pictures() -> torch.Tensor:
    noise = torch.randn(200, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    smooth = F.avg_pool2d(noise, 5, 1, 2)  # neighbours go together, as in photographs
    return (smooth - smooth.mean()) / smooth.std()


def test_the_answers_of_the_filters_are_uncorrelated_and_of_one_strength():
    layer = nn.Conv2d(3, 8, 3, bias=False)
    start_from_patches(layer, pictures())
    answers = layer(pictures()).detach().transpose(0, 1).flatten(1)[::2]  # one of each pair
    covariance = answers @ answers.T / answers.shape[1]
    assert torch.allclose(covariance, torch.eye(4), atol=0.05)


def test_each_filter_has_its_opposite_and_what_is_left_over_keeps_its_weights():
    layer = nn.Conv2d(3, 30, 2, bias=False)
    before = layer.weight.detach().clone()
    start_from_patches(layer, pictures())
    assert torch.equal(layer.weight[0:24:2], -layer.weight[1:24:2])
    assert torch.equal(layer.weight[24:], before[24:])
    assert not torch.equal(layer.weight[:24], before[:24])


def test_the_first_convolution_is_the_one_that_sees_the_picture():
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
    assert first_convolution(layers) is layers[0]


@pytest.mark.parametrize(
    ("name", "frozen"),
    [
        ("alexnet_sprint", ["features.0.weight", "features.1.weight", "features.1.bias"]),
        ("resnet18", ["conv1.weight", "bn1.weight", "bn1.bias"]),
        ("squeezenet1_1", ["features.0.weight", "features.0.bias"]),
    ],
)
def test_the_first_layers_end_where_the_second_convolution_begins(name: str, frozen: list[str]):
    model = build(name, 10, 64)
    for layer in first_layers(model):
        layer.requires_grad_(False)
    assert [name for name, value in model.named_parameters() if not value.requires_grad] == frozen


def test_the_patches_of_few_pictures_at_a_time_give_the_same_filters(monkeypatch: pytest.MonkeyPatch):
    whole, parts = nn.Conv2d(3, 8, 3, bias=False), nn.Conv2d(3, 8, 3, bias=False)
    start_from_patches(whole, pictures())
    taken, unfold = [], F.unfold
    monkeypatch.setattr(F, "unfold", lambda images, kernel: taken.append(len(images)) or unfold(images, kernel))
    monkeypatch.setattr(first_weights, "AT_ONCE", 70 * 14 * 14 * 27)
    start_from_patches(parts, pictures())
    assert taken == [70, 70, 60]
    assert torch.allclose(parts.weight, whole.weight, atol=1e-4)
    monkeypatch.setattr(first_weights, "PATCHES", 50 * 14 * 14)
    del taken[:]
    start_from_patches(parts, pictures())
    assert taken == [50]


def test_few_of_many_pictures_are_taken_from_all_of_them():
    assert spread(10, 4).tolist() == [0, 2, 5, 7]
    assert spread(3, 1000).tolist() == [0, 1, 2]
    # The second class has all the contrast.
    ordered = torch.cat([torch.zeros(200, 3, 16, 16), pictures()])
    whole, part = nn.Conv2d(3, 8, 3, bias=False), nn.Conv2d(3, 8, 3, bias=False)
    start_from_patches(whole, ordered)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_weights, "PATCHES", 200 * 14 * 14)
        start_from_patches(part, ordered)
    lengths = [float(layer.weight.detach().norm()) for layer in (whole, part)]
    assert lengths[1] == pytest.approx(lengths[0], rel=0.1)


def test_further_convolutions_hand_on_what_they_take():
    first, wider, narrower = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 6, 5, padding=2), nn.Conv2d(6, 2, 3, padding=1)
    before = [layer.weight.detach().clone() for layer in (first, wider)]
    for layer in (wider, narrower):
        nn.init.zeros_(layer.bias)
    start_as_identity(nn.Sequential(first, wider, narrower))
    maps = torch.randn(2, 4, 9, 9)
    assert torch.allclose(wider(maps)[:, :4], maps)
    assert torch.allclose(narrower(wider(maps)), maps[:, :2], atol=1e-6)
    assert torch.equal(first.weight, before[0])
    assert torch.equal(wider.weight[4:], before[1][4:])


def test_filters_that_see_only_some_maps_stay():
    grouped = nn.Conv2d(4, 4, 3, groups=2)
    before = grouped.weight.detach().clone()
    start_as_identity(nn.Sequential(nn.Conv2d(3, 4, 3), grouped))
    assert torch.equal(grouped.weight, before)
