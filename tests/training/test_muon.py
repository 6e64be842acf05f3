import pytest
import torch
from torch import nn

from alexnet_core.training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(16, 8, 3, 3), (40, 20), (20, 40)])
def test_the_singular_values_come_near_one(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    found = orthogonal(torch.randn(shape))
    assert found.shape == shape
    before, after = (torch.linalg.svdvals(matrix.flatten(1)) for matrix in (torch.randn(shape), found))
    assert after.max() / after.min() < before.max() / before.min()
    assert 0.3 < after.min() < after.max() < 1.3


def test_an_orthogonal_matrix_stays_what_it_is_but_for_its_length() -> None:
    torch.manual_seed(0)
    q = torch.linalg.qr(torch.randn(12, 12)).Q
    found = orthogonal(5 * q)
    assert torch.allclose(found / found.norm(), q / q.norm(), atol=1e-4)


def test_the_direction_of_a_singular_vector_does_not_change() -> None:
    torch.manual_seed(0)
    matrix = torch.randn(6, 9)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    turned = u.T @ orthogonal(matrix) @ v.T  # diagonal where u and v are still its singular vectors
    assert torch.allclose(turned, torch.diag(turned.diag()), atol=1e-4)


def test_without_orthogonal_groups_it_is_sgd_with_nesterovs_momentum() -> None:
    torch.manual_seed(0)
    first = nn.Linear(5, 3)
    second = nn.Linear(5, 3)
    second.load_state_dict(first.state_dict())
    groups = {"lr": 0.1, "momentum": 0.6}
    ours = Muon([{"params": first.parameters(), "weight_decay": 0.01}], **groups)
    torchs = torch.optim.SGD(second.parameters(), weight_decay=0.01, nesterov=True, **groups)
    for _ in range(4):
        images = torch.randn(7, 5)
        for model, optimizer in ((first, ours), (second, torchs)):
            optimizer.zero_grad()
            model(images).square().sum().backward()
            optimizer.step()
    assert torch.allclose(first.weight, second.weight, atol=1e-6)


def test_no_gradient_moves_nothing_and_makes_no_nan() -> None:
    layer = nn.Conv2d(3, 4, 3)
    before = layer.weight.detach().clone()
    layer.weight.grad = torch.zeros_like(layer.weight)
    Muon([{"params": [layer.weight], "orthogonal": True}], lr=0.1, momentum=0.6).step()
    assert torch.allclose(layer.weight, before, atol=1e-6)
