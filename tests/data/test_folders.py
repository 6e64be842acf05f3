"""Folders and zips as people have them, and as they should not have them. Nothing is written beside the output."""

import os
import stat
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from alexnet_core import limits as limits_module
from alexnet_core.data import folders
from alexnet_core.data.folders import archive_key, folder_key, read_archive, read_folder
from alexnet_core.data.sources import prepare
from alexnet_core.errors import ExplorerError
from alexnet_core.limits import ArchiveLimits
from tests.pictures import class_files, make_folder, make_zip, png

TWO_CLASSES = class_files()


@pytest.fixture
def guarded(tmp_path: Path):
    """A room with a canary in it; afterwards nothing else may lie there but what the test names by `room.mine`."""
    room = tmp_path / "room"
    room.mkdir()
    (room / "canary").write_text("alive")
    (tmp_path / "canary").write_text("alive")
    yield room
    assert (room / "canary").read_text() == "alive"
    assert (tmp_path / "canary").read_text() == "alive"
    strange = {file.name for file in room.iterdir()} - {"canary", "in.zip", "in", "out", "out.partial", "out.lock"}
    assert not strange
    assert {file.name for file in tmp_path.iterdir()} == {"canary", "room"}


def refused(room: Path, says: str) -> str:
    """The sentence with which room/in.zip is refused, at whichever moment."""
    with pytest.raises(ExplorerError, match=says) as error:
        prepare(room / "in.zip", out=room / "out")
    assert not (room / "out").exists()
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("wrapping", ["", "my pictures/", "a/b/"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("above", "splits"),
    [
        ([""], {"train": 16}),
        (["train/"], {"train": 16}),
        (["train/", "test/"], {"train": 16, "test": 16}),
        (["Training/", "VALIDATION/"], {"train": 16, "val": 16}),
        (["train/", "valid/", "testing/"], {"train": 16, "val": 16, "test": 16}),
    ],
)
def test_layouts(tmp_path: Path, wrapping: str, packed: bool, above: list[str], splits: dict[str, int]) -> None:
    files: dict[str, bytes] = {}
    for number, folder in enumerate(above):
        files |= class_files(above=wrapping + folder, seed=50 * number)
    if packed:
        collection = read_archive(make_zip(tmp_path / "in.zip", files))
    else:
        collection = read_folder(make_folder(tmp_path / "in", files))
    assert collection.classes == ("cats", "dogs")
    assert Counter(entry.split for entry in collection.entries) == splits
    for position, entry in enumerate(collection.entries):
        assert entry.file.split("/")[-2] == collection.classes[entry.label]
        assert collection.read(position).size == (20, 16)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    collection = read_folder(make_folder(tmp_path, class_files(["train", "car", "plane"])))
    assert collection.classes == ("car", "plane", "train")


def test_folders_inside_a_class_belong_to_it(tmp_path: Path) -> None:
    files = class_files(["cats/young", "cats/old", "dogs/any"])
    assert Counter(e.label for e in read_folder(make_folder(tmp_path, files)).entries) == {0: 16, 1: 8}


def test_what_computers_add_is_passed_over(tmp_path: Path) -> None:
    junk = {
        "__MACOSX/cats/._1.png": b"x",
        "cats/.DS_Store": b"x",
        ".git/a/1.png": png(),
        "cats/Thumbs.db": b"x",
        "dogs/desktop.ini": b"x",
        "in/.hidden.png": png(),
    }
    collection = read_archive(make_zip(tmp_path / "in.zip", {f"in/{k}": v for k, v in (TWO_CLASSES | junk).items()}))
    assert len(collection.entries) == 16
    assert collection.skipped == ()


def test_other_files_and_loose_pictures_are_reported(tmp_path: Path) -> None:
    extra = {"readme.txt": b"hello", "cats/notes.csv": b"1,2", "loose.png": png()}
    prepared = prepare(make_folder(tmp_path / "in", TWO_CLASSES | extra), out=tmp_path / "out", image_size=8)
    reasons = dict(prepared.bad_files)
    assert set(reasons) == {"readme.txt", "cats/notes.csv", "loose.png"}
    assert "outside the class folders" in reasons["loose.png"]


def test_class_without_training_pictures_is_reported(tmp_path: Path) -> None:
    files = class_files(above="train/") | class_files(["birds", "dogs"], above="test/", seed=99)
    collection = read_folder(make_folder(tmp_path, files))
    assert collection.classes == ("cats", "dogs")
    assert {reason for _, reason in collection.skipped} == {"Its class has no training pictures."}
    assert len(collection.skipped) == 8


def test_names_differing_in_case_or_accents_are_one_class(tmp_path: Path) -> None:
    files = class_files(["train/Caf\u00e9", "test/CAFE\u0301", "train/dogs", "test/Dogs"])
    collection = read_archive(make_zip(tmp_path / "in.zip", files))
    assert collection.classes == ("Café", "dogs")
    assert len(collection.entries) == 32


def test_hostile_names_become_plain_ones(tmp_path: Path) -> None:
    wild = "<script>\u202e\x1b[31m" + "x" * 80
    collection = read_archive(make_zip(tmp_path / "in.zip", class_files([wild, "dogs"])))
    shown = collection.classes[0]
    assert shown.isprintable()
    assert len(shown) == 64
    assert all(part.isprintable() and len(part) <= 64 for e in collection.entries for part in e.file.split("/"))


def test_names_that_look_the_same_are_refused(tmp_path: Path) -> None:
    files = class_files(["x" * 70 + "a", "x" * 70 + "b"])
    with pytest.raises(ExplorerError, match="look the same"):
        read_archive(make_zip(tmp_path / "in.zip", files))


def test_bad_pictures_are_reported_with_their_reason(guarded: Path) -> None:
    bad = {"cats/empty.png": b"", "dogs/text.jpg": b"hello", "dogs/cut.png": png()[:100]}
    make_zip(guarded / "in.zip", TWO_CLASSES | bad)
    prepared = prepare(guarded / "in.zip", out=guarded / "out", image_size=8)
    assert {name for name, _ in prepared.bad_files} == set(bad)
    assert sum(prepared.count(split) for split in prepared.splits) == 16


def test_same_picture_in_two_classes_and_two_splits(tmp_path: Path) -> None:
    files = class_files(above="train/") | class_files(above="test/", seed=50)
    files |= {"train/dogs/0.png": files["train/cats/0.png"], "test/cats/1.png": files["train/cats/1.png"]}
    prepared = prepare(make_folder(tmp_path / "in", files), out=tmp_path / "out", image_size=16)
    assert {frozenset(pair) for pair in prepared.duplicates} == {
        frozenset({"train/cats/0.png", "train/dogs/0.png"}),
        frozenset({"train/cats/1.png", "test/cats/1.png"}),
    }


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "holds no pictures"),
        ({"readme.txt": b"hello"}, "no pictures here"),
        ({"1.png": png(), "2.png": png(1)}, "too few pictures"),
        (class_files(["cats"]), "too few pictures"),
        (class_files(images=4), "too few pictures"),
        (class_files(["test/cats", "test/dogs", "val/cats"]), "none for training"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_too_little_is_refused_with_the_layout_we_expect(
    guarded: Path, files: dict[str, bytes], says: str, packed: bool
) -> None:
    if packed:
        source = make_zip(guarded / "in.zip", files)
    else:
        source = guarded / "in"
        source.mkdir()
        make_folder(source, files)
    with pytest.raises(ExplorerError, match=says) as error:
        prepare(source, out=guarded / "out")
    assert "2 folders, one a class" in str(error.value)
    assert not (guarded / "out").exists()


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
    monkeypatch.setattr(folders, "archive_limits", lambda path: ArchiveLimits(**small))


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
    monkeypatch.setattr(folders.zipfile, "ZipFile", lambda path: pytest.fail("parsed"))
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
    monkeypatch.setattr(folders, "READ_WHOLE", 0)
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


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are made differently elsewhere")
def test_links_and_pipes_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    outside = make_folder(tmp_path / "outside", class_files(["secret"]))
    folder = make_folder(tmp_path / "in", TWO_CLASSES)
    (folder / "secret").symlink_to(outside / "secret")
    (folder / "cats" / "loop").symlink_to(folder)
    (folder / "cats" / "link.png").symlink_to(outside / "secret" / "0.png")
    os.mkfifo(folder / "cats" / "pipe.png")
    collection = read_folder(folder)
    assert len(collection.entries) == 16
    assert {name for name, _ in collection.skipped} == {"secret", "cats/loop", "cats/link.png"}


def test_key_of_a_folder_changes_with_its_content(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, TWO_CLASSES)
    before = folder_key(folder)
    assert folder_key(folder) == before
    os.utime(folder / "cats" / "0.png", ns=(1, 1))
    touched = folder_key(folder)
    (folder / "cats" / "0.png").rename(folder / "cats" / "00.png")
    assert len({before, touched, folder_key(folder)}) == 3
