"""Any source becomes the same thing, once; without a network a sentence says what works."""

import dataclasses
import os
import shutil
import time
import types
from pathlib import Path

import numpy as np
import pytest

from alexnet_core.data import corrections, downloads, sources
from alexnet_core.data.sources import DATASETS, available, prepare
from alexnet_core.errors import ExplorerError
from tests.pictures import class_files, make_folder, make_zip

SHARED = Path(__file__).parents[3] / "shared" / "data"
FASHION = SHARED / "FashionMNIST" / "raw"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("ALEXNET_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def no_network(monkeypatch) -> None:
    for scheme in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(scheme, "http://127.0.0.1:9")  # where nobody answers


def test_table_of_data_sets() -> None:
    assert list(DATASETS) == ["digits", "shapes", "mnist", "fashion_mnist", "cifar10", "imagenette"]
    assert [name for name, entry in DATASETS.items() if entry.offline] == ["digits", "shapes"]


def test_digits(home: Path) -> None:
    prepared = prepare("digits")
    assert prepared.directory.parent == home / "data"
    assert {split: prepared.count(split) for split in prepared.splits} == {"train": 1349, "val": 179, "test": 269}
    assert prepared.images("train").shape[1:] == (64, 64, 3)
    assert prepared.classes == tuple("0123456789")
    assert min(prepared.class_counts("test")) > 20
    assert prepared.bad_files == []
    assert prepared.licence


def test_second_time_is_only_opened(monkeypatch) -> None:
    first = prepare("digits", image_size=16)
    monkeypatch.setattr(sources, "write", lambda *_: pytest.fail("prepared again"))
    monkeypatch.setattr(sources, "digits", lambda *_: pytest.fail("read again"))
    assert prepare("digits", image_size=16) == first
    assert prepare(first.directory) == first
    assert prepare(str(first.directory), image_size=16) == first


def test_each_size_is_a_set_of_its_own() -> None:
    small, large = prepare("digits", image_size=8), prepare("digits", image_size=16)
    assert small.directory != large.directory
    assert small.identity != large.identity
    assert np.array_equal(small.labels("val"), large.labels("val"))


def test_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = (prepare("shapes", image_size=16, out=tmp_path / name) for name in ("one", "two"))
    for file in one.directory.iterdir():
        assert file.read_bytes() == (two.directory / file.name).read_bytes()


def test_prepared_and_uploaded_pictures_are_cut_alike(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "pets", class_files(images=8))
    prepared = prepare(folder, image_size=8)
    from alexnet_core.images import decode_file

    for row, file in zip(prepared.images("train"), prepared.files("train"), strict=True):
        assert np.array_equal(row, np.asarray(prepared.preprocessing.crop(decode_file(folder / file))))


def test_changed_folder_is_prepared_anew(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "My pets", class_files())
    before = prepare(folder)
    assert prepare(str(folder)).identity == before.identity
    make_folder(folder, class_files(["birds"]))
    after = prepare(folder)
    assert after.classes == ("birds", "cats", "dogs")
    assert after.identity != before.identity
    assert after.directory.name.startswith("my-pets-64-")


def test_zip_is_known_by_its_content_not_its_date(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "pets.zip", class_files())
    before = prepare(path)
    os.utime(path, (1, 1))
    assert prepare(path).identity == before.identity


def test_out_that_holds_another_set_is_refused(tmp_path: Path) -> None:
    prepare("digits", image_size=8, out=tmp_path / "out")
    with pytest.raises(ExplorerError, match="another data set"):
        prepare("shapes", image_size=8, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("fashon-mnist", "Did you mean fashion_mnist"),
        ("no/such/folder", "The data sets are digits, shapes"),
        ("", "is not a zip|too few|holds no pictures|no data set"),
        ("x" * 5_000, "no data set"),
        ("a\x00b", "no data set"),
    ],
)
def test_unknown_source_is_a_sentence(source: str, says: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExplorerError, match=says):
        prepare(source)


@pytest.mark.parametrize("size", [0, -5, 7, 1025, 10**9])
def test_impossible_size_is_a_sentence(size: int) -> None:
    with pytest.raises(ExplorerError, match="between 8 and 1024"):
        prepare("digits", image_size=size)


def test_other_size_of_a_prepared_directory_is_a_sentence() -> None:
    with pytest.raises(ExplorerError, match="already prepared with 16 pixels"):
        prepare(prepare("digits", image_size=16).directory, image_size=32)


def test_damaged_set_is_never_used(home: Path) -> None:
    prepared = prepare("digits", image_size=8)
    (prepared.directory / "labels.npy").write_bytes(b"")
    with pytest.raises(ExplorerError, match="is damaged"):
        prepare("digits", image_size=8)
    assert all(not one.prepared for one in available())


def test_available_lists_what_is_known_and_what_is_prepared(tmp_path: Path) -> None:
    assert [(one.name, one.prepared) for one in available()] == [(name, ()) for name in DATASETS]
    prepare("digits", image_size=8)
    prepare("digits", image_size=16)
    prepare(make_folder(tmp_path / "pets", class_files()))
    listed = {one.name: one for one in available()}
    assert {p.image_size for p in listed["digits"].prepared} == {8, 16}
    assert listed["digits"].disk_bytes > 1_797 * 16 * 16 * 3
    assert (listed["pets"].images, listed["pets"].classes) == (16, 2)


def test_a_set_that_has_not_got_its_name_yet_is_not_offered() -> None:
    prepared = prepare("digits", image_size=8)
    place = prepared.directory
    place.rename(place.with_name(place.name + ".partial"))  # as a kill just before the last step leaves it
    assert not any(one.prepared for one in available())


