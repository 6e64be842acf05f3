"""Pictures that people brought: on the disk, each under its own sha256, until nobody has used it for a month."""

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from alexnet_core import images
from alexnet_core.errors import ExplorerError
from alexnet_core.files import write_whole
from alexnet_core.places import uploads_home

DAYS = 30
"""A picture that was not used for so long is removed."""


def keep(data: bytes) -> str:
    """Write a picture down unless it lies there; its key. What lies unused for too long makes room."""
    key = images.sha256(data)
    path = uploads_home() / key
    if path.exists():
        _used(path)
    else:
        write_whole(path, data)
        tidy()
    return key


def read(key: str) -> bytes:
    """The picture as it came. Raises ExplorerError where it is gone."""
    path = uploads_home() / key
    _used(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ExplorerError("The picture is not here any more; choose it again.") from error


def _used(path: Path) -> None:
    with suppress(OSError):  # gone, or another user's, whose pictures one may read all the same
        os.utime(path)


def tidy() -> None:
    """Remove what nobody has used for too long."""
    for path in uploads_home().glob("*"):
        if re.fullmatch("[0-9a-f]{64}", path.name):  # zips, which data sets were made of, lie in folders
            with suppress(OSError):  # another server has just removed it
                if time.time() - path.stat().st_mtime > DAYS * 24 * 3600:
                    path.unlink()
