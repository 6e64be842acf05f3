"""From a collection of pictures to a prepared set on disk: split, decode, cut, write; stop and go on at any moment.

Everything is written into `<out>.partial`, where progress.json says which entries are done; at the end the folder is
renamed. Whoever finds `<out>` finds it whole. Each picture is read once: its place in the colour statistics and among
the equal pictures is taken on the way, and memory holds a few pieces of work and 16 bytes a picture, however many
there are.

Threads, not processes: Pillow lets go of the interpreter while it decodes and resizes, about nine tenths of the work,
and on two cores both were as fast. Past ten cores or so the last tenth is the limit, at some thousand pictures a
second; there a disk that writes 150 kB a picture soon is one, too.
"""

import errno
import hashlib
import json
import os
import shutil
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from alexnet_core.data.colour_sums import ColourSums
from alexnet_core.data.prepared import FORMAT_VERSION, SPLITS, PreparedSet
from alexnet_core.data.shards import SHARD_BYTES, ShardWriter, disk_bytes, holds
from alexnet_core.errors import ExplorerError
from alexnet_core.files import write_whole
from alexnet_core.images import clean_name
from alexnet_core.limits import CLASS_IMAGES, CLASSES
from alexnet_core.lock import alone
from alexnet_core.preprocess import Preprocessing

Progress = Callable[[int, int, str], None]
Cancelled = Callable[[], bool]

LAYOUT = (
    f"We expect at least {CLASSES} folders, one a class, each with at least {CLASS_IMAGES} pictures "
    "(cats/1.jpg, dogs/1.jpg), with or without train and test folders above them."
)
VAL_SHARE, TEST_SHARE = 0.10, 0.15
TEST_FROM = 100
"""Below this many pictures a test split would be too small to say anything and too dear to give away."""
CHUNK = 64
"""Pictures a task, at most: enough to make handing over cheap."""
CHUNK_BYTES = 2_000_000
"""Pixels a task: few enough that what waits to be written stays small, also with two tasks for each of 64 cores."""
DIGEST_BYTES = 16
"""Of each picture's pixels, to find equal ones: among 10**9 pictures two different ones meet by chance once in 10**20
sets."""
SAVE_EVERY = 2.0
"""Seconds between two notes of progress: what a kill can cost."""

OWN_FILES = ("meta.json", "images-*.npy", "digests.bin", "labels.npy", "files.json", "facts.json", "report.json")
"""What an unfinished folder may hold beside its note, in the order in which it is thrown away to begin again."""


class Refused(ExplorerError):
    """The whole source cannot be used, not only the one picture that was being read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture to be: where it comes from, what it shows, which split it belongs to."""

    file: str
    label: int
    split: str = "train"


@dataclass(frozen=True)
class Collection:
    """Pictures that can be read one by one, in any order, from several threads."""

    name: str
    title: str
    classes: tuple[str, ...]
    source: str
    licence: str
    entries: tuple[Entry, ...]
    read: Callable[[int], Image.Image]
    """The picture of the entry at this position; ExplorerError where it is bad, Refused where everything is."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(file, reason) of what was seen in the source and is no entry."""
    mirrors: bool = True
    """Whether a picture stays one of its class when mirrored; a digit does not."""
    facts: dict[str, list[str]] = field(default_factory=dict)
    """A list for each fact, as long as `entries`."""
    content: str = ""
    """A key of the source, whatever the size it is prepared with; empty takes the prepared set's own."""
    original: str = ""
    """Of a corrected set, the identity of the set as it came."""


def carve(entries: Iterable[Entry]) -> list[str]:
    """The split of each entry, with what is missing taken out of train: never another for the same file names.

    Validation is a tenth of each class. Where the source names neither a validation nor a test split, and has pictures
    enough, 15 % become a test split.
    """
    entries = list(entries)
    named = {entry.split for entry in entries}
    by_class: dict[int, list[int]] = defaultdict(list)
    for position, entry in enumerate(entries):
        if entry.split == "train":
            by_class[entry.label].append(position)
    splits = [entry.split for entry in entries]
    test_share = TEST_SHARE if named == {"train"} and len(entries) >= TEST_FROM else 0.0
    for positions in by_class.values():
        # Ranked by a hash of the name: as good as drawn by lot, yet a new file moves hardly any of the others.
        positions.sort(key=lambda p: hashlib.sha256(entries[p].file.encode()).digest())
        val = 0 if "val" in named or len(positions) < 2 else max(1, round(VAL_SHARE * len(positions)))
        test = round(test_share * len(positions))
        for position in positions[:val]:
            splits[position] = "val"
        for position in positions[val : val + test]:
            splits[position] = "test"
    return splits


