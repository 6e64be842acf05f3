import dataclasses
import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.places import data_home
from alexnet_core.runs.data_identity import DataIdentity


def test_data_are_opened_where_they_were(few: PreparedSet) -> None:
    assert DataIdentity.of(few).opened() == few


def test_on_another_machine_they_are_found_in_its_own_home(few: PreparedSet, tmp_path: Path) -> None:
    moved = dataclasses.replace(DataIdentity.of(few), directory=str(tmp_path / "elsewhere" / "few"))
    with pytest.raises(ExplorerError, match="not a prepared data set"):
        moved.opened()
    shutil.copytree(few.directory, data_home() / "few")
    assert moved.opened().directory == data_home() / "few"
    from_windows = dataclasses.replace(moved, directory="C:\\Users\\Ada\\.alexnet-explorer\\data\\few")
    assert from_windows.opened().directory == data_home() / "few"


def test_a_place_that_cannot_be_looked_at_is_a_missing_one(
    few: PreparedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impossible = dataclasses.replace(DataIdentity.of(few), directory=f"/{'x' * 5_000}")
    with pytest.raises(ExplorerError, match="not a prepared data set"):
        impossible.opened()
    look, closed = os.stat, tmp_path / "root"

    def refused(path: Any, *arguments: Any, **named: Any) -> os.stat_result:
        if not isinstance(path, int) and str(closed) in os.fsdecode(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return look(path, *arguments, **named)

    monkeypatch.setattr(os, "stat", refused)
    elsewhere = dataclasses.replace(DataIdentity.of(few), directory=str(closed / "few"))
    with pytest.raises(ExplorerError, match="not a prepared data set"):
        elsewhere.opened()


def test_other_data_in_their_place_are_refused(few: PreparedSet) -> None:
    with pytest.raises(ExplorerError, match="has changed since the training began"):
        dataclasses.replace(DataIdentity.of(few), identity="another").opened()
