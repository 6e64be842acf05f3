from itertools import chain, repeat

import pytest
import torch

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.training import estimate
from alexnet_core.training.estimate import estimate_seconds
from alexnet_core.training.recipes import settle

BY_HAND = {"threads": 1, "precision": "fp32", "memory_format": "channels_last", "compile": "off"}


def test_the_estimate_grows_with_the_epochs(digits: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    # Steps of a second; the first two warm up.
    monkeypatch.setattr(estimate, "step_seconds", lambda *_: (second for second in chain([9.0, 5.0], repeat(1.0))))
    few, many, ten_views = (
        estimate_seconds(
            settle(BY_HAND | {"batch_size": 100, "epochs": epochs, "views": views}, train_images=1349, image_size=32),
            digits,
        )
        for epochs, views in ((2, "one"), (4, "one"), (2, "ten"))
    )
    # 13 steps an epoch, 179 validation images each time and 269 test images at a third of a step.
    assert few == pytest.approx(2 * 13 + (2 * 179 + 269) / 100 / 3)
    assert many - few == pytest.approx(2 * 13 + 2 * 179 / 100 / 3)
    assert ten_views - few == pytest.approx(9 * 269 / 100 / 3)


def test_it_leaves_chance_and_threads_as_they_were(digits: PreparedSet) -> None:
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    settings = settle(BY_HAND | {"threads": 2}, train_images=1349, image_size=32)
    assert estimate_seconds(settings, digits) > 0
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
