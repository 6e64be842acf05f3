"""The prepared form: what is opened is whole, or a sentence says that it is not."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.shards import broken_shard
from alexnet_core.data.sources import prepare
from alexnet_core.errors import ExplorerError
from tests.pictures import class_files, make_folder


@pytest.fixture
def prepared(tmp_path: Path) -> PreparedSet:
    folder = make_folder(tmp_path / "pets", class_files(images=20))
    return prepare(folder, out=tmp_path / "prepared", image_size=16)


def test_splits_are_ranges_of_the_rows_on_disk(prepared: PreparedSet) -> None:
    train, val = prepared.images("train"), prepared.images("val")
    assert train.dtype == np.uint8
    assert train.shape == (prepared.count("train"), 16, 16, 3)
    stored = np.load(prepared.directory / "images-00000.npy")
    assert np.array_equal(stored, np.concatenate([train, val]))
    assert len(train) + len(val) == 40
    assert prepared.labels("val").dtype == np.int64
    assert len(prepared.files("train")) == len(train)
    assert sum(prepared.class_counts("train")) == len(train)


def test_statistics_are_those_of_the_train_pixels(prepared: PreparedSet) -> None:
    pixels = np.asarray(prepared.images("train")).reshape(-1, 3) / 255.0
    assert prepared.mean == pytest.approx(pixels.mean(axis=0), abs=1e-6)
    assert prepared.std == pytest.approx(pixels.std(axis=0), abs=1e-6)
    assert np.allclose(prepared.rgb_covariance, np.cov(pixels.T, bias=True), atol=1e-6)


def test_preprocessing_travels_with_the_set(prepared: PreparedSet) -> None:
    assert (prepared.preprocessing.size, prepared.preprocessing.resize) == (16, 16)
    assert prepared.preprocessing.mean == prepared.mean


def test_missing_split_is_a_sentence(prepared: PreparedSet) -> None:
    assert "test" not in prepared.splits  # 40 pictures are too few to give any away
    with pytest.raises(ExplorerError, match="has no test split; it has train, val"):
        prepared.images("test")


def change_meta(directory: Path, **changes: object) -> None:
    meta = json.loads((directory / "meta.json").read_text())
    (directory / "meta.json").write_text(json.dumps(meta | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"splits": {"train": [0, 30], "val": [30, 39]}},
        {"splits": {"train": [0, 30], "val": [29, 40]}},
        {"splits": {"train": [0, 40]}},
        {"splits": {"train": [0, 36], "val": [36, 40], "../../x": [40, 40]}},
        {"classes": ["cats"]},
        {"rows_per_shard": 0},
        {"rows_per_shard": "many"},
        {"classes": 3},
        {"image_size": 10**9},
        {"mean": [0.5, 0.5]},
        {"mean": [float("nan"), 0.5, 0.5]},
        {"std": [0.0, 0.2, 0.2]},
        {"rgb_covariance": [[1, 2], [3, 4]]},
        {"rgb_covariance": "none"},
    ],
)
def test_meta_that_does_not_fit_is_refused(prepared: PreparedSet, changes: dict[str, object]) -> None:
    change_meta(prepared.directory, **changes)
    with pytest.raises(ExplorerError, match=r"is damaged\. Delete this folder"):
        PreparedSet.open(prepared.directory)


@pytest.mark.parametrize("changes", [{"image_size": 32}, {"rows_per_shard": 10}])
def test_pixels_that_do_not_fit_are_named(prepared: PreparedSet, changes: dict[str, object]) -> None:
    change_meta(prepared.directory, **changes)
    with pytest.raises(
        ExplorerError, match=r"is damaged: images-00000.npy is missing or not as it was written\. Delete"
    ):
        PreparedSet.open(prepared.directory)


def test_other_version_is_named_as_such(prepared: PreparedSet) -> None:
    change_meta(prepared.directory, format=99)
    with pytest.raises(ExplorerError, match="another version"):
        PreparedSet.open(prepared.directory)


def test_names_from_a_stranger_are_cleaned(prepared: PreparedSet) -> None:
    change_meta(prepared.directory, classes=["a\x1b[31m" + "x" * 100, "b"], title="t\n\x00")
    opened = PreparedSet.open(prepared.directory)
    assert opened.classes[0].isprintable()
    assert len(opened.classes[0]) == 64
    assert opened.title == "t"


@pytest.mark.parametrize("name", ["images-00000.npy", "labels.npy", "meta.json"])
def test_half_a_file_is_noticed(prepared: PreparedSet, name: str) -> None:
    path = prepared.directory / name
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ExplorerError, match="is damaged"):
        PreparedSet.open(prepared.directory)
    path.write_bytes(b"")
    with pytest.raises(ExplorerError, match="is damaged"):
        PreparedSet.open(prepared.directory)


@pytest.mark.parametrize("name", ["images-00000.npy", "labels.npy", "meta.json"])
def test_missing_file_is_noticed(prepared: PreparedSet, name: str) -> None:
    (prepared.directory / name).unlink()
    with pytest.raises(ExplorerError, match=r"damaged|not a prepared data set"):
        PreparedSet.open(prepared.directory)


def test_pickles_are_not_loaded(prepared: PreparedSet) -> None:
    np.save(prepared.directory / "labels.npy", np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(ExplorerError, match="is damaged"):
        PreparedSet.open(prepared.directory)


def test_label_without_a_class_is_noticed(prepared: PreparedSet) -> None:
    labels = np.load(prepared.directory / "labels.npy")
    labels[3] = 2
    np.save(prepared.directory / "labels.npy", labels)
    with pytest.raises(ExplorerError, match="is damaged"):
        PreparedSet.open(prepared.directory)


def test_damaged_list_of_files_is_a_sentence_when_it_is_asked_for(prepared: PreparedSet) -> None:
    (prepared.directory / "files.json").write_text("[")
    with pytest.raises(ExplorerError, match=r"files\.json"):
        PreparedSet.open(prepared.directory).files("train")


def test_too_little_memory_is_not_taken_for_damage(prepared: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    images = prepared.images("train")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(Path, "open", full)
    for read in (lambda: PreparedSet.open(prepared.directory), lambda: prepared.files("train"), lambda: images[0]):
        with pytest.raises(OSError, match=os.strerror(errno.ENOMEM)):
            read()
    with pytest.raises(OSError, match=os.strerror(errno.ENOMEM)):
        broken_shard(prepared.directory, 16, prepared.rows_per_shard, 1)
