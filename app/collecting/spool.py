"""Folders that a browser sends lie on the disk, not in the server's memory.

Streamlit keeps every uploaded file in memory until the page that asked for it has run: a thousand photographs of a
telephone are 4 GB. Files of a folder, which are the only ones with a path for a name, are written to the disk the
moment they arrive; Streamlit is left with their names.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.typing import UploadedFile

from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder
from alexnet_core.limits import PICTURE_BYTES
from alexnet_core.places import uploads_home

FORGOTTEN = 24 * 3600.0
"""Seconds after which a file that a killed server left behind is removed."""


class Spool:
    """The files of folders that have arrived, on the disk under names of our own."""

    def __init__(self, manager: MemoryUploadedFileManager) -> None:
        self.folder = uploads_home() / "arriving"
        self._places: dict[str, Path] = {}
        self._ids: dict[str, list[str]] = {}
        self._manager = manager
        make_folder(self.folder)
        for left in self.folder.iterdir():
            with suppress(OSError):  # another server has just removed it
                if time.time() - left.stat().st_mtime > FORGOTTEN:
                    left.unlink()
        self._add, self._remove, self._end = manager.add_file, manager.remove_file, manager.remove_session_files
        manager.add_file = self.add_file  # type: ignore[method-assign]
        manager.remove_file = self.remove_file  # type: ignore[method-assign]
        manager.remove_session_files = self.remove_session_files  # type: ignore[method-assign]

    def add_file(self, session_id: str, file: UploadedFileRec) -> None:
        """Called when a file has arrived, from any thread. What finds no place on the disk stays in memory."""
        if "/" in file.name:
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
        self._forget(file_id)
        self._remove(session_id, file_id)

    def remove_session_files(self, session_id: str) -> None:
        """Called when a person has closed the page."""
        for file_id in self._ids.pop(session_id, []):
            self._forget(file_id)
        self._end(session_id)

    def _forget(self, file_id: str) -> None:
        place = self._places.pop(file_id, None)
        if place is not None:
            place.unlink(missing_ok=True)

    def read(self, file: UploadedFile) -> bytes:
        """The file's bytes, wherever they lie. Raises ExplorerError where they are gone."""
        place = self._places.get(file.file_id)
        if place is None:
            return file.getvalue()
        try:
            with place.open("rb") as stored:
                return stored.read(PICTURE_BYTES + 1)
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
    """Let folders that arrive from now on lie on the disk."""
    _of_server()


def reading(files: list[UploadedFile]) -> Callable[[int], bytes]:
    """Gives the bytes of the file at a position, once: then the server forgets them."""
    spool, context = _of_server(), get_script_run_ctx()
    assert context is not None

    def read(position: int) -> bytes:
        data = spool.read(files[position])
        context.uploaded_file_mgr.remove_file(context.session_id, files[position].file_id)
        return data

    return read