def check_classes(labels: Iterable[int]) -> None:
    """Raises Refused where fewer than two classes have five pictures."""
    counts = Counter(labels)
    if sum(count >= CLASS_IMAGES for count in counts.values()) < CLASSES:
        found = f"{sum(counts.values())} usable picture(s) in {len(counts)} class(es)"
        raise Refused(f"There are too few pictures here to learn from: {found}. {LAYOUT}")


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
    with _sentences_for_the_disk(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        busy = f"“{clean_name(out.name)}” is already being prepared by another process. Wait until it is done."
        with alone(out.with_name(out.name + ".lock"), busy):
            if (out / "meta.json").exists():
                return PreparedSet.open(out)
            if out.exists() and (not out.is_dir() or any(out.iterdir())):
                raise ExplorerError(f"“{clean_name(out.name)}” already holds something else. Choose another folder.")
            return _Writer(collection, out, image_size, identity, shard_bytes).run(progress, cancelled)


@contextmanager
def _sentences_for_the_disk(out: Path) -> Iterator[None]:
    full = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
    try:
        yield
    except OSError as error:
        name = clean_name(out.name)
        if error.errno in full:
            raise ExplorerError(
                f"There is no space left on the disk for “{name}”. Make room and start again: it goes on from here."
            ) from error
        reason = error.strerror or "unknown error"
        raise ExplorerError(f"“{name}” cannot be written ({reason}). Choose another folder.") from error


@dataclass(frozen=True)
class _Piece:
    """What became of a few entries."""

    pixels: bytes
    digests: bytes
    bad: list[tuple[int, str]]
    """(position in the collection, reason)."""
    colours: ColourSums
    """Of the rows for training."""


@dataclass(frozen=True)
class _State:
    """How far a preparation has come; one object, so that Ctrl-C finds either all of a piece in it or nothing."""

    done: int = 0
    """Entries, in the order of the rows."""
    bad: int = 0
    colours: ColourSums = field(default_factory=ColourSums.of)

    @property
    def rows(self) -> int:
        return self.done - self.bad


class _Writer:
    """One preparation: entries in the order of their rows, and the files of the unfinished folder."""

    def __init__(self, collection: Collection, out: Path, image_size: int, identity: str, shard_bytes: int) -> None:
        check_classes(entry.label for entry in collection.entries)
        self.collection, self.out, self.identity = collection, out, identity
        self.partial = out.with_name(out.name + ".partial")
        self.preprocessing = Preprocessing(size=image_size, resize=image_size)
        self.row_bytes = image_size * image_size * 3
        self.rows_per_shard = max(1, shard_bytes // self.row_bytes)
        self.splits = carve(collection.entries)
        # The order of the rows, as positions in the collection: by split, otherwise as the source has them.
        self.order = sorted(range(len(self.splits)), key=lambda position: SPLITS.index(self.splits[position]))
        self.state = _State()
        self.bad: list[tuple[int, str]] = []  # (position in the collection, reason)

    def run(self, progress: Progress | None, cancelled: Cancelled | None) -> PreparedSet:
        self._begin()
        if not self._complete():
            digests = self.partial / "digests.bin"
            digests.touch()
            shards = ShardWriter(self.partial, self.preprocessing.size, self.rows_per_shard, self.state.rows)
            try:
                with digests.open("r+b") as digest_file:
                    digest_file.truncate(self.state.rows * DIGEST_BYTES)
                    digest_file.seek(0, os.SEEK_END)
                    self._fill(shards, digest_file, progress, cancelled)
                shards.finish()
            finally:
                shards.close()
            self._finish()
        self._publish()
        return PreparedSet.open(self.out)

    def _begin(self) -> None:
        """Find out how far an earlier attempt has come, or begin."""
        note = self.partial / "progress.json"
        found = [file for file in self.partial.iterdir() if not _half(file)] if self.partial.is_dir() else []
        if found and not note.exists() and not (self.partial / "meta.json").exists():
            raise ExplorerError(
                f"“{clean_name(self.partial.name)}” already holds something else. Choose another folder."
            )
        if found and (self._complete() or self._goes_on(note)):
            return
        self.partial.mkdir(exist_ok=True)
        for name in OWN_FILES:
            for file in self.partial.glob(name):
                file.unlink()
        needed = disk_bytes(self.preprocessing.size, len(self.order)) + 1_000_000
        if shutil.disk_usage(self.partial).free < needed:
            raise OSError(errno.ENOSPC, "less free than the pictures will need")
        self._note()

    def _complete(self) -> bool:
        """Whether only the name of the folder is missing."""
        try:
            return json.loads((self.partial / "meta.json").read_text("utf-8"))["identity"] == self.identity
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _goes_on(self, note: Path) -> bool:
        try:
            said = json.loads(note.read_text("utf-8"))
            bad = [(int(position), str(reason)) for position, reason in said["bad"]]
            state = _State(int(said["done"]), len(bad), ColourSums.from_dict(said["colours"]))
            side = self.preprocessing.size
            fits = said["identity"] == self.identity and said["rows_per_shard"] == self.rows_per_shard
            whole = (
                0 <= state.rows <= state.done <= len(self.order)
                and holds(self.partial, side, self.rows_per_shard, state.rows)
                and (state.rows == 0 or self._digests_held() >= state.rows)
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return False
        if fits and whole:
            self.state, self.bad = state, bad
        return fits and whole

    def _digests_held(self) -> int:
        return (self.partial / "digests.bin").stat().st_size // DIGEST_BYTES

    def _fill(
        self, shards: ShardWriter, digests: BinaryIO, progress: Progress | None, cancelled: Cancelled | None
    ) -> None:
        total, saved = len(self.order), time.monotonic()
        stopped = (
            f"The preparation of “{self.collection.title}” was stopped after {{done:,}} of {total:,} pictures. "
            "Start it again and it goes on from there."
        )
        try:
            for entries, piece in self._pieces(self.state.done):
                if cancelled and cancelled():
                    raise ExplorerError(stopped.format(done=self.state.done))
                shards.append(piece.pixels)
                digests.write(piece.digests)
                self.bad += piece.bad
                before = self.state
                self.state = _State(before.done + entries, before.bad + len(piece.bad), before.colours + piece.colours)
                if progress:
                    progress(self.state.done, total, "preparing")
                if time.monotonic() - saved > SAVE_EVERY:
                    self._save(shards, digests)
                    saved = time.monotonic()
        except KeyboardInterrupt as stop:
            raise KeyboardInterrupt(stopped.format(done=self.state.done)) from stop
        finally:
            self._save(shards, digests)

    def _save(self, shards: ShardWriter, digests: BinaryIO) -> None:
        # First the pictures, then the note that they are there.
        shards.sync()
        _sync(digests)
        self._note()

    def _note(self) -> None:
        state = self.state
        said = {
            "identity": self.identity,
            "rows_per_shard": self.rows_per_shard,
            "done": state.done,
            "bad": self.bad[: state.bad],
            "colours": state.colours.as_dict(),
        }
        _write_json(self.partial / "progress.json", said)

    def _pieces(self, start: int) -> Iterator[tuple[int, _Piece]]:
        """(number of entries, what became of them); in order, from all cores, never more than a few pieces ahead."""
        workers = os.cpu_count() or 1
        chunk = min(CHUNK, max(1, CHUNK_BYTES // self.row_bytes))
        waiting: deque[tuple[int, Future[_Piece]]] = deque()
        with ThreadPoolExecutor(workers, thread_name_prefix="prepare") as pool:
            try:
                for first in range(start, len(self.order), chunk):
                    entries = self.order[first : first + chunk]
                    waiting.append((len(entries), pool.submit(self._read, entries)))
                    if len(waiting) > 2 * workers:
                        count, future = waiting.popleft()
                        yield count, future.result()
                while waiting:
                    count, future = waiting.popleft()
                    yield count, future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _read(self, entries: list[int]) -> _Piece:
        rows: list[bytes] = []
        to_learn: list[bytes] = []
        bad: list[tuple[int, str]] = []
        for position in entries:
            try:
                row = self.preprocessing.crop(self.collection.read(position)).tobytes()
            except Refused:
                raise
            except ExplorerError as error:
                bad.append((position, str(error)))
                continue
            rows.append(row)
            if self.splits[position] == "train":
                to_learn.append(row)
        digests = b"".join(hashlib.blake2b(row, digest_size=DIGEST_BYTES).digest() for row in rows)
        return _Piece(b"".join(rows), digests, bad, ColourSums.of(b"".join(to_learn)))

    def _finish(self) -> None:
        bad = {position for position, _ in self.bad}
        good = [position for position in self.order if position not in bad]
        check_classes(self.collection.entries[position].label for position in good)
        # A class whose every picture is bad has left no row: it gets no place among the classes.
        alive = sorted({self.collection.entries[position].label for position in good})
        new_label = {old: new for new, old in enumerate(alive)}
        labels = np.array([new_label[self.collection.entries[p].label] for p in good], dtype=np.int64)
        files = [self.collection.entries[p].file for p in good]
        split_of_row = [self.splits[p] for p in good]
        splits = _ranges(split_of_row)
        if not {"train", "val"} <= set(splits):
            raise Refused(f"No usable picture is left for training or for validation. {LAYOUT}")

        mean, std, covariance = self.state.colours.statistics()
        same = [
            (files[a], files[b])
            for a, b in equal_rows((self.partial / "digests.bin").read_bytes())
            if labels[a] != labels[b] or split_of_row[a] != split_of_row[b]
        ]
        reasons = [(self.collection.entries[position].file, reason) for position, reason in self.bad]
        with (self.partial / "labels.npy").open("wb") as file:
            np.save(file, labels)
            _sync(file)
        _write_json(self.partial / "files.json", files)
        _write_json(
            self.partial / "report.json",
            {"bad_files": [*self.collection.skipped, *reasons], "duplicates": same},
        )
        if self.collection.facts:
            facts = {fact: [values[p] for p in good] for fact, values in self.collection.facts.items()}
            _write_json(self.partial / "facts.json", facts)
        meta: dict[str, Any] = {
            "format": FORMAT_VERSION,
            "name": self.collection.name,
            "title": self.collection.title,
            "classes": [self.collection.classes[label] for label in alive],
            "image_size": self.preprocessing.size,
            "rows_per_shard": self.rows_per_shard,
            "splits": splits,
            "mean": mean.tolist(),
            "std": std.tolist(),
            "rgb_covariance": covariance.tolist(),
            "source": self.collection.source,
            "licence": self.collection.licence,
            "mirrors": self.collection.mirrors,
            "identity": self.identity,
            "content": self.collection.content or self.identity,
            "original": self.collection.original,
        }
        # The last: where it lies, everything does.
        _write_json(self.partial / "meta.json", meta, indent=1)

    def _publish(self) -> None:
        for name in ("digests.bin", "progress.json"):
            (self.partial / name).unlink(missing_ok=True)
        for file in self.partial.iterdir():
            if _half(file):
                file.unlink()
        if self.out.exists():
            self.out.rmdir()  # empty, or `write` would have refused it
        self.partial.rename(self.out)


def _half(file: Path) -> bool:
    """Whether it is what a kill left of a file that was being written whole."""
    return file.name.startswith(".") and file.name.endswith(".part")


def _ranges(splits: list[str]) -> dict[str, tuple[int, int]]:
    counts = Counter(splits)
    ranges, first = {}, 0
    for split in SPLITS:
        if counts[split]:
            ranges[split] = (first, first + counts[split])
            first += counts[split]
    return ranges


def equal_rows(digests: bytes) -> Iterator[tuple[int, int]]:
    """Pairs (first, later) of rows whose digests are equal, ordered by the later one."""
    halves = np.frombuffer(digests, np.uint64).reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0]))  # stable: of equal ones the first row comes first
    ordered = halves[order]
    repeated = np.concatenate(([False], (ordered[1:] == ordered[:-1]).all(axis=1)))[: len(order)]
    places = np.arange(len(order))
    first = order[np.maximum.accumulate(np.where(repeated, 0, places))]
    pairs = np.stack([first[repeated], order[repeated]], axis=1)
    yield from map(tuple, pairs[np.argsort(pairs[:, 1])].tolist())


def _write_json(path: Path, values: object, indent: int | None = None) -> None:
    write_whole(path, json.dumps(values, indent=indent, ensure_ascii=False).encode())


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
