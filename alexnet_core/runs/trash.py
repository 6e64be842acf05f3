"""Runs that a person deleted: moved aside as they are, so that one click brings them back, until the trash is emptied.

Nothing is copied, so deleting a run of gigabytes takes a moment and needs no room.
"""

import shutil
from contextlib import suppress
from pathlib import Path

from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder, move_folder
from alexnet_core.places import runs_home, trash_home
from alexnet_core.runs.directory import RUN_ID, RunDirectory
from alexnet_core.runs.states import LIVE


def delete(run: RunDirectory) -> None:
    """Move a run to the trash. Raises ExplorerError for a bundled run, and for one that is going on."""
    if run.bundled:
        raise ExplorerError("This network comes with the program and cannot be deleted; only your own runs can.")
    if run.path.resolve().parent != runs_home().resolve():
        raise ExplorerError(f"The run {run.id} lies in a folder of yours, not among the runs; delete it there.")
    if run.state().status in LIVE:
        raise ExplorerError("This run is still going on; stop it on the page Train before you delete it.")
    place = trash_home() / run.id
    if place.exists():  # an experiment gives its runs the same names again
        raise ExplorerError(f"A run {run.id} lies in the trash already; bring that one back, or empty the trash first.")
    _move(run.path, place)


def restore(run_id: str) -> RunDirectory:
    """Bring a deleted run back. Raises ExplorerError where it is not in the trash, or its place is taken."""
    deleted = _find(run_id)
    place = runs_home() / deleted.id
    if place.exists():
        raise ExplorerError(f"There is a run {deleted.id} already; rename or delete that one first.")
    _move(deleted.path, place)
    return RunDirectory.open(place)


def deleted_runs() -> list[RunDirectory]:
    """What lies in the trash, by id, the newest first."""
    root = trash_home()
    paths = sorted(root.glob("*/config.json"), reverse=True) if root.is_dir() else []
    ours = (path.parent for path in paths if not path.parent.is_symlink())
    return [RunDirectory(path) for path in ours if RUN_ID.fullmatch(path.name)]


def empty() -> int:
    """Delete what lies in the trash for good. Returns how many runs that were; raises ExplorerError where the system
    refuses."""
    runs = deleted_runs()
    for run in runs:
        try:
            shutil.rmtree(run.path)
        except OSError as error:
            raise ExplorerError(
                f"The run {run.id} could not be deleted for good: {error.strerror or error}. The rest stays."
            ) from error
    return len(runs)


def size_of(run: RunDirectory) -> int:
    """Bytes that a run takes on the disk; links are not followed, and what goes meanwhile is not counted."""
    found = 0
    with suppress(FileNotFoundError):  # another window has just emptied the trash
        for path in run.path.rglob("*"):
            with suppress(FileNotFoundError):  # of a run that goes on, a file that has got its own name
                found += path.lstat().st_size
    return found


def _find(run_id: str) -> RunDirectory:
    return RunDirectory.find(run_id, (trash_home(),))


def _move(path: Path, place: Path) -> None:
    make_folder(place.parent)
    try:
        move_folder(path, place)
    except OSError as error:
        raise ExplorerError(
            f"The run {path.name} could not be moved: {error.strerror or error}. Check the program's home folder."
        ) from error
