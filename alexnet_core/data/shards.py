"""Rows of pixels in shards: .npy files of bounded size that are written at their end and read in place.

All shards but the last hold the same number of rows, so that the place of a row follows from its number.
"""

import os
from collections.abc import Iterator, Sequence
from io import BytesIO, FileIO
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Protocol

import numpy as np

from alexnet_core.errors import ExplorerError
from alexnet_core.memory import is_lack_of_memory

SHARD_BYTES = 1_000_000_000
"""Small enough to be copied, checked or thrown away one by one, and for every file system; large enough that
ImageNet at 224 pixels is 201 files, which a process can hold open all at once."""


class ImageRows(Protocol):
    """uint8 pictures (N, S, S, 3) that are read when they are asked for: an array, shards, or crops of photographs."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice | np.ndarray, /) -> np.ndarray: ...


def shard_path(folder: Path, number: int) -> Path:
    """Where the shard lies."""
    return folder / f"images-{number:05d}.npy"


class StoredImages:
    """uint8 images (N, S, S, 3) that lie in shards: like an array to read from, but only what is asked for is read.

    An int, a slice, a list or an array of positions gives a new array in memory, in the order asked for. Rows are read
    into it, not mapped: a page of a mapped file that cannot be read, because the disk is failing or the file was cut,
    kills the process without a word; a reading that fails is an error with a sentence.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, folder: Path, side: int, rows_per_shard: int, first: int, last: int) -> None:
        """The rows [first, last) of the shards in `folder`, pictures of `side` pixels."""
        self.folder, self.rows_per_shard, self.first = folder, rows_per_shard, first
        self.shape = (last - first, side, side, 3)
        self.row_bytes = side * side * 3
        self._shards: dict[int, tuple[FileIO, int]] = {}
        self._one_at_a_time = Lock()

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """What all of them would take in memory."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[position] for position in range(len(self)))

    def __getitem__(self, asked: int | slice | Sequence[int] | np.ndarray) -> np.ndarray:
        """Raises IndexError for positions there are not, ExplorerError where a shard has gone or was cut meanwhile."""
        if isinstance(asked, int | np.integer):
            row = int(self._rows(np.array([asked]))[0])
            return self._run(row, row + 1)[0]
        if isinstance(asked, slice):
            first, last, step = asked.indices(len(self))
            if step == 1:
                return self._run(first + self.first, last + self.first)
            return self._gather(np.arange(first, last, step) + self.first)
        positions = np.asarray(asked)
        if positions.dtype == bool and positions.shape == self.shape[:1]:
            positions = np.flatnonzero(positions)
        return self._gather(self._rows(positions if positions.size else positions.astype(np.int64)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All of them in memory: what np.asarray asks for."""
        if copy is False:
            raise ValueError("Images in shards cannot become an array without being copied.")
        return self[:] if dtype is None else self[:].astype(dtype, copy=False)

    def _rows(self, positions: np.ndarray) -> np.ndarray:
        if positions.ndim != 1 or positions.dtype.kind not in "iu":
            raise IndexError("Images are asked for by a whole number, a slice, or a list of whole numbers.")
        if positions.size and not -len(self) <= positions.min() <= positions.max() < len(self):
            raise IndexError(f"There are {len(self)} images here.")
        return np.where(positions < 0, positions + len(self), positions) + self.first

    def _run(self, first: int, last: int) -> np.ndarray:
        images = np.empty((max(0, last - first), *self.shape[1:]), np.uint8)
        while first < last:
            number, inside = divmod(first, self.rows_per_shard)
            count = min(last - first, self.rows_per_shard - inside)
            start = len(images) - (last - first)
            self._read(number, inside, images[start : start + count])
            first += count
        return images

    def _gather(self, rows: np.ndarray) -> np.ndarray:
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        # In the order of the disk, whatever order was asked for: each shard is gone through once, from front to back.
        order = np.argsort(rows, kind="stable")
        numbers, inside = np.divmod(rows[order], self.rows_per_shard)
        for place, number, row in zip(order.tolist(), numbers.tolist(), inside.tolist(), strict=True):
            self._read(number, row, images[place])
        return images

    def _read(self, number: int, row: int, into: np.ndarray) -> None:
        """Fill `into`, pictures one behind the other, with those of a shard from `row` on."""
        missing = memoryview(into.data).cast("B")
        try:
            with self._one_at_a_time:
                if number not in self._shards:
                    self._shards[number] = _opened(shard_path(self.folder, number))
                file, start = self._shards[number]
                file.seek(start + row * self.row_bytes)
                while missing:
                    count = file.readinto(missing)
                    if not count:
                        raise EOFError
                    missing = missing[count:]
        except (OSError, ValueError, EOFError) as error:
            if is_lack_of_memory(error):
                raise
            path = shard_path(self.folder, number)
            raise ExplorerError(
                f"{path.name} of a prepared data set is no longer there, or can no longer be read. Delete the folder "
                f"{path.parent.name} and prepare the data set again."
            ) from error


