"""What a browser sends in quantity lies on the disk, not in the server's memory.

Streamlit keeps every uploaded file in memory until the page that asked for it has run: a thousand photographs of a
telephone are 4 GB. Folders, several files at once, and what is larger than any picture may be are written to the disk
the moment they arrive; Streamlit is left with their names.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFileRec, UploadFileUrlInfo
from streamlit.typing import UploadedFile

from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder
from alexnet_core.limits import PICTURE_BYTES
from alexnet_core.places import uploads_home

LARGE = 11_000_000
"""Bytes. A single file of less stays in memory: a picture, which at most one page looks at."""
FORGOTTEN = 24 * 3600.0
"""Seconds after which a file that a killed server left behind is removed."""


class Spool:
    """The files that have arrived, on the disk under names of our own."""

    def __init__(self, manager: MemoryUploadedFileManager) -> None:
        self.folder = uploads_home() / "arriving"
        self._places: dict[str, Path] = {}
        self._ids: dict[str, list[str]] = {}
        self._several: dict[str, set[str]] = {}
        """The ids of files that are on their way together, by the session that sends them."""
        make_folder(self.folder)
        for left in self.folder.iterdir():
            with suppress(OSError):  # another server has just removed it
                if time.time() - left.stat().st_mtime > FORGOTTEN:
                    left.unlink()
        self._announce = manager.get_upload_urls
        self._add, self._remove, self._end = manager.add_file, manager.remove_file, manager.remove_session_files
        manager.get_upload_urls = self.get_upload_urls  # type: ignore[method-assign]
        manager.add_file = self.add_file  # type: ignore[method-assign]
        manager.remove_file = self.remove_file  # type: ignore[method-assign]
        manager.remove_session_files = self.remove_session_files  # type: ignore[method-assign]

    def get_upload_urls(self, session_id: str, file_names: Sequence[str]) -> list[UploadFileUrlInfo]:
        """Called when a browser is about to send the files that a person has chosen."""
        announced = self._announce(session_id, file_names)
        if len(announced) > 1:
            self._several.setdefault(session_id, set()).update(one.file_id for one in announced)
        return announced

    def add_file(self, session_id: str, file: UploadedFileRec) -> None:
        """Called when a file has arrived, from any thread. What finds no place on the disk stays in memory."""
        together = file.file_id in self._several.get(session_id, ())
        if together or "/" in file.name or len(file.data) > LARGE:
            place = self.folder / token_hex(16)
            try:
                place.write_bytes(file.data)
            except OSError:
                place.unlink(missing_ok=True)
            else:
                self._places[file.file_id] = place
                self._ids.setdefault(session_id, []).append(file.file_id)
                file = file._replace(data=b"")
        self._add(session_id, file)

    def remove_file(self, session_id: str, file_id: str) -> None:
        """Called when a person or the page lets go of a file."""
        self.drop(file_id)
        self._remove(session_id, file_id)

    def remove_session_files(self, session_id: str) -> None:
        """Called when a person has closed the page."""
        self._several.pop(session_id, None)
        for file_id in self._ids.pop(session_id, []):
            self.drop(file_id)
        self._end(session_id)

    def drop(self, file_id: str) -> None:
        """Free the place of a file on the disk; nothing where it has none."""
        place = self._places.pop(file_id, None)
        if place is not None:
            place.unlink(missing_ok=True)

    def open(self, file: UploadedFile) -> BinaryIO:
        """The file, wherever it lies, to be read and closed. Raises ExplorerError where it is gone."""
        place = self._places.get(file.file_id)
        if place is None:
            return BytesIO(file.getvalue())
        try:
            return place.open("rb")
        except OSError as error:
            raise ExplorerError("This file did not arrive whole. Send it again.") from error


@st.cache_resource
def _of_server() -> Spool:
    """The one of this server, which begins with the first visit of the page."""
    context = get_script_run_ctx()
    assert context is not None
    manager = context.uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return Spool(manager)


def begin() -> None:
    """Let what arrives from now on lie on the disk."""
    _of_server()


def opened(file: UploadedFile) -> BinaryIO:
    """An uploaded file of any size, to be read in pieces and closed."""
    return _of_server().open(file)


def drop(file: UploadedFile) -> None:
    """Free the place of a file that is kept elsewhere; the uploader goes on showing its name."""
    _of_server().drop(file.file_id)


def reading(files: Sequence[UploadedFile]) -> Callable[[int], bytes]:
    """Gives the bytes of the picture at a position, once: then the server forgets them."""

    def read(position: int) -> bytes:
        with opened(files[position]) as file:
            data = file.read(PICTURE_BYTES + 1)
        forget([files[position]])
        return data

    return read


def forget(files: Sequence[UploadedFile]) -> None:
    """Let go of files that nobody will ask for again, wherever they lie."""
    context = get_script_run_ctx()
    assert context is not None
    for file in files:
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
