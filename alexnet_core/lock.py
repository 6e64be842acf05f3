"""One process at a time: a lock that the operating system takes back when its holder dies, however it dies."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alexnet_core.errors import ExplorerError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


HELD = (BlockingIOError, PermissionError)
"""What the systems answer where a lock is held; everything else says that none can be had."""


class Busy(ExplorerError):
    """Another process or thread holds the lock."""


@contextmanager
def alone(path: Path, busy: str) -> Iterator[None]:
    """Hold the lock file `path`; raises Busy(busy) at once where another process or thread holds it, ExplorerError
    where the disk knows no locks, and OSError where the file cannot be made.

    A file left behind by a dead process holds nothing: the lock is the operating system's, the file only its address.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _try_lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, HELD):
                raise Busy(busy) from error
            raise ExplorerError(
                f"The disk of “{path.parent.name}” knows no locks, which keep two programs from writing at once. "
                "Choose a folder on another disk, for all data with ALEXNET_HOME."
            ) from error
        # The last holder may have removed the file between our opening and our locking it: we would hold nothing.
        if _leads_to(path, descriptor):
            break
        os.close(descriptor)
    try:
        yield
    finally:
        if sys.platform != "win32":  # which cannot remove an open file: there it stays, empty
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _leads_to(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