def _opened(path: Path) -> tuple[FileIO, int]:
    """The file of a shard, and where its pixels begin."""
    file = path.open("rb", buffering=0)
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)
    return file, file.tell()


def broken_shard(folder: Path, side: int, rows_per_shard: int, rows: int) -> str | None:
    """The name of the first shard that is missing, cut short or something else; None where all are as they should be.

    To be asked before anything is read, so that a damaged set is told at once and not in the middle of an epoch.
    """
    for first in range(0, rows, rows_per_shard):
        path = shard_path(folder, first // rows_per_shard)
        shape = (min(rows_per_shard, rows - first), side, side, 3)
        try:
            with path.open("rb") as file:
                np.lib.format.read_magic(file)
                if np.lib.format.read_array_header_1_0(file) != (shape, False, np.dtype(np.uint8)):
                    return path.name
                if os.fstat(file.fileno()).st_size != file.tell() + np.prod(shape, dtype=np.int64):
                    return path.name
        except (OSError, ValueError) as error:
            if is_lack_of_memory(error):
                raise
            return path.name
    return None


class ShardWriter:
    """Shards that grow row by row, from where an earlier writer was stopped."""

    def __init__(self, folder: Path, side: int, rows_per_shard: int, rows: int) -> None:
        """Go on after so many rows in `folder`; what lies there beyond them is cut off."""
        self.folder, self.side, self.rows_per_shard, self.rows = folder, side, rows_per_shard, rows
        number, inside = divmod(rows, rows_per_shard)
        for later in folder.glob("images-*.npy"):
            if later.name > shard_path(folder, number).name:
                later.unlink()
        self.file = self._open(number)
        self.file.truncate(_end(inside, side))
        self.file.seek(0, os.SEEK_END)

    def _open(self, number: int) -> BinaryIO:
        path = shard_path(self.folder, number)
        path.touch()
        file = path.open("r+b")
        file.write(_head(self.rows_per_shard, self.side))
        return file

    def append(self, pixels: bytes) -> None:
        """Write whole rows one after another, into the next shard where this one is full."""
        left, row = memoryview(pixels), self.side * self.side * 3
        while left:
            room = self.rows_per_shard - self.rows % self.rows_per_shard
            here, left = left[: room * row], left[room * row :]
            self.file.write(here)
            self.rows += len(here) // row
            if self.rows % self.rows_per_shard == 0:
                self.sync()
                self.file.close()
                self.file = self._open(self.rows // self.rows_per_shard)

    def sync(self) -> None:
        """What was appended has reached the disk."""
        if not self.file.closed:  # as it is when Ctrl-C comes between two shards; then it has been synced
            self.file.flush()
            os.fsync(self.file.fileno())

    def finish(self) -> None:
        """Say in the last shard how many rows it holds; nothing can be appended any more."""
        number, inside = divmod(self.rows, self.rows_per_shard)
        if inside or not number:
            self.file.seek(0)
            self.file.write(_head(inside, self.side))
            self.sync()
            self.file.close()
        else:
            self.file.close()
            shard_path(self.folder, number).unlink()

    def close(self) -> None:
        """Leave it as it is."""
        self.file.close()


def holds(folder: Path, side: int, rows_per_shard: int, rows: int) -> bool:
    """Whether the shards of an unfinished folder are long enough for so many rows. Raises OSError where one lacks."""
    return all(
        shard_path(folder, first // rows_per_shard).stat().st_size >= _end(min(rows_per_shard, rows - first), side)
        for first in range(0, rows, rows_per_shard)
    )


def disk_bytes(side: int, rows: int) -> int:
    """What so many pictures take on the disk."""
    return _end(rows, side)


def _head(rows: int, side: int) -> bytes:
    """The head of an .npy file of uint8; numpy pads it, so that it is as long for any number of rows."""
    head = BytesIO()
    shape = (rows, side, side, 3)
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return head.getvalue()


def _end(rows: int, side: int) -> int:
    """The length in bytes of a shard of so many rows."""
    return len(_head(rows, side)) + rows * side * side * 3
