"""What goes back between two pictures is the mean slope on the straight line from one to the other."""

import numpy as np
import pytest
import torch
from small_networks import Failing, network_of, small_network, traces
from torch import nn

from alexnet_core.insight.attribution.mean_slopes import ACTIVATIONS, mean_slopes
from alexnet_core.models import build

ROWS, LOOKS = 4, 4000


def going_back(model: nn.Module, rows: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The gradient of the weighted sum of what `model` gives, by mean slopes."""
    rows = rows.clone().requires_grad_()
    with mean_slopes(model):
        (found,) = torch.autograd.grad((model(rows) * weights).sum(), rows)
    return found


def on_the_line(model: nn.Module, rows: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The mean over `LOOKS` points between each row and the next of PyTorch's own gradient."""
    total = torch.zeros_like(rows[1:])
    for place in (torch.arange(LOOKS) + 0.5) / LOOKS:
        points = torch.lerp(rows[:-1], rows[1:], place.to(rows.dtype)).requires_grad_()
        (found,) = torch.autograd.grad((model(points) * weights[:-1]).sum(), points)
        total += found
    return total / LOOKS


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_an_activation_has_the_mean_of_its_gradient(kind):
    torch.manual_seed(0)
    model, rows, weights = nn.Sequential(kind()), 3 * torch.randn(ROWS, 50).double(), torch.randn(ROWS, 50).double()
    found = going_back(model, rows, weights)
    assert torch.allclose(found[:-1], on_the_line(model, rows, weights), atol=2e-3)
    assert (found[-1] == 0).all()


def test_a_pooling_of_windows_that_overlap_has_the_mean_of_its_gradient():
    torch.manual_seed(0)
    # One line of pixels and windows of two: no third one leads in between.
    model, rows = nn.Sequential(nn.MaxPool2d((1, 2), stride=(1, 1))), torch.randn(ROWS, 3, 5, 20).double()
    weights = torch.randn(ROWS, 3, 5, 19).double()
    found = going_back(model, rows, weights)
    assert torch.allclose(found[:-1], on_the_line(model, rows, weights), atol=2e-3)
    assert (found[-1] == 0).all()


def test_factors_of_a_product_have_the_mean_of_their_gradient():
    class Squared(nn.Module):
        def forward(self, maps: torch.Tensor) -> torch.Tensor:
            return maps * maps.mean(dim=(2, 3), keepdim=True)

    torch.manual_seed(0)
    rows, weights = torch.randn(ROWS, 3, 5, 5).double(), torch.randn(ROWS, 3, 5, 5).double()
    found = going_back(Squared(), rows, weights)
    assert torch.allclose(found[:-1], on_the_line(Squared(), rows, weights), atol=1e-6)
    assert (found[-1] == 0).all()


@pytest.mark.parametrize(
    "pooling", [nn.MaxPool2d(3, 2), nn.MaxPool2d(3, 2, padding=1), nn.MaxPool2d(3, 2, 0, 1, False, True)]
)
def test_what_goes_back_through_a_pooling_adds_up(pooling):
    torch.manual_seed(0)
    model, rows = nn.Sequential(pooling), torch.randn(ROWS, 3, 12, 12).double()
    weights = torch.randn(1, *pooling(rows).shape[1:]).double().expand_as(pooling(rows))
    found = going_back(model, rows, weights)
    shares = (found[:-1] * (rows[1:] - rows[:-1])).sum(dim=(1, 2, 3))
    scores = (pooling(rows) * weights).sum(dim=(1, 2, 3))
    assert torch.allclose(shares, scores[1:] - scores[:-1])


@pytest.mark.parametrize("name", ["alexnet_mini", "squeezenet1_1", "resnet_mini", "efficientnet_mini"])
def test_what_goes_back_through_a_network_adds_up(name):
    torch.manual_seed(0)
    model = network_of(build(name, 4, 64), size=64).model.double()
    rows = torch.randn(ROWS, 3, 64, 64).double().requires_grad_()
    with mean_slopes(model):
        scores = model(rows)[:, 2]
        (found,) = torch.autograd.grad(scores.sum(), rows)
    shares = (found[:-1] * (rows[1:] - rows[:-1])).sum(dim=(1, 2, 3))
    rises = scores[1:] - scores[:-1]
    assert (rises != 0).all()
    assert torch.allclose(shares, rises, rtol=1e-6, atol=1e-6 * float(rises.detach().abs().max()))


def test_between_equal_pictures_it_is_the_gradient():
    model = small_network().model
    row = torch.randn(1, 3, 32, 32)
    rows = torch.cat([row, row]).requires_grad_()
    with mean_slopes(model):
        (found,) = torch.autograd.grad(model(rows)[:, 1].sum(), rows)
    row.requires_grad_()
    (plain,) = torch.autograd.grad(model(row)[0, 1], row)
    assert np.allclose(found[:1], plain, atol=1e-6 * float(plain.abs().max()))


def test_nothing_is_left_behind():
    model = nn.Sequential(small_network().model, Failing(nn.ReLU()))
    before = traces(model)
    with pytest.raises(ZeroDivisionError), mean_slopes(model):
        model(torch.zeros(2, 3, 32, 32))
    assert traces(model) == before
