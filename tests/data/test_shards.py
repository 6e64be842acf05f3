"""Images in shards are read like one array; a shard that is not whole is seen before it is read."""

import os
from pathlib import Path

import numpy as np
import pytest

from alexnet_core.data.shards import ShardWriter, StoredImages, broken_shard, shard_path
from alexnet_core.errors import ExplorerError

ROWS, SIDE = 23, 4
PIXELS = np.random.default_rng(0).integers(0, 256, (ROWS, SIDE, SIDE, 3), dtype=np.uint8)


def written(folder: Path, rows_per_shard: int, rows: int = ROWS) -> Path:
    """The first rows of PIXELS, handed over three at a time."""
    writer = ShardWriter(folder, SIDE, rows_per_shard, 0)
    for first in range(0, rows, 3):
        writer.append(PIXELS[first : min(first + 3, rows)].tobytes())
    writer.finish()
    return folder


@pytest.mark.parametrize("rows_per_shard", [1, 2, 5, 23, 100])
@pytest.mark.parametrize(("first", "last"), [(0, ROWS), (3, 17), (22, 23)])
def test_reading_is_that_of_an_array(tmp_path: Path, rows_per_shard: int, first: int, last: int) -> None:
    images = StoredImages(written(tmp_path, rows_per_shard), SIDE, rows_per_shard, first, last)
    array = PIXELS[first:last]
    assert (len(images), images.shape, images.dtype, images.ndim) == (len(array), array.shape, array.dtype, 4)
    assert images.nbytes == array.nbytes
    assert np.array_equal(np.asarray(images), array)
    assert np.array_equal(np.stack(list(images)), array)
    for position in (0, -1, len(array) // 2, np.int64(len(array) - 1)):
        assert np.array_equal(images[position], array[position])
    for cut in (slice(None), slice(2, 9), slice(-5, None), slice(None, None, -1), slice(1, 12, 3), slice(9, 2)):
        assert np.array_equal(images[cut], array[cut])
    mixed = np.random.default_rng(1).integers(-len(array), len(array), 60)  # also twice the same
    assert np.array_equal(images[mixed], array[mixed])
    assert np.array_equal(images[mixed.tolist()], array[mixed])
    assert np.array_equal(images[np.arange(len(array)) % 2 == 0], array[::2])
    repeated = [0, 0, min(2, len(array) - 1)]
    assert np.array_equal(images[repeated], array[repeated])
    assert images[[]].shape == (0, SIDE, SIDE, 3)


def test_what_is_read_is_in_memory_and_ones_own(tmp_path: Path) -> None:
    images = StoredImages(written(tmp_path, 5), SIDE, 5, 0, ROWS)
    for asked in (3, slice(0, 4), [1, 9]):
        read = images[asked]
        assert not isinstance(read, np.memmap)
        read[:] = 0
        assert np.array_equal(np.asarray(images), PIXELS)


@pytest.mark.parametrize(
    "asked", [ROWS, -ROWS - 1, [0, ROWS], np.array([0.5]), np.zeros((2, 2), int), np.ones(3, bool)]
)
def test_what_is_not_there_is_an_index_error(tmp_path: Path, asked: object) -> None:
    images = StoredImages(written(tmp_path, 5), SIDE, 5, 0, ROWS)
    with pytest.raises(IndexError):
        images[asked]


def test_only_what_is_asked_for_is_opened(tmp_path: Path) -> None:
    images = StoredImages(written(tmp_path, 5), SIDE, 5, 0, ROWS)
    for number in (0, 2, 3, 4):
        shard_path(tmp_path, number).unlink()
    assert np.array_equal(images[[6, 9, 5]], PIXELS[[6, 9, 5]])
    with pytest.raises(ExplorerError, match=r"images-00002.npy of a prepared data set is no longer there"):
        images[[6, 11]]


@pytest.mark.parametrize("rows", [0, 1, 5, 10, 23])
def test_shards_are_plain_arrays_and_only_the_last_is_shorter(tmp_path: Path, rows: int) -> None:
    written(tmp_path, 5, rows)
    lengths = [len(np.load(path)) for path in sorted(tmp_path.glob("images-*.npy"))]
    assert lengths == [5] * (rows // 5) + [rows % 5] * (rows % 5 > 0 or rows == 0)
    assert broken_shard(tmp_path, SIDE, 5, rows) is None


@pytest.mark.parametrize("rows", [0, 4, 5, 12])
def test_a_writer_goes_on_after_any_row(tmp_path: Path, rows: int) -> None:
    earlier = ShardWriter(tmp_path, SIDE, 5, 0)
    earlier.append(PIXELS[:18].tobytes() + b"half a row")
    earlier.close()
    writer = ShardWriter(tmp_path, SIDE, 5, rows)
    writer.append(PIXELS[rows:].tobytes())
    writer.finish()
    (tmp_path / "whole").mkdir()
    written(tmp_path / "whole", 5)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.npy")} == {
        path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()
    }


@pytest.mark.parametrize("damage", ["missing", "cut", "empty", "longer", "other rows", "other type", "no header"])
def test_a_shard_that_is_not_whole_is_named(tmp_path: Path, damage: str) -> None:
    path = shard_path(written(tmp_path, 5), 3)
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "other type":
        np.save(path, PIXELS[:5].astype(np.int8))
    elif damage == "other rows":
        np.save(path, PIXELS[:4])
    else:
        path.write_bytes(
            {"cut": whole[:-1], "empty": b"", "longer": whole + b"x", "no header": b"x" * len(whole)}[damage]
        )
    assert broken_shard(tmp_path, SIDE, 5, ROWS) == path.name


@pytest.mark.parametrize("asked", [20, slice(0, ROWS), [1, 22]])
def test_a_shard_that_is_cut_while_it_is_read_from_is_a_sentence(
    tmp_path: Path, asked: int | slice | list[int]
) -> None:
    images = StoredImages(written(tmp_path, 5), SIDE, 5, 0, ROWS)
    assert np.array_equal(images[:], PIXELS)
    for number in range(5):
        os.truncate(shard_path(tmp_path, number), 130)
    with pytest.raises(ExplorerError, match="can no longer be read"):
        images[asked]
