"""Sums behind the first convolution give what whole pictures give."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from small_networks import SIZE, network_of, noise
from torch import nn

from alexnet_core.insight.attribution import attribute, segments
from alexnet_core.insight.attribution.segments import likeness
from alexnet_core.insight.attribution.task import Task
from alexnet_core.insight.operations import operations, pooled_first
from alexnet_core.models import build

TARGET = 2
PIECES = 9


def mirrored() -> nn.Module:
    """Its first convolution continues the picture by its mirror image, and every answer has a bias."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 5, stride=2, padding=2, padding_mode="reflect"), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(6, 4, 3), nn.Flatten(), nn.Linear(4 * 5 * 5, 4),
    )  # fmt: skip


@pytest.mark.parametrize("method", ["kernel_shap", "lime", "feature_ablation"])
@pytest.mark.parametrize("baseline", ["average", "blurred"])
@pytest.mark.parametrize("kind", ["alexnet_mini", "mirrored"])
def test_both_ways_give_the_same(monkeypatch, kind, baseline, method):
    torch.manual_seed(0)
    network = network_of(mirrored() if kind == "mirrored" else build("alexnet_mini", 4, SIZE, batch_norm=True))
    last = list(network.model.modules())[-1]
    last.weight.mul_(100)  # else the Lasso leaves nothing of the small differences of random weights
    settings = {"segments": PIECES, "baseline": baseline}
    if method != "feature_ablation":
        settings |= {"samples": 60, "precision": "fp32"}
    if method == "lime":
        settings["alpha"] = 1e-4
    found = attribute(network, noise(), method, TARGET, settings=settings)
    monkeypatch.setattr(segments, "MOST_BEHIND", 0)
    expected = attribute(network, noise(), method, TARGET, settings=settings)
    assert abs(expected.values).max() > 0
    # Differences of nearly equal logits.
    assert np.allclose(found.values, expected.values, atol=1e-3 * abs(expected.values).max())


def test_the_likeness_of_pictures_that_nobody_made():
    network = network_of(build("alexnet_mini", 4, SIZE))
    image = network.preprocessing.tensor(noise())
    task = Task(network, image, 0, lambda _: None, settings={"baseline": "blurred"})
    pieces = torch.arange(SIZE * SIZE).view(SIZE, SIZE) % PIECES
    masks = torch.rand(20, PIECES, generator=torch.Generator().manual_seed(0)) < 0.5
    masks[0], masks[1] = True, False
    hidden = segments.baselines(task)
    pictures = torch.where(masks[:, pieces][:, None], image, hidden)
    expected = torch.cosine_similarity(pictures.flatten(1), image.flatten(1))
    assert likeness(task, masks, pieces).tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_poolings_come_before_their_relus():
    network = network_of(build("alexnet_mini", 4, SIZE))
    chain = operations(network).chain
    moved = pooled_first(chain)
    assert sorted(map(id, moved)) == sorted(map(id, chain))
    assert not any(isinstance(one, nn.ReLU) and isinstance(then, nn.MaxPool2d) for one, then in pairwise(moved))
    images = torch.randn(2, 3, SIZE, SIZE)
    assert torch.equal(nn.Sequential(*moved)(images), nn.Sequential(*chain)(images))
