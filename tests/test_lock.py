"""One at a time, and a sentence where the disk cannot promise that."""

import errno
from pathlib import Path

import pytest

from alexnet_core import lock
from alexnet_core.errors import ExplorerError
from alexnet_core.lock import Busy, alone


def test_a_second_one_is_told_that_the_first_is_at_it(tmp_path: Path) -> None:
    with alone(tmp_path / "it.lock", "wait"), pytest.raises(Busy, match="wait"), alone(tmp_path / "it.lock", "wait"):
        pytest.fail("both hold it")
    with alone(tmp_path / "it.lock", "wait"):
        assert (tmp_path / "it.lock").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_locks_is_a_sentence_and_not_taken_for_a_lock_that_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_try_lock", without)
    with pytest.raises(ExplorerError, match="knows no locks") as caught, alone(tmp_path / "it.lock", "wait"):
        pytest.fail("nobody may think that it holds it")
    assert not isinstance(caught.value, Busy)
