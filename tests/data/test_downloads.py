"""Fetching a known set: by one process at a time, and the progress is its own. No test needs a network."""

import sys
from pathlib import Path
from subprocess import Popen

import pytest

from alexnet_core.data import downloads
from alexnet_core.data.sources import prepare
from alexnet_core.errors import ExplorerError
from alexnet_core.lock import alone


def test_a_set_is_fetched_by_one_at_a_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(downloads, "_download", lambda *_: pytest.fail("fetched a second time"))
    (tmp_path / "downloads").mkdir()
    with (
        alone(tmp_path / "downloads" / "cifar10.lock", "held"),
        pytest.raises(ExplorerError, match="already being fetched"),
    ):
        prepare("cifar10", downloads=tmp_path / "downloads")


def test_what_was_fetched_before_is_not_counted_as_progress(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(bytes(1_000))
    (tmp_path / "imagenette2-160.tgz").write_bytes(bytes(30))
    told: list[int] = []
    program = [sys.executable, "-c", "import time; time.sleep(1)"]
    monkeypatch.setattr(downloads.subprocess, "Popen", lambda *_, **how: Popen(program, **how))
    downloads._download("imagenette", "Imagenette", tmp_path, 1_000, lambda done, *_: told.append(done), None)
    assert set(told) == {30}
