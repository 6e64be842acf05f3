"""Computing only what a hidden square changes gives what computing everything gives."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image
from small_networks import network_of
from torch import nn

from alexnet_core.insight.attribution import attribute
from alexnet_core.insight.attribution.hidden_windows import HiddenWindows
from alexnet_core.insight.attribution.task import Score
from alexnet_core.insight.operations import operations
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.directory import RunDirectory

ODD = nn.Sequential(
    nn.Conv2d(3, 6, 5, stride=3, padding=4), nn.ReLU(), nn.Conv2d(6, 5, 3, padding=0), nn.BatchNorm2d(5), nn.ReLU(),
    nn.MaxPool2d(3, 2), nn.Conv2d(5, 4, 1), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 4),
)  # fmt: skip


def network(name: str, size: int) -> Network:
    torch.manual_seed(0)
    model = ODD if name == "odd" else build(name, 4, size)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, std=0.01)
            nn.init.uniform_(layer.running_var, 0.001, 0.02)
    return Network("alexnet", frozen(model), tuple("abcd"), Preprocessing(size, size))


@pytest.mark.parametrize(
    ("name", "size"), [("odd", 33), ("alexnet_mini", 32), ("alexnet_mini", 64), ("alexnet_sprint", 32), ("alexnet", 79)]
)
@pytest.mark.parametrize("against", [None, 3])
def test_drops_are_those_of_whole_passes(name, size, against):
    known = network(name, size)
    chain = operations(known).chain
    assert HiddenWindows.knows(chain)
    chance = torch.Generator().manual_seed(1)
    image, cover = (torch.randn(1, 3, size, size, generator=chance) for _ in range(2))
    score = Score(known.model, 1, against)
    window = 6
    tops = [0, 0, size - window, size - 3, 5, size // 2, size // 2 + 1]  # corners, one cut at the edge, the middle
    lefts = [0, size - window, 0, size - 2, 9, size // 2, size // 2 - 3]
    covered = image.repeat(len(tops), 1, 1, 1)
    for row, (top, left) in enumerate(zip(tops, lefts, strict=True)):
        place = np.s_[:, top : top + window, left : left + window]
        covered[row][place] = cover[0][place]
    expected = (score(image) - score(covered))[:, 0].numpy()
    found = HiddenWindows(chain, score, image, cover, torch.float32).drops(tops, lefts, window)
    assert np.abs(expected).max() > 0
    assert np.allclose(found, expected, atol=1e-4 * max(1.0, np.abs(expected).max()))
    rounded = HiddenWindows(chain, score, image, cover, torch.bfloat16).drops(tops, lefts, window)
    # Random weights, whose drops are differences of nearly equal logits: up to 4 % over eight seeds.
    assert np.allclose(rounded, expected, atol=0.05 * np.abs(expected).max())
    assert not np.array_equal(rounded, found)


@pytest.mark.bf16
@pytest.mark.parametrize("run", ["alexnet-mini-cifar10", "alexnet-narrow-imagenette"])
@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_16_bits_change_the_map_of_a_trained_network_by_a_hundredth(monkeypatch, run, name):
    """The bundled networks, photographs. The maps of six pictures were off by 0.4 % of the largest value at most."""
    monkeypatch.setattr("alexnet_core.insight.attribution.task.fastest", lambda device: torch.bfloat16)
    known, photograph = RunDirectory.find(run).network(), Image.fromarray(load_sample_image(name))
    exact, rounded = (
        attribute(known, photograph, "occlusion", settings={"stride": 15, "precision": precision})
        for precision in ("fp32", "fastest")
    )
    assert rounded.facts["precision"] == "bf16"
    assert np.allclose(rounded.values, exact.values, atol=0.01 * np.abs(exact.values).max())


def test_other_networks_are_not_followed():
    grouped = nn.Sequential(nn.Conv2d(3, 6, 3, groups=3), nn.Flatten(), nn.Linear(6 * 30 * 30, 4))
    assert not HiddenWindows.knows(operations(network_of(grouped)).chain)
    all_convolutions = nn.Sequential(nn.Conv2d(3, 4, 32), nn.Flatten())
    assert not HiddenWindows.knows(operations(network_of(all_convolutions)).chain)
