"""Folders and zips as people have them: layouts, names, what is passed over."""

import os
from collections import Counter
from pathlib import Path

import pytest

from alexnet_core.data.archives import archive_files, read_archive
from alexnet_core.data.collection import Refused
from alexnet_core.data.folders import folder_files, folder_key, read_folder
from alexnet_core.data.sources import prepare
from alexnet_core.errors import ExplorerError
from tests.pictures import class_files, make_folder, make_zip, png

TWO_CLASSES = class_files()


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


def test_the_folder_where_one_is_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make_folder(tmp_path / "pets", TWO_CLASSES) / "cats")
    assert read_folder(Path("..")).title == "pets"
    monkeypatch.chdir(tmp_path / "pets")
    assert prepare(".", image_size=8, out=tmp_path / "out").title == "pets"


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


@pytest.mark.parametrize("packed", [False, True])
def test_a_picture_beside_the_folder_for_training_makes_no_class_of_all(tmp_path: Path, packed: bool) -> None:
    files = class_files(above="mine/train/") | {"mine/cover.jpg": png(99)}
    source = make_zip(tmp_path / "a.zip", files) if packed else make_folder(tmp_path / "a", files)
    found = archive_files(source, "a") if packed else folder_files(source, loose="a")
    assert found.classes == ("a", "cats", "dogs")
    collection = read_archive(source) if packed else read_folder(source)
    assert collection.classes == ("cats", "dogs")
    assert [file for file, _ in collection.skipped] == ["mine/cover.jpg"]


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


@pytest.mark.parametrize("packed", [False, True])
def test_pictures_whose_long_names_begin_alike_are_told_apart(tmp_path: Path, packed: bool) -> None:
    files = {
        f"{name}/{'y' * 70} {number}.png": png(100 * place + number)
        for place, name in enumerate(("cats", "dogs"))
        for number in range(8)
    }
    source = make_zip(tmp_path / "in.zip", files) if packed else make_folder(tmp_path / "in", files)
    collection = read_archive(source) if packed else read_folder(source)
    names = [entry.file for entry in collection.entries]
    assert len(set(names)) == len(names) == 16
    assert all(len(part) <= 64 for name in names for part in name.split("/"))


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


def test_a_folder_that_goes_meanwhile_is_no_folder_of_bad_pictures(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", TWO_CLASSES)
    collection = read_folder(folder)
    (folder / collection.entries[0].file).unlink()
    with pytest.raises(ExplorerError, match="There is no file") as one:
        collection.read(0)
    assert not isinstance(one.value, Refused)
    folder.rename(tmp_path / "unplugged")
    with pytest.raises(Refused, match="“in” is not there any more"):
        collection.read(1)


def test_key_of_a_folder_changes_with_its_content(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, TWO_CLASSES)
    before = folder_key(folder)
    assert folder_key(folder) == before
    os.utime(folder / "cats" / "0.png", ns=(1, 1))
    touched = folder_key(folder)
    (folder / "cats" / "0.png").rename(folder / "cats" / "00.png")
    assert len({before, touched, folder_key(folder)}) == 3
