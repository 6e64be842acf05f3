"""Features: what the layers before the head answer to every picture of a data set, computed once and kept on the disk.

A head that learns from them gets through a set in seconds, for the rest of the network is not computed again. Pictures
can only be mirrored then, so both mirror images are kept. The folder is known by everything that the numbers depend on:
the data, the weights before the head, and the way of computing.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np
import torch
from torch import nn

from alexnet_core.data.augment import draw, normalised, order
from alexnet_core.data.balance import even_order
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.devices import DTYPES, Compute
from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder, write_whole
from alexnet_core.lock import Busy, alone
from alexnet_core.memory import is_lack_of_memory
from alexnet_core.places import features_home
from alexnet_core.preprocess import Preprocessing
from alexnet_core.training.batches import KEPT_SHARE, Batches, Images, free_memory, pieces
from alexnet_core.training.transfer import Moments, answers_before

CHUNK = 64
"""Pictures that are computed at once; a computation that was stopped goes on with a whole chunk, so that the numbers do
not depend on where it was stopped."""
SAVE_EVERY = 2.0
"""Seconds between two notes of progress: what a kill can cost."""
SAMPLED = 500
"""Pictures from which mean and deviation of the answers are taken."""
SMALLEST_DEVIATION = 0.1
"""Added, in quadrature, to the deviation of each answer, as a share of the mean one."""
KEPT_BYTES = 8_000_000_000
"""Of all features on the disk; those that were not used for longest go. Imagenette's 9,469 photographs at 224 pixels,
with their mirror images, take 3.4 GB before SqueezeNet's last layer and 20 MB before ResNet-18's."""
STORED = {torch.float32: np.float32, torch.float16: np.float16, torch.bfloat16: np.int16}
"""How numbers lie on the disk; numpy has no bfloat16, so its bits are kept."""


class StoredAnswers:
    """Answers (N, C, H, W) in a file, read where they are asked for, not mapped (see `data/shards`)."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.path, self.shape, self.dtype = path, shape, dtype
        self.row_bytes = int(np.prod(shape[1:])) * dtype.itemsize
        self._file = path.open("rb", buffering=0)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """A slice, or positions in any order, as a new array. Raises ExplorerError where they can no longer be read."""
        positions = np.arange(len(self))[rows]
        found = np.empty((len(positions), *self.shape[1:]), self.dtype)
        together = isinstance(rows, slice) and rows.step in (None, 1)
        for place in range(1 if together and len(positions) else len(positions)):
            part = found if together else found[place : place + 1]
            self._read(int(positions[place]), memoryview(part.data).cast("B"))
        return found

    def _read(self, row: int, missing: memoryview) -> None:
        try:
            self._file.seek(row * self.row_bytes)
            while missing:
                count = self._file.readinto(missing)
                if not count:
                    raise EOFError
                missing = missing[count:]
        except (OSError, EOFError) as error:
            if is_lack_of_memory(error):
                raise
            raise ExplorerError(
                f"The features in {self.path.parent.name} were cut short or can no longer be read; resume the run, and "
                "they are computed again."
            ) from error


