"""Deleted runs come back whole, and nothing but the trash is ever emptied."""

from collections.abc import Callable
from pathlib import Path

import pytest

from alexnet_core.errors import ExplorerError
from alexnet_core.places import bundled_runs, runs_home, trash_home
from alexnet_core.runs import trash
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.listing import list_runs
from alexnet_core.runs.states import RunState

NewRun = Callable[..., RunDirectory]


@pytest.fixture
def stopped(new_run: NewRun) -> RunDirectory:
    run = new_run(runs_home() / "20260101-mine")
    run.write_state(RunState("stopped"))
    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def mine() -> list[str]:
    return [run.id for run in list_runs() if not run.bundled]


def test_a_deleted_run_comes_back_byte_for_byte(stopped: RunDirectory) -> None:
    before = contents(stopped.path)
    trash.delete(stopped)
    assert mine() == []
    assert [run.id for run in trash.deleted_runs()] == [stopped.id]
    with pytest.raises(ExplorerError, match="no run called"):
        RunDirectory.find(stopped.id)
    back = trash.restore(stopped.id)
    assert (contents(back.path), mine(), trash.deleted_runs()) == (before, [stopped.id], [])


def test_a_second_run_of_the_same_name_is_told_of_the_first(stopped: RunDirectory, new_run: NewRun) -> None:
    trash.delete(stopped)
    again = new_run(stopped.path)
    again.write_state(RunState("stopped"))
    with pytest.raises(ExplorerError, match="in the trash already"):
        trash.delete(again)
    assert mine() == [stopped.id]


@pytest.mark.parametrize("status", ["queued", "running", "paused"])
def test_a_run_that_goes_on_is_refused(stopped: RunDirectory, status: str) -> None:
    stopped.write_state(RunState.of_this_process(status))  # type: ignore[arg-type]
    with pytest.raises(ExplorerError, match="stop it"):
        trash.delete(stopped)
    assert mine() == [stopped.id]


def test_bundled_ones_and_those_in_folders_of_a_persons_own_stay(new_run: NewRun, tmp_path: Path) -> None:
    bundled = next(RunDirectory(path) for path in bundled_runs().iterdir())
    with pytest.raises(ExplorerError, match="comes with the program"):
        trash.delete(bundled)
    own = new_run(tmp_path / "thesis" / "a-run")
    own.write_state(RunState("stopped"))
    with pytest.raises(ExplorerError, match="folder of yours"):
        trash.delete(own)
    assert own.path.is_dir()


def test_a_taken_place_is_not_overwritten(stopped: RunDirectory, new_run: NewRun) -> None:
    trash.delete(stopped)
    new_run(stopped.path)
    with pytest.raises(ExplorerError, match="already"):
        trash.restore(stopped.id)
    assert [run.id for run in trash.deleted_runs()] == [stopped.id]


@pytest.mark.parametrize("run_id", ["../runs/20260101-mine", "..", "", "/etc", "a\0b", "20260101-mine"])
def test_only_what_lies_in_the_trash_is_restored(stopped: RunDirectory, run_id: str) -> None:
    trash_home().mkdir(parents=True)
    before = contents(stopped.path)
    with pytest.raises(ExplorerError):
        trash.restore(run_id)
    assert contents(stopped.path) == before


def test_emptying_deletes_the_trash_and_nothing_else(stopped: RunDirectory, new_run: NewRun, tmp_path: Path) -> None:
    kept = new_run(runs_home() / "20260102-kept")
    canary = new_run(tmp_path / "elsewhere" / "canary")
    trash.delete(stopped)
    (trash_home() / stopped.id / "link").symlink_to(canary.path)
    (trash_home() / "linked-run").symlink_to(canary.path)
    assert trash.size_of(trash.deleted_runs()[0]) > 100
    assert trash.empty() == 1
    assert trash.deleted_runs() == []
    assert mine() == [kept.id]
    assert (canary.path / "config.json").exists()


def test_a_file_that_goes_while_sizes_are_counted_has_none(
    stopped: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = trash.size_of(stopped)
    listed = [*stopped.path.rglob("*"), stopped.path / ".state.json.0a1b2c3d.part"]
    monkeypatch.setattr(Path, "rglob", lambda path, pattern: iter(listed))
    assert trash.size_of(stopped) == size > 100
