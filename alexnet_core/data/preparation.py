"""From a collection of pictures to a prepared set on disk: split, decode, cut, write; stop and go on at any moment.

Everything is written into `<out>.partial`, where progress.json says which entries are done; at the end the folder is
renamed. Whoever finds `<out>` finds it whole.
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
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from alexnet_core.data.lock import alone
from alexnet_core.data.prepared import FORMAT_VERSION, SPLITS, PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.files import write_whole
from alexnet_core.images import clean_name
from alexnet_core.limits import CLASS_IMAGES, CLASSES
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
"""Pictures a task: enough to make handing over cheap, few enough that the waiting results stay small."""
SAVE_EVERY = 2.0
"""Seconds between two notes of progress: what a kill can cost."""


class Refused(ExplorerError):
    """The whole source cannot be used, not only the one picture that was being read."""


@dataclass(frozen=True)
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
            return _Writer(collection, out, image_size, identity).run(progress, cancelled)


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


class _Writer:
    """One preparation: entries in the order of their rows, and the files of the unfinished folder."""

    def __init__(self, collection: Collection, out: Path, image_size: int, identity: str) -> None:
        check_classes(entry.label for entry in collection.entries)
        self.collection, self.out, self.identity = collection, out, identity
        self.partial = out.with_name(out.name + ".partial")
        self.preprocessing = Preprocessing(size=image_size, resize=image_size)
        self.row_shape = (image_size, image_size, 3)
        self.splits = carve(collection.entries)
        # The order of the rows, as positions in the collection: by split, otherwise as the source has them.
        self.order = sorted(range(len(self.splits)), key=lambda position: SPLITS.index(self.splits[position]))
        self.done = 0
        self.bad: list[tuple[int, str]] = []  # (position in the collection, reason)

    def run(self, progress: Progress | None, cancelled: Cancelled | None) -> PreparedSet:
        self._begin()
        with (self.partial / "images.npy").open("r+b") as images:
            self._truncate(images)
            self._fill(images, progress, cancelled)
            rows = self.done - len(self.bad)
            images.seek(0)
            images.write(_array_header((rows, *self.row_shape)))
            _sync(images)
        if progress:
            progress(self.done, self.done, "measuring")
        self._finish()
        return PreparedSet.open(self.out)

    def _begin(self) -> None:
        note = self.partial / "progress.json"
        images = self.partial / "images.npy"
        if self.partial.exists() and any(self.partial.iterdir()):
            try:
                said = json.loads(note.read_text("utf-8"))
                bad = [(int(position), str(reason)) for position, reason in said["bad"]]
                if said["identity"] == self.identity and images.stat().st_size >= self._end(said["done"] - len(bad)):
                    self.done, self.bad = int(said["done"]), bad
                    return
            except (OSError, ValueError, KeyError, TypeError) as error:
                if not note.exists() and not images.exists():
                    raise ExplorerError(
                        f"“{clean_name(self.partial.name)}” already holds something else. Choose another folder."
                    ) from error
        self.partial.mkdir(exist_ok=True)
        needed = self._end(len(self.order)) + 1_000_000
        if shutil.disk_usage(self.partial).free < needed:
            raise OSError(errno.ENOSPC, "less free than the pictures will need")
        _write_json(note, {"identity": self.identity, "done": 0, "bad": []})
        images.write_bytes(_array_header((0, *self.row_shape)))

    def _end(self, rows: int) -> int:
        """The length in bytes of images.npy with so many rows."""
        return len(_array_header((rows, *self.row_shape))) + rows * int(np.prod(self.row_shape))

    def _truncate(self, images: BinaryIO) -> None:
        images.truncate(self._end(self.done - len(self.bad)))
        images.seek(0, os.SEEK_END)

    def _fill(self, images: BinaryIO, progress: Progress | None, cancelled: Cancelled | None) -> None:
        total, saved = len(self.order), time.monotonic()
        try:
            for chunk, results in self._chunks(self.done):
                if cancelled and cancelled():
                    raise ExplorerError(
                        f"The preparation of “{self.collection.title}” was stopped after {self.done:,} of {total:,} "
                        "pictures. Start it again and it goes on from there."
                    )
                images.write(b"".join(pixels for pixels in results if isinstance(pixels, bytes)))
                self.bad += [(p, reason) for p, reason in zip(chunk, results, strict=True) if isinstance(reason, str)]
                self.done += len(chunk)
                if progress:
                    progress(self.done, total, "preparing")
                if time.monotonic() - saved > SAVE_EVERY:
                    self._save(images)
                    saved = time.monotonic()
        finally:
            self._save(images)

    def _save(self, images: BinaryIO) -> None:
        _sync(images)  # first the pictures, then the note that they are there
        _write_json(self.partial / "progress.json", {"identity": self.identity, "done": self.done, "bad": self.bad})

    def _chunks(self, start: int) -> Iterator[tuple[list[int], list[bytes | str]]]:
        """Pixels or, for bad pictures, the reason; in order, from all cores, never more than a few chunks ahead."""
        workers = os.cpu_count() or 1
        waiting: deque[tuple[list[int], Future[list[bytes | str]]]] = deque()
        with ThreadPoolExecutor(workers, thread_name_prefix="prepare") as pool:
            try:
                for first in range(start, len(self.order), CHUNK):
                    chunk = self.order[first : first + CHUNK]
                    waiting.append((chunk, pool.submit(self._read, chunk)))
                    if len(waiting) > 2 * workers:
                        ready, future = waiting.popleft()
                        yield ready, future.result()
                while waiting:
                    ready, future = waiting.popleft()
                    yield ready, future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _read(self, chunk: list[int]) -> list[bytes | str]:
        results: list[bytes | str] = []
        for position in chunk:
            try:
                results.append(self.preprocessing.crop(self.collection.read(position)).tobytes())
            except Refused:
                raise
            except ExplorerError as error:
                results.append(str(error))
        return results

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

        images = np.load(self.partial / "images.npy", mmap_mode="r", allow_pickle=False)
        mean, std, covariance = colour_statistics(images[slice(*splits["train"])])
        same = [
            (files[a], files[b])
            for a, b in _equal_rows(images)
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
            "splits": splits,
            "mean": mean.tolist(),
            "std": std.tolist(),
            "rgb_covariance": covariance.tolist(),
            "source": self.collection.source,
            "licence": self.collection.licence,
            "mirrors": self.collection.mirrors,
            "identity": self.identity,
        }
        _write_json(self.partial / "meta.json", meta, indent=1)
        for half in self.partial.glob(".*.part"):  # a note of progress that a kill cut off
            half.unlink()
        if self.out.exists():
            self.out.rmdir()  # empty, or `write` would have refused it
        self.partial.rename(self.out)
        (self.out / "progress.json").unlink()


def _ranges(splits: list[str]) -> dict[str, tuple[int, int]]:
    counts = Counter(splits)
    ranges, first = {}, 0
    for split in SPLITS:
        if counts[split]:
            ranges[split] = (first, first + counts[split])
            first += counts[split]
    return ranges


def colour_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (3,), standard deviation (3,) and covariance (3, 3) of the colours of uint8 images (N, H, W, 3).

    In units of [0, 1]; a few images at a time, so that sets larger than memory work. The deviation is never below
    1/255: images of one colour must not divide by nothing.
    """
    total, products, pixels = np.zeros(3), np.zeros((3, 3)), 0
    for part in _parts(images):
        # Centred at middle grey, so that float32 sums over millions of pixels keep their digits.
        colours = part.reshape(-1, 3).astype(np.float32) / 255 - 0.5
        total += colours.sum(axis=0, dtype=np.float64)
        products += colours.T @ colours
        pixels += len(colours)
    centre = total / pixels
    covariance = products / pixels - np.outer(centre, centre)
    return centre + 0.5, np.sqrt(np.diag(covariance).clip(min=255.0**-2)), covariance


def _equal_rows(images: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs (first, later) of rows that hold the same pixels."""
    seen: dict[bytes, int] = {}
    row = 0
    for part in _parts(images):
        for pixels in part:
            first = seen.setdefault(hashlib.blake2b(pixels.tobytes(), digest_size=16).digest(), row)
            if first != row:
                yield first, row
            row += 1


def _parts(images: np.ndarray) -> Iterator[np.ndarray]:
    """The images in pieces of about 4 MB: bounded memory, and small enough for a processor's cache."""
    step = max(1, 4_000_000 // int(np.prod(images.shape[1:])))
    for first in range(0, len(images), step):
        yield images[first : first + step]


def _array_header(shape: tuple[int, ...]) -> bytes:
    """The head of an .npy file of uint8; numpy pads it, so that it is as long for any number of rows."""
    head = BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return head.getvalue()


def _write_json(path: Path, values: object, indent: int | None = None) -> None:
    write_whole(path, json.dumps(values, indent=indent, ensure_ascii=False).encode())


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
