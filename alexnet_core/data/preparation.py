"""From a collection of pictures to a prepared set on disk: split, decode, cut, write; stop and go on at any moment.

Everything is written into an unfinished folder beside its place (`unfinished`). Each picture is read once: its place in
the colour statistics and among the equal pictures is taken on the way, and memory holds a few pieces of work and 16
bytes a picture, however many there are.

Threads, not processes: Pillow lets go of the interpreter while it decodes and resizes, about nine tenths of the work,
and on two cores both were as fast. Past ten cores or so the last tenth is the limit, at some thousand pictures a
second; there a disk that writes 150 kB a picture soon is one, too.
"""

import errno
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from alexnet_core.data.ahead import made_ahead
from alexnet_core.data.collection import LAYOUT, Cancelled, Collection, Progress, Refused, check_classes
from alexnet_core.data.colour_sums import ColourSums
from alexnet_core.data.equal_pictures import DIGEST_BYTES, digest, equal_rows
from alexnet_core.data.prepared import FORMAT_VERSION, SPLITS, PreparedSet
from alexnet_core.data.shards import SHARD_BYTES, ShardWriter
from alexnet_core.data.splits import carve, ranges
from alexnet_core.data.unfinished import Unfinished, sync
from alexnet_core.errors import ExplorerError
from alexnet_core.images import NoRoom, clean_name
from alexnet_core.lock import alone
from alexnet_core.memory import is_lack_of_memory
from alexnet_core.preprocess import Preprocessing

CHUNK = 64
"""Pictures a task, at most: enough to make handing over cheap."""
CHUNK_BYTES = 2_000_000
"""Pixels a task: few enough that what waits to be written stays small, also with two tasks for each of 64 cores."""
SAVE_EVERY = 2.0
"""Seconds between two notes of progress: what a kill can cost."""


