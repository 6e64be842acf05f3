"""Files that are whole or not there."""

import os
from pathlib import Path
from secrets import token_hex

from alexnet_core.errors import ExplorerError


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a crash leaves either the old file or the new one, never half of one.

    Raises ExplorerError when the disk is full or the place cannot be written; the old file is then untouched.
    """
    try:
        make_folder(path.parent)
        temporary = path.with_name(f".{path.name}.{token_hex(4)}.part")
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:  # whatever stopped it, also Ctrl-C: no half file stays behind
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExplorerError(
            f"{path.name} could not be written: {reason}. Free some space or choose another place."
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder and those above it. Raises ExplorerError when that is not allowed."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExplorerError(
            f"The folder {path} could not be made: {error.strerror or error}. Choose another place."
        ) from error


def _sync_folder(path: Path) -> None:
    # The new name itself must reach the disk; Windows neither needs nor allows this.
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