def test_own_pictures_that_are_called_like_a_known_set_do_not_pass_for_it(tmp_path: Path) -> None:
    own = prepare(make_zip(tmp_path / "cifar10.zip", class_files()), image_size=32)
    listed = {one.source: one for one in available()}
    assert listed["cifar10"].prepared == ()
    assert listed[str(own.directory)].prepared == (own,)
    digits = prepare("digits", image_size=8)
    corrections.keep(digits, corrections.of(digits).then("drop", {digits.files("train")[0]: ""}))
    assert prepare("digits", image_size=8).original == digits.identity
    (listed_digits,) = [one for one in available() if one.name == "digits"]
    assert [one.original for one in listed_digits.prepared] == ["", digits.identity]


def test_of_pictures_that_grew_the_latest_are_offered_and_others_of_that_name_beside_them(tmp_path: Path) -> None:
    pets = make_folder(tmp_path / "pets", class_files())
    older = prepare(pets)
    make_folder(pets, class_files(["birds"], seed=900))
    newer = prepare(pets)
    other = prepare(make_folder(tmp_path / "elsewhere" / "pets", class_files(seed=50)))
    os.utime(older.directory / "meta.json", (1, 1))
    listed = [(one.source, one.classes) for one in available() if one.name == "pets"]
    assert sorted(listed) == sorted([(str(newer.directory), 3), (str(other.directory), 2)])


@pytest.mark.usefixtures("no_network")
def test_without_a_network_one_sentence_names_what_works_offline(home: Path) -> None:
    with pytest.raises(ExplorerError) as error:
        prepare("cifar10")
    assert all(word in str(error.value) for word in ("CIFAR-10", "network", "digits", "shapes", "folder or zip"))
    assert not (home / "data").exists()


@pytest.mark.usefixtures("no_network")
def test_download_can_be_stopped() -> None:
    began = time.monotonic()
    with pytest.raises(ExplorerError, match="was stopped"):
        prepare("mnist", cancelled=lambda: True)
    assert time.monotonic() - began < 5


def test_stalled_download_is_given_up(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(downloads, "STALLED", 0.1)
    with pytest.raises(ExplorerError, match="could not be downloaded"):
        prepare("mnist", downloads=tmp_path / "downloads")


@pytest.mark.usefixtures("no_network")
def test_torchvision_set(tmp_path: Path) -> None:
    if not FASHION.is_dir():
        pytest.skip("Fashion-MNIST does not lie in ../shared/data")
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for packed in FASHION.glob("*.gz"):
        shutil.copyfile(packed, raw / packed.name)
        (raw / packed.stem).write_bytes(b"")  # as if an earlier attempt had been killed while it unpacked
    stages: dict[str, tuple[int, int]] = {}

    def progress(done: int, total: int, stage: str) -> None:
        assert 0 <= done <= total
        stages[stage] = (done, total)

    prepared = prepare("fashion_mnist", image_size=28, out=tmp_path / "out", progress=progress, downloads=tmp_path)
    assert {s: prepared.count(s) for s in prepared.splits} == {"train": 54_000, "val": 6_000, "test": 10_000}
    assert prepared.class_counts("val") == [600] * 10
    assert "Ankle boot" in prepared.classes
    assert stages["preparing"] == (70_000, 70_000)
    pixels = np.frombuffer((raw / "t10k-images-idx3-ubyte").read_bytes()[16:], dtype=np.uint8)
    assert np.array_equal(np.asarray(prepared.images("test"))[..., 0].ravel(), pixels)


def test_imagenette_is_a_folder_with_better_names(tmp_path: Path, monkeypatch) -> None:
    wnids = ["n01440764", "n02102040"]
    for split, seed in (("train", 0), ("val", 50)):
        files = class_files(wnids, above=f"imagenette2-160/{split}/", seed=seed)
        make_folder(tmp_path, {name.replace(".png", ".jpeg"): data for name, data in files.items()})
    monkeypatch.setitem(DATASETS, "imagenette", dataclasses.replace(DATASETS["imagenette"], images=32))
    prepared = prepare("imagenette", image_size=8, downloads=tmp_path)
    assert prepared.classes == ("tench", "English springer")
    assert {split: prepared.count(split) for split in prepared.splits} == {"train": 14, "val": 2, "test": 16}


def test_cifar10_keeps_its_colours_and_its_test_split(tmp_path: Path, monkeypatch) -> None:
    """torchvision checks the sums of CIFAR-10's files, so its objects are played here by stand-ins of the same form."""

    def half(seed: int, rows: int) -> types.SimpleNamespace:
        chance = np.random.default_rng(seed)
        data = chance.integers(0, 256, (rows, 32, 32, 3), dtype=np.uint8)
        return Half(data=data, targets=[row % 2 for row in range(rows)], classes=["airplane", "automobile"])

    class Half(types.SimpleNamespace):
        def __len__(self) -> int:
            return len(self.data)

    monkeypatch.setitem(DATASETS, "cifar10", dataclasses.replace(DATASETS["cifar10"], images=60))
    train, test = half(0, 40), half(1, 20)
    monkeypatch.setattr(downloads, "fetch", lambda name, root, download: (train, test))
    prepared = prepare("cifar10")
    assert np.array_equal(prepared.images("test"), test.data)
    assert prepared.count("train") + prepared.count("val") == 40
    assert prepared.files("test")[3] == "test/automobile/00003"
