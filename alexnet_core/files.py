"""Files that are whole or not there."""

import errno
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, TypeVar

from alexnet_core.errors import ExplorerError

T = TypeVar("T")

HELD_SECONDS = 3.0 if sys.platform == "win32" else 0.0
"""How long to try again where a file is refused. On Windows nobody can replace a file while another program has it
open, a page that reads how a run stands or a scanner that looks for viruses, nor open it while it is replaced, nor move
a folder in which one is open."""


def write_whole(path: Path, data: bytes | BinaryIO) -> None:
    """Write `data`, or all that is left of a file, to `path` so that a crash leaves either the old file or the new one,
    never half of one.

    Raises ExplorerError when the disk is full or the place cannot be written; the old file is then untouched.
    """
    try:
        make_folder(path.parent)
        temporary = path.with_name(f".{path.name}.{token_hex(4)}.part")
        try:
            with temporary.open("xb") as file:
                if isinstance(data, bytes):
                    file.write(data)
                else:
                    shutil.copyfileobj(data, file)
                file.flush()
                os.fsync(file.fileno())
            _patiently(lambda: os.replace(temporary, path))
        except BaseException:  # whatever stopped it, also Ctrl-C: no half file stays behind
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise _not_written(path, error) from error


def read_whole(path: Path) -> bytes:
    """What a file holds that another process may just be writing with `write_whole`. Raises OSError."""
    return _patiently(path.read_bytes)


def move_folder(path: Path, place: Path) -> None:
    """Give a folder another name, or another place on its disk. Raises OSError."""
    _patiently(lambda: path.rename(place))


def write_in_place(path: Path, data: bytes) -> None:
    """Write `data` over what `path` holds, where `write_whole` finds the disk full: a small file that exists has its
    place on the disk already. A crash in this moment can leave half of it. Raises ExplorerError."""
    try:
        with path.open("r+b", buffering=0) as file:
            if file.write(data) == len(data):
                file.truncate()
            os.fsync(file.fileno())
    except OSError as error:
        raise _not_written(path, error) from error


def append_line(path: Path, line: bytes) -> None:
    """Add `line`, which ends with a line feed, to the end of a file by one write: a reader sees all of it or an
    unfinished last line. Raises ExplorerError, with no part of the line left, when the disk is full."""
    try:
        with path.open("ab", buffering=0) as file:
            before = file.tell()
            # A disk that has room for a part of the line takes that part, and says so only by this number.
            if file.write(line) != len(line):
                file.truncate(before)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise _not_written(path, error) from error


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of `files`, by the names they have in it. Equal files give equal bytes; nothing is compressed, for weights
    and logs of numbers hardly shrink."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write `files` into a new or empty folder, by their names in it. Raises ExplorerError where it holds something
    already, or cannot be written."""
    if os.path.exists(folder) and (not os.path.isdir(folder) or any(folder.iterdir())):
        raise ExplorerError(f"{folder.name} already exists and is not an empty folder; choose another place.")
    for name, data in files.items():
        write_whole(folder / name, data)


def sync(path: Path) -> None:
    """Bring what was written to `path` to the disk. Raises ExplorerError when that fails."""
    try:
        with path.open("r+b") as file:  # Windows brings only what was opened for writing
            os.fsync(file.fileno())
    except OSError as error:
        raise _not_written(path, error) from error


def clear_leftovers(folder: Path, names: str) -> None:
    """Remove the temporary files that a `write_whole` of the files `names` (a pattern) left when it was killed. To be
    called where nobody else can be writing those files."""
    for path in folder.glob(f".{names}.????????.part"):
        path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder and those above it. Raises ExplorerError when that is not allowed."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExplorerError(
            f"The folder {path} could not be made: {error.strerror or error}. Choose another place."
        ) from error


def _not_written(path: Path, error: OSError) -> ExplorerError:
    reason = error.strerror or str(error)
    return ExplorerError(f"{path.name} could not be written: {reason}. Free some space or choose another place.")


def _patiently(do: Callable[[], T]) -> T:
    until = time.monotonic() + HELD_SECONDS
    while True:
        try:
            return do()
        except PermissionError:
            if time.monotonic() >= until:
                raise
        time.sleep(0.02)


def _sync_folder(path: Path) -> None:
    # The new name itself must reach the disk; Windows neither needs nor allows this.
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            # Folders that another computer or the host of a virtual machine shares cannot always be synced. The file
            # itself is there, and on the disk.
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
        finally:
            os.close(handle)
