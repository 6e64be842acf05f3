from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.training.recipes import settle


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
        return RunDirectory.create(config, DataIdentity.of(few), path or tmp_path / "runs" / "a-run")

    return make
