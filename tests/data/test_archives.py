"""Zips as they should not be. Nothing is written beside the output."""

import errno
import os
import stat
import zipfile
from pathlib import Path

import pytest

from alexnet_core import limits as limits_module
from alexnet_core.data import archives
from alexnet_core.data.archives import archive_key, read_archive
from alexnet_core.data.collection import Refused
from alexnet_core.data.sources import prepare
from alexnet_core.errors import ExplorerError
from alexnet_core.limits import ArchiveLimits
from tests.pictures import class_files, make_zip, png

TWO_CLASSES = class_files()


def refused(room: Path, says: str) -> str:
    """The sentence with which room/in.zip is refused, at whichever moment."""
    with pytest.raises(ExplorerError, match=says) as error:
        prepare(room / "in.zip", out=room / "out")
    assert not (room / "out").exists()
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png",
        "cats/../../evil.png",
        "/tmp/evil.png",
        "C:/evil.png",
        "C:\\evil.png",
        "..\\evil.png",
        "\\evil.png",
    ],
)
def test_paths_that_lead_out_are_refused(guarded: Path, name: str) -> None:
    make_zip(guarded / "in.zip", {**TWO_CLASSES, zipfile.ZipInfo(name): png()})
    refused(guarded, "lead out of it")


def test_names_that_are_utf_8_without_saying_so_are_read_as_such(guarded: Path) -> None:
    names = {f"A\u0308pfel/{n}.png": png(n) for n in range(5)} | {f"Birnen/{n}.png": png(9 + n) for n in range(5)}
    # What zipfile writes where it finds only ASCII has no mark of UTF-8; the bytes are exchanged afterwards.
    plain = {name.replace("A\u0308", "A__"): data for name, data in names.items()}
    path = make_zip(guarded / "in.zip", plain)
    path.write_bytes(path.read_bytes().replace(b"A__pfel", "A\u0308pfel".encode()))
    collection = read_archive(path)
    assert collection.classes == ("Birnen", "\u00c4pfel")
    assert {entry.file for entry in collection.entries} >= {"\u00c4pfel/0.png", "Birnen/0.png"}
    assert collection.read(0).size == (20, 16)


def test_links_are_refused(guarded: Path) -> None:
    link = zipfile.ZipInfo("cats/link.png")
    link.create_system = 3  # Unix
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    make_zip(guarded / "in.zip", {**TWO_CLASSES, link: b"/etc/passwd"})
    refused(guarded, "contains links")


def test_encrypted_members_are_refused(guarded: Path) -> None:
    path = make_zip(guarded / "in.zip", TWO_CLASSES)
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1  # the flag "encrypted" in the table of contents
    path.write_bytes(bytes(data))
    refused(guarded, "is encrypted")


def test_bomb_is_refused_while_reading(guarded: Path) -> None:
    make_zip(guarded / "in.zip", {**TWO_CLASSES, "cats/bomb.png": bytes(9_000_000)})
    refused(guarded, "100 times its size")


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_cannot_be_unpacked_in_pieces_is_refused_before_it_is_unpacked(
    guarded: Path, monkeypatch: pytest.MonkeyPatch, way: int
) -> None:
    bomb = zipfile.ZipInfo("cats/bomb.png")
    bomb.compress_type = way
    with zipfile.ZipFile(guarded / "in.zip", "w") as archive:
        for name, data in TWO_CLASSES.items():
            archive.writestr(name, data)
        archive.writestr(bomb, bytes(9_000_000))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("unpacked"))
    refused(guarded, "packed in an unusual way")


def test_picture_above_its_limit_is_reported_not_read(guarded: Path) -> None:
    noise = os.urandom(11_000_000)
    make_zip(guarded / "in.zip", {**TWO_CLASSES, "cats/large.png": noise})
    prepared = prepare(guarded / "in.zip", out=guarded / "out", image_size=8)
    assert [(name, "larger than 10 MB" in reason) for name, reason in prepared.bad_files] == [("cats/large.png", True)]


