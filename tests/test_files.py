import errno
import io
import os
import stat
from pathlib import Path

import pytest

from alexnet_core import files
from alexnet_core.errors import ExplorerError
from alexnet_core.files import append_line, clear_leftovers, move_folder, read_whole, write_in_place, write_whole


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.bin"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["file.bin"]


@pytest.mark.skipif(os.name != "posix", reason="permissions are a matter of POSIX systems")
def test_others_may_read_it_as_far_as_the_persons_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_whole(tmp_path / "file", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(tmp_path / "file", b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ExplorerError, match="file could not be written: No space left on device"):
        write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="only there folders are synced")
def test_a_disk_that_cannot_sync_folders_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = os.fsync

    def of_files_alone(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        really(handle)

    monkeypatch.setattr("os.fsync", of_files_alone)
    write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_place_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(ExplorerError, match="could not be made"):
        write_whole(tmp_path / "mine" / "file", b"x")


def test_a_line_that_only_half_fits_leaves_nothing_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append_line(tmp_path / "lines", b"first\n")
    opened = io.open

    def nearly_full(*arguments: object, **named: object) -> io.FileIO:
        file = opened(*arguments, **named)  # type: ignore[call-overload]
        monkeypatch.setattr(io, "open", opened)
        return HalfWritten(file.name, file.mode)

    class HalfWritten(io.FileIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            return super().write(data[:3])

    monkeypatch.setattr(io, "open", nearly_full)
    with pytest.raises(ExplorerError, match="lines could not be written: No space left on device"):
        append_line(tmp_path / "lines", b"second\n")
    append_line(tmp_path / "lines", b"third\n")
    assert (tmp_path / "lines").read_bytes() == b"first\nthird\n"


def test_writing_in_place_needs_an_existing_file_and_leaves_no_old_end(tmp_path: Path) -> None:
    with pytest.raises(ExplorerError, match="could not be written"):
        write_in_place(tmp_path / "state", b"new")
    write_whole(tmp_path / "state", b"something longer")
    write_in_place(tmp_path / "state", b"new")
    assert (tmp_path / "state").read_bytes() == b"new"


def test_only_what_a_killed_writing_left_is_cleared(tmp_path: Path) -> None:
    for name in (".a.bin.0123abcd.part", ".b.bin.0123abcd.part", "a.bin", ".a.bin.part"):
        (tmp_path / name).touch()
    clear_leftovers(tmp_path, "a.*")
    assert sorted(os.listdir(tmp_path)) == [".a.bin.part", ".b.bin.0123abcd.part", "a.bin"]


def test_a_file_that_another_program_holds_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "HELD_SECONDS", 5.0)
    for name, module in (("replace", os), ("read_bytes", Path), ("rename", Path)):
        held, really = iter([True, True]), getattr(module, name)

        def refused_twice(*arguments: object, held=held, really=really) -> object:  # type: ignore[no-untyped-def]
            if next(held, False):
                raise PermissionError(13, "Access is denied")
            return really(*arguments)

        monkeypatch.setattr(module, name, refused_twice)
    write_whole(tmp_path / "state", b"new")
    assert read_whole(tmp_path / "state") == b"new"
    assert os.listdir(tmp_path) == ["state"]
    (tmp_path / "run").mkdir()
    move_folder(tmp_path / "run", tmp_path / "trash")
    assert sorted(os.listdir(tmp_path)) == ["state", "trash"]


def test_a_file_that_stays_refused_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Access is denied")

    monkeypatch.setattr(files, "HELD_SECONDS", 0.05)
    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(ExplorerError, match="state could not be written: Access is denied"):
        write_whole(tmp_path / "state", b"new")
    assert os.listdir(tmp_path) == []
