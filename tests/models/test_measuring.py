"""Measuring the networks here: in turns, within its time, stoppable, and leaving nothing changed."""

import time

import pytest
import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.models.measuring import ROUNDS, _with_any_weights, measure

NAMES = ["alexnet_sprint", "resnet_mini"]


def test_each_is_measured_in_every_round_and_progress_is_told():
    told: list[tuple[int, int, str]] = []
    random = torch.get_rng_state()
    found = measure(NAMES, progress=lambda *at: told.append(at))
    assert [one.name for one in found] == NAMES
    for one in found:
        assert one.latency_ms.rounds == ROUNDS
        assert 0 < one.latency_ms.least <= one.latency_ms.median <= one.latency_ms.largest
        assert one.images_per_s.least > 0
    assert [title for *_, title in told[:3]] == ["AlexNet sprint", "ResNet mini", "AlexNet sprint"]
    assert told[-1][:2] == (2 * ROUNDS, 2 * ROUNDS)
    assert torch.equal(torch.get_rng_state(), random)


def test_time_that_is_short_means_fewer_rounds(monkeypatch):
    now = iter(range(0, 10_000, 10))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(now)))
    # Each look at this clock is ten seconds after the one before: two for each of three passes, one for the round.
    assert measure(["alexnet_sprint"], seconds=1.0)[0].latency_ms.rounds == 1
    assert measure(["alexnet_sprint"], seconds=150.0)[0].latency_ms.rounds == 2


def test_it_can_be_stopped():
    looks = iter([False, True])
    with pytest.raises(ExplorerError, match="stopped"):
        measure(NAMES, cancelled=lambda: next(looks))


@pytest.mark.parametrize("name", ["efficientnet_b0", "vgg11"])
def test_made_up_weights_keep_what_passes_in_the_range_of_ordinary_numbers(name):
    model = _with_any_weights(name, torch.device("cpu"))
    sizes: list[float] = []
    for layer in model.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(lambda module, inputs, output: sizes.append(float(output.abs().max())))
    with torch.no_grad():
        model(torch.full((1, 3, 96, 96), 0.5))
    assert min(sizes) > 1e-20
    assert max(sizes) < 1e20