def test_member_that_lies_about_its_size_is_caught(guarded: Path) -> None:
    path = make_zip(guarded / "in.zip", {**TWO_CLASSES, "zebras/lie.png": os.urandom(5_000)})
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    prepared = prepare(path, out=guarded / "out", image_size=8)
    assert [name for name, _ in prepared.bad_files] == ["zebras/lie.png"]


def limits(monkeypatch, **changed: int) -> None:
    small = {"packed_bytes": 10**9, "entries": 10**6, "unpacked_bytes": 10**9} | changed
    monkeypatch.setattr(archives, "archive_limits", lambda path: ArchiveLimits(**small))


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ({"packed_bytes": 1_000}, "is larger than"),
        ({"entries": 10}, "more than 10 files"),
        ({"unpacked_bytes": 5_000}, "unpacks to more than"),
    ],
)
def test_limits_of_a_zip(guarded: Path, monkeypatch, limit: dict[str, int], says: str) -> None:
    make_zip(guarded / "in.zip", TWO_CLASSES)
    limits(monkeypatch, **limit)
    refused(guarded, says)


def test_too_long_table_of_contents_is_refused_before_it_is_parsed(guarded: Path, monkeypatch) -> None:
    make_zip(guarded / "in.zip", {f"cats/{number}.png": b"" for number in range(500)})
    limits(monkeypatch, entries=10)
    monkeypatch.setattr(archives.zipfile, "ZipFile", lambda path: pytest.fail("parsed"))
    refused(guarded, "more than 10 files")


def test_uploads_have_narrower_limits_than_the_owner(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("ALEXNET_HOME", str(tmp_path))
    (tmp_path / "uploads").mkdir()
    monkeypatch.setattr(limits_module, "UPLOAD", ArchiveLimits(packed_bytes=10**8, entries=300, unpacked_bytes=10**8))
    many = {f"c{number % 2}/{number}.png": b"" for number in range(500)}
    for place, allowed in ((tmp_path / "own.zip", True), (tmp_path / "uploads" / "u.zip", False)):
        make_zip(place, many)
        if allowed:
            assert len(archive_key(place)) == 64
        else:
            with pytest.raises(ExplorerError, match="more than 300 files"):
                archive_key(place)


def test_a_very_large_zip_is_known_by_its_table_of_contents(tmp_path: Path, monkeypatch) -> None:
    path = make_zip(tmp_path / "in.zip", TWO_CLASSES)
    monkeypatch.setattr(archives, "READ_WHOLE", 0)
    known = archive_key(path)
    os.utime(path, (1, 1))
    assert archive_key(path) == known
    assert archive_key(make_zip(path, TWO_CLASSES | {"cats/0.png": png(9_999)})) != known
    assert archive_key(make_zip(path, TWO_CLASSES | {"cats/9.png": png()})) != known
    limits(monkeypatch, entries=10)
    with pytest.raises(ExplorerError, match="more than 10 files"):
        archive_key(path)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no", b"x" * 1_000])
def test_no_zip_at_all(guarded: Path, data: bytes) -> None:
    (guarded / "in.zip").write_bytes(data)
    refused(guarded, "is not a zip, or a damaged one")


def test_a_zip_that_goes_meanwhile_is_no_zip_of_bad_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_zip(tmp_path / "in.zip", TWO_CLASSES)
    collection = read_archive(path)

    def unplugged(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(zipfile.ZipFile, "open", unplugged)
    with pytest.raises(ExplorerError, match="damaged inside the zip"):
        collection.read(0)
    path.unlink()
    with pytest.raises(Refused, match=r"“in\.zip” is not there any more"):
        collection.read(0)


def test_zip_cut_off(guarded: Path) -> None:
    path = make_zip(guarded / "in.zip", TWO_CLASSES)
    path.write_bytes(path.read_bytes()[:-200])
    refused(guarded, "is not a zip, or a damaged one")


def test_damaged_member_is_one_bad_file(guarded: Path) -> None:
    path = make_zip(guarded / "in.zip", TWO_CLASSES)
    data = bytearray(path.read_bytes())
    data[60:80] = bytes(20)
    path.write_bytes(bytes(data))
    prepared = prepare(path, out=guarded / "out", image_size=8)
    assert len(prepared.bad_files) == 1
    assert "damaged inside the zip" in prepared.bad_files[0][1]