@dataclass(frozen=True)
class Features:
    """The answers to the training pictures, then to their mirror images where these are learned from, and to the
    validation pictures: (N, C, H, W) each, in memory where they fit."""

    train: Images
    val: Images
    pictures: int
    """Training pictures; `train` has as many rows, or twice as many."""

    def moments(self, device: torch.device) -> Moments:
        """Of the training answers, over pictures and places; from some hundred pictures of the whole set."""
        rows = np.arange(0, len(self.train), max(1, len(self.train) // SAMPLED))
        found = self.train[torch.from_numpy(rows)] if isinstance(self.train, torch.Tensor) else self.train[rows]
        answers = torch.as_tensor(found).to(device)
        answers = (answers.view(torch.bfloat16) if answers.dtype == torch.int16 else answers).float()
        std, mean = torch.std_mean(answers, (0, 2, 3), correction=0)
        # What hardly ever answers would otherwise be blown up.
        std = (std.square() + (SMALLEST_DEVIATION * std.mean()).square()).sqrt().clamp(min=1e-6)
        return Moments(mean[:, None, None], std[:, None, None])


class FeatureSource:
    """The features of one data set from one network: where they lie, and how they come there."""

    def __init__(
        self,
        model: nn.Module,
        head: str,
        data: PreparedSet,
        preprocessing: Preprocessing,
        compute: Compute,
        mirrored: bool,
    ) -> None:
        """`model` on the device of `compute`; `head` is the name of the layer before which the answers are taken."""
        self.model, self.head, self.data = model, head, data
        self.preprocessing, self.compute = preprocessing, compute
        self.parts = [("train", False), *([("train", True)] if mirrored else []), ("val", False)]
        self.total = sum(data.count(split) for split, _ in self.parts)
        self.folder = features_home() / self._key()

    def _key(self) -> str:
        """Everything that the numbers depend on."""
        known = hashlib.sha256()
        way = self.compute.words()[:4]
        known.update(repr((self.data.identity, self.parts, self.preprocessing.as_dict(), way, self.head)).encode())
        for name, value in sorted(self.model.state_dict().items()):
            if not name.startswith(f"{self.head}."):
                known.update(name.encode())
                known.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
        return known.hexdigest()[:32]

    def fill(self) -> Iterator[tuple[int, int]]:
        """Compute what is missing, going on where an earlier attempt was stopped; yields (pictures done, of how many)
        after each chunk. The caller may leave between two of them.

        Raises ExplorerError when the disk is full, or another process computes the same.
        """
        make_folder(self.folder)
        meta = self.folder / "meta.json"
        if not meta.exists():
            busy = "Another run computes the same features just now; wait until it is done, then resume this one."
            with alone(self.folder.with_suffix(".lock"), busy):
                yield from self._fill()
        with suppress(OSError):  # another person's, in a home that several share
            os.utime(meta)
        _forget_oldest(self.folder)

    def _fill(self) -> Iterator[tuple[int, int]]:
        note, path = self.folder / "progress.json", self.folder / "answers.bin"
        done, shape = self._done(note, path)
        saved = time.monotonic()
        try:
            with path.open("r+b" if path.exists() else "wb") as file:
                file.seek(done * int(np.prod(shape[:3])) * shape[3] if shape else 0)
                file.truncate()
                for answers in self._answers(done):
                    shape = [*answers.shape[1:], answers.dtype.itemsize]
                    file.write(answers.data)
                    done += len(answers)
                    if done == self.total or time.monotonic() - saved > SAVE_EVERY:
                        file.flush()
                        os.fsync(file.fileno())
                        write_whole(note, json.dumps({"done": done, "shape": shape}).encode())
                        saved = time.monotonic()
                    yield done, self.total
        except OSError as error:
            if is_lack_of_memory(error):
                raise
            raise ExplorerError(
                f"The features could not be written: {error.strerror or error}. Free some space and resume the run, or "
                "learn everything, which needs none."
            ) from error
        write_whole(self.folder / "meta.json", json.dumps({"done": done, "shape": shape}).encode())
        note.unlink(missing_ok=True)

    def _done(self, note: Path, path: Path) -> tuple[int, list[int]]:
        """How many answers lie there for certain, and the shape of one with the bytes of a number."""
        try:
            said = json.loads(note.read_bytes())
            done, shape = int(said["done"]), [int(size) for size in said["shape"]]
            whole = len(shape) == 4 and path.stat().st_size >= done * int(np.prod(shape))
        except (OSError, ValueError, KeyError, TypeError):
            return 0, []
        return (done, shape) if whole else (0, [])

    def _answers(self, first: int) -> Iterator[np.ndarray]:
        """The answers to all pictures from number `first` on, chunk by chunk."""
        self.model.eval()
        start = 0
        for split, mirrored in self.parts:
            count = self.data.count(split)
            cuts = [slice(row, min(row + CHUNK, count)) for row in range(max(0, first - start), count, CHUNK)]
            with closing(pieces(self.data.images(split), cuts, self.compute.device)) as found:
                for images in found:
                    yield self._of(images.flip(2) if mirrored else images)
            start += count

    def _of(self, images: torch.Tensor) -> np.ndarray:
        with torch.no_grad(), self.compute.autocast():
            pictures = normalised(images, self.preprocessing).to(memory_format=self.compute.memory_format)
            answers = answers_before(self.model, self.head, pictures)
        answers = answers.to(DTYPES[self.compute.precision]).contiguous().cpu()
        return (answers.view(torch.int16) if answers.dtype == torch.bfloat16 else answers).numpy()

    def features(self) -> Features:
        """What `fill` has computed. Raises ExplorerError where that is gone or damaged."""
        try:
            said = json.loads((self.folder / "meta.json").read_bytes())
            shape = tuple(int(size) for size in said["shape"][:3])
            dtype = np.dtype(STORED[DTYPES[self.compute.precision]])
            rows = StoredAnswers(self.folder / "answers.bin", (self.total, *shape), dtype)
            whole = (self.folder / "answers.bin").stat().st_size == self.total * rows.row_bytes
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            if is_lack_of_memory(error):
                raise
            whole = False
        if not whole:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise ExplorerError(
                "The features of this data set were damaged; resume the run, and they are computed again."
            )
        validation = self.data.count("val")
        cut = self.total - validation
        return Features(self._kept(rows, 0, cut), self._kept(rows, cut, self.total), self.data.count("train"))

    def _kept(self, rows: StoredAnswers, first: int, last: int) -> Images:
        """Some of the rows: on the device where they fit, else where they lie."""
        device = self.compute.device
        if (last - first) * rows.row_bytes <= free_memory(device) * KEPT_SHARE[device.type]:
            return torch.from_numpy(rows[first:last]).to(device)
        return _Part(rows, first, last)


class _Part:
    """The rows [first, last) of stored answers."""

    def __init__(self, rows: StoredAnswers, first: int, last: int) -> None:
        self.rows, self.first, self.shape = rows, first, (last - first, *rows.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, asked: slice | np.ndarray) -> np.ndarray:
        if isinstance(asked, slice):
            first, last, _ = asked.indices(len(self))
            return self.rows[self.first + first : self.first + last]
        return self.rows[asked + self.first]


class FeatureBatches:
    """What `Batches` of the pictures would show a head, from their features: the same order, the same mirror images."""

    def __init__(self, pictures: Batches, features: Features) -> None:
        self.features, self.labels, self.classes = features, pictures.labels, pictures.classes
        self.seed, self.batch_size, self.share = pictures.seed, pictures.batch_size, pictures.share
        self.reflect, self.device = pictures.augmentation.reflect, pictures.device

    def __len__(self) -> int:
        """Pictures."""
        return self.features.pictures

    def epoch(self, epoch: int, first: int = 0) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Answers (B, C, H, W) and labels (B,) of an epoch (counted from 1), from batch number `first` on."""
        count = len(self)
        places = order(self.seed, epoch, count) if self.classes is None else even_order(self.seed, epoch, self.classes)
        chance = draw(self.seed, epoch, count).uniform[:, 2]
        mirrored = (chance[places] if self.classes is None else chance) < 0.5
        rows = places + count * (mirrored & self.reflect)
        here = isinstance(self.features.train, torch.Tensor)
        index, labels = (rows.to(self.device) if here else rows), self.labels[places.to(self.device)]
        cuts = [
            slice(number * self.batch_size + self.share.start, number * self.batch_size + self.share.stop)
            for number in range(first, count // self.batch_size)
        ]
        with closing(pieces(self.features.train, (index[cut] for cut in cuts), self.device)) as found:
            for cut, answers in zip(cuts, found, strict=True):
                yield answers, labels[cut]


def _forget_oldest(used: Path) -> None:
    """Keep the features that were used last, up to KEPT_BYTES, those of a run that was stopped while it computed them
    among them; `used` stays in any case."""
    found = {folder: _files(folder) for folder in features_home().iterdir() if folder.is_dir()}
    kept = 0
    for folder in sorted(found, key=lambda folder: -max((file.st_mtime for file in found[folder]), default=inf)):
        kept += sum(file.st_size for file in found[folder])
        if kept > KEPT_BYTES and folder != used:
            # Busy: they are just being computed. On Windows a file that is being read cannot be removed.
            with suppress(Busy, OSError), alone(folder.with_suffix(".lock"), "They are being computed."):
                shutil.rmtree(folder)


def _files(folder: Path) -> list[os.stat_result]:
    """Time and size of the files in a folder, from which another process may just be removing some."""
    found = []
    with suppress(FileNotFoundError):
        for file in folder.iterdir():
            found.append(file.stat())
    return found