def write(
    collection: Collection,
    out: Path,
    image_size: int,
    identity: str,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> PreparedSet:
    """Prepare `collection` into the folder `out`, going on where an earlier attempt was stopped.

    Raises ExplorerError when cancelled, when the disk is full, when another process is at it (all of these can
    be continued), and where the collection is of no use.
    """
    out = Path(out)
    with _sentences_for_disk_and_memory(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        busy = f"“{clean_name(out.name)}” is already being prepared by another process. Wait until it is done."
        with alone(out.with_name(out.name + ".lock"), busy):
            if (out / "meta.json").exists():
                return PreparedSet.open(out)
            if out.exists() and (not out.is_dir() or any(out.iterdir())):
                raise ExplorerError(f"“{clean_name(out.name)}” already holds something else. Choose another folder.")
            return _Writer(collection, out, image_size, identity, shard_bytes).run(progress, cancelled)


@contextmanager
def _sentences_for_disk_and_memory(out: Path) -> Iterator[None]:
    full = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
    name = clean_name(out.name)
    try:
        yield
    except (OSError, MemoryError, RuntimeError) as error:
        if is_lack_of_memory(error):
            raise ExplorerError(
                f"There was not enough memory to prepare “{name}”. Close other programs and start again: it goes on "
                "from here."
            ) from error
        if not isinstance(error, OSError):
            raise
        if error.errno in full:
            raise ExplorerError(
                f"There is no space left on the disk for “{name}”. Make room and start again: it goes on from here."
            ) from error
        reason = error.strerror or "unknown error"
        raise ExplorerError(f"“{name}” cannot be written ({reason}). Choose another folder.") from error


@dataclass(frozen=True)
class _Piece:
    """What became of a few entries."""

    entries: int
    pixels: bytes
    digests: bytes
    bad: list[tuple[int, str]]
    """(position in the collection, reason)."""
    colours: ColourSums
    """Of the rows for training."""


class _Writer:
    """One preparation: entries in the order of their rows, on their way into the unfinished folder."""

    def __init__(self, collection: Collection, out: Path, image_size: int, identity: str, shard_bytes: int) -> None:
        check_classes(entry.label for entry in collection.entries)
        self.collection, self.out = collection, out
        self.preprocessing = Preprocessing(size=image_size, resize=image_size)
        self.row_bytes = image_size * image_size * 3
        self.splits = carve(collection.entries)
        # The order of the rows, as positions in the collection: by split, otherwise as the source has them.
        self.order = sorted(range(len(self.splits)), key=lambda position: SPLITS.index(self.splits[position]))
        rows_per_shard = max(1, shard_bytes // self.row_bytes)
        self.unfinished = Unfinished(out, identity, image_size, rows_per_shard, len(self.order))

    def run(self, progress: Progress | None, cancelled: Cancelled | None) -> PreparedSet:
        folder = self.unfinished
        folder.begin()
        if not folder.complete():
            folder.digests.touch()
            shards = ShardWriter(folder.path, folder.side, folder.rows_per_shard, folder.reached.rows)
            try:
                with folder.digests.open("r+b") as digests:
                    digests.truncate(folder.reached.rows * DIGEST_BYTES)
                    digests.seek(0, os.SEEK_END)
                    self._fill(shards, digests, progress, cancelled)
                shards.finish()
            finally:
                shards.close()
            self._finish()
        folder.publish()
        return PreparedSet.open(self.out)

    def _fill(
        self, shards: ShardWriter, digests: BinaryIO, progress: Progress | None, cancelled: Cancelled | None
    ) -> None:
        folder, total, saved = self.unfinished, len(self.order), time.monotonic()

        def stopped() -> str:
            return (
                f"The preparation of “{self.collection.title}” was stopped after {folder.reached.done:,} of {total:,} "
                "pictures. Start it again and it goes on from there."
            )

        def save() -> None:
            # First the pictures, then the note that they are there.
            shards.sync()
            sync(digests)
            folder.note()

        try:
            for piece in self._pieces(folder.reached.done):
                if cancelled and cancelled():
                    raise ExplorerError(stopped())
                shards.append(piece.pixels)
                digests.write(piece.digests)
                folder.take(piece.entries, piece.bad, piece.colours)
                if progress:
                    progress(folder.reached.done, total, "preparing")
                if time.monotonic() - saved > SAVE_EVERY:
                    save()
                    saved = time.monotonic()
        except KeyboardInterrupt as stop:
            raise KeyboardInterrupt(stopped()) from stop
        finally:
            save()

    def _pieces(self, start: int) -> Iterator[_Piece]:
        """What became of the entries from `start` on, some at a time, in order."""
        chunk = min(CHUNK, max(1, CHUNK_BYTES // self.row_bytes))
        chunks = (self.order[first : first + chunk] for first in range(start, len(self.order), chunk))
        workers = os.cpu_count() or 1
        return made_ahead(chunks, self._read, ThreadPoolExecutor(workers, "prepare"), 2 * workers)

    def _read(self, entries: list[int]) -> _Piece:
        rows: list[bytes] = []
        to_learn: list[bytes] = []
        bad: list[tuple[int, str]] = []
        for position in entries:
            try:
                row = self.preprocessing.crop(self.collection.read(position)).tobytes()
            except (Refused, NoRoom):
                raise
            except ExplorerError as error:
                bad.append((position, str(error)))
                continue
            rows.append(row)
            if self.splits[position] == "train":
                to_learn.append(row)
        return _Piece(len(entries), b"".join(rows), b"".join(map(digest, rows)), bad, ColourSums.of(b"".join(to_learn)))

    def _finish(self) -> None:
        folder = self.unfinished
        bad = {position for position, _ in folder.bad}
        good = [position for position in self.order if position not in bad]
        check_classes(self.collection.entries[position].label for position in good)
        # A class whose every picture is bad has left no row: it gets no place among the classes.
        alive = sorted({self.collection.entries[position].label for position in good})
        new_label = {old: new for new, old in enumerate(alive)}
        labels = np.array([new_label[self.collection.entries[p].label] for p in good], dtype=np.int64)
        files = [self.collection.entries[p].file for p in good]
        split_of_row = [self.splits[p] for p in good]
        splits = ranges(split_of_row)
        if not {"train", "val"} <= set(splits):
            raise Refused(f"No usable picture is left for training or for validation. {LAYOUT}")

        mean, std, covariance = folder.reached.colours.statistics()
        same = [
            (files[a], files[b])
            for a, b in equal_rows(folder.digests.read_bytes())
            if labels[a] != labels[b] or split_of_row[a] != split_of_row[b]
        ]
        reasons = [(self.collection.entries[position].file, reason) for position, reason in folder.bad]
        with (folder.path / "labels.npy").open("wb") as file:
            np.save(file, labels)
            sync(file)
        folder.write("files.json", files)
        folder.write("report.json", {"bad_files": [*self.collection.skipped, *reasons], "duplicates": same})
        if self.collection.facts:
            facts = {fact: [values[p] for p in good] for fact, values in self.collection.facts.items()}
            folder.write("facts.json", facts)
        meta: dict[str, Any] = {
            "format": FORMAT_VERSION,
            "name": self.collection.name,
            "title": self.collection.title,
            "classes": [self.collection.classes[label] for label in alive],
            "image_size": folder.side,
            "rows_per_shard": folder.rows_per_shard,
            "splits": splits,
            "mean": mean.tolist(),
            "std": std.tolist(),
            "rgb_covariance": covariance.tolist(),
            "source": self.collection.source,
            "licence": self.collection.licence,
            "mirrors": self.collection.mirrors,
            "identity": folder.identity,
            "content": self.collection.content or folder.identity,
            "original": self.collection.original,
        }
        # The last: where it lies, everything does.
        folder.write("meta.json", meta, indent=1)
