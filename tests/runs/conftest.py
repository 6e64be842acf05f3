from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepare
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.launcher import identity_of
from alexnet_core.training.recipes import settle


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> PreparedSet:
    """Sixty small pictures in three classes, from a folder as a person would have it: runs of it take seconds."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for label, colour in enumerate(["red", "green", "blue"]):
        (folder / colour).mkdir()
        for number in range(20):
            pixels = random.integers(0, 90, (32, 32, 3), dtype=np.uint8)
            pixels[..., label] += 120
            Image.fromarray(pixels).save(folder / colour / f"{number}.png")
    return prepare(folder, image_size=32, out=tmp_path_factory.mktemp("data") / "few")


@pytest.fixture
def new_run(few: PreparedSet, tmp_path: Path) -> Callable[..., RunDirectory]:
    """A queued run of a few steps; settings and place can be given."""

    def make(path: Path | None = None, **settings: Any) -> RunDirectory:
        explicit = {
            "epochs": 3,
            "batch_size": 8,
            "threads": 1,
            "precision": "fp32",
            "memory_format": "channels_last",
        } | settings
        config = settle(explicit, train_images=few.count("train"), image_size=32)
        return RunDirectory.create(config, identity_of(few), path or tmp_path / "runs" / "a-run")

    return make
