"""What is uploaded in quantity lies on the disk under names of our own, and is gone when the page lets go of it."""

import os
from pathlib import Path

import pytest
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from app.spool import FORGOTTEN, LARGE, Spool


@pytest.fixture
def manager() -> MemoryUploadedFileManager:
    return MemoryUploadedFileManager("/upload")


@pytest.fixture
def spool(manager: MemoryUploadedFileManager) -> Spool:
    return Spool(manager)


def arrive(manager: MemoryUploadedFileManager, name: str, file_id: str = "1", data: bytes = b"pixels") -> UploadedFile:
    manager.add_file("session", UploadedFileRec(file_id, name, "image/png", data))
    (record,) = manager.get_files("session", [file_id])
    return UploadedFile(record, FileURLs())


def read(spool: Spool, file: UploadedFile) -> bytes:
    with spool.open(file) as opened:
        return opened.read()


def lying(spool: Spool) -> list[Path]:
    return list(spool.folder.iterdir())


@pytest.mark.parametrize("name", ["pets/cats/1.png", "../../evil.png", "/etc/passwd"])
def test_a_file_of_a_folder_takes_no_memory(manager: MemoryUploadedFileManager, spool: Spool, name: str) -> None:
    file = arrive(manager, name)
    assert file.getvalue() == b""
    assert file.name == name
    assert read(spool, file) == b"pixels"
    (place,) = lying(spool)
    assert len(place.name) == 32
    manager.remove_file("session", "1")
    assert lying(spool) == []
    assert manager.get_files("session", ["1"]) == []


def test_a_single_file_is_left_as_it_is(manager: MemoryUploadedFileManager, spool: Spool) -> None:
    file = arrive(manager, "1.png")
    assert file.getvalue() == read(spool, file) == b"pixels"
    assert lying(spool) == []


def test_files_that_come_together_take_no_memory(manager: MemoryUploadedFileManager, spool: Spool) -> None:
    together = [one.file_id for one in manager.get_upload_urls("session", ["1.png", "2.png"])]
    (alone,) = (one.file_id for one in manager.get_upload_urls("session", ["3.png"]))
    files = [arrive(manager, "a.png", file_id) for file_id in (*together, alone)]
    assert [file.getvalue() for file in files] == [b"", b"", b"pixels"]
    assert [read(spool, file) for file in files] == 3 * [b"pixels"]
    manager.remove_session_files("session")
    assert lying(spool) == []


def test_a_large_zip_takes_no_memory(manager: MemoryUploadedFileManager, spool: Spool) -> None:
    data = bytes(LARGE + 1)
    file = arrive(manager, "pets.zip", data=data)
    assert file.getvalue() == b""
    assert read(spool, file) == data
    assert arrive(manager, "small.zip", "2", bytes(LARGE)).getvalue() == bytes(LARGE)


def test_a_closed_page_leaves_nothing(manager: MemoryUploadedFileManager, spool: Spool) -> None:
    for number in range(3):
        arrive(manager, f"pets/{number}.png", str(number))
    assert len(lying(spool)) == 3
    manager.remove_session_files("session")
    assert lying(spool) == []


def test_without_room_on_the_disk_a_file_stays_in_memory(
    manager: MemoryUploadedFileManager, spool: Spool, monkeypatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert read(spool, arrive(manager, "pets/1.png")) == b"pixels"
    assert lying(spool) == []


def test_what_a_killed_server_left_is_removed_later(manager: MemoryUploadedFileManager, spool: Spool) -> None:
    for name in ("old", "new"):
        (spool.folder / name).write_bytes(b"x")
    os.utime(spool.folder / "old", (1, (spool.folder / "new").stat().st_mtime - FORGOTTEN - 9))
    Spool(MemoryUploadedFileManager("/upload"))
    assert [path.name for path in lying(spool)] == ["new"]
