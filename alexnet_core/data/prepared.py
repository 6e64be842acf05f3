"""The plain form of every data set on disk: whatever it came from, after preparation it is the same thing.

images-00000.npy, images-00001.npy, ...
             uint8 (n, H, W, 3), rows ordered by split, so that each split is one contiguous range; a new file begins
             where one would grow beyond `shards.SHARD_BYTES`, so that most sets are one
labels.npy   int64 (N,), positions in `classes`
meta.json    classes, splits, mean, std, source, licence, identity: small, made to be read by people
files.json   the file name behind each row
facts.json   what is known about each row beyond its class, a list a fact; only for drawn pictures
report.json  files that could not be used, and pictures that occur twice
"""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from alexnet_core.data.shards import StoredImages, broken_shard
from alexnet_core.errors import ExplorerError
from alexnet_core.images import clean_name
from alexnet_core.limits import IMAGE_SIZE
from alexnet_core.memory import is_lack_of_memory
from alexnet_core.preprocess import Preprocessing

FORMAT_VERSION = 3
"""Counted up when the files or the pixels in them change. It is part of every set's identity, and so of its place in
the home folder: what an older version prepared there is not looked at, and prepared again when it is asked for."""
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class PreparedSet:
    """A prepared data set, opened: small values at hand, the arrays left on disk until asked for."""

    directory: Path
    name: str
    title: str
    classes: tuple[str, ...]
    image_size: int
    rows_per_shard: int
    """Pictures in every file of pixels but the last."""
    splits: dict[str, tuple[int, int]]
    """Row range [first, last) of `train`, `val` and, where there is one, `test`."""
    mean: tuple[float, float, float]
    """Per colour channel, over the train pixels, in units of [0, 1]; `std` likewise."""
    std: tuple[float, float, float]
    rgb_covariance: tuple[tuple[float, float, float], ...]
    """3 x 3, of the train pixels in units of [0, 1]: what AlexNet's colour augmentation takes its directions from."""
    source: str
    licence: str
    mirrors: bool
    """Whether a picture stays one of its class when mirrored; training does not mirror the others."""
    identity: str
    """A key of the content: equal for equal pictures, size and manner of preparation."""
    content: str
    """A key of the source: the same for every size it is prepared with, with corrections, and, of a folder or an album,
    when pictures are added."""
    original: str
    """Of a set with a person's corrections, the identity of the one as it came; empty for that one."""

    @classmethod
    def open(cls, directory: str | Path) -> "PreparedSet":
        """Read and check a prepared directory.

        Raises ExplorerError where it is missing, half written, damaged, or from another version; where memory ends,
        what Python or the system says.
        """
        directory = Path(directory)
        name = clean_name(directory.name)
        if not os.path.isfile(directory / "meta.json"):  # which answers for folders that nobody may enter, too
            raise ExplorerError(f"“{name}” is not a prepared data set, or only half of one: prepare it first.")
        again = "Delete this folder and prepare the data set again."
        try:
            meta = json.loads((directory / "meta.json").read_text("utf-8"))
            version = meta["format"]
            if version != FORMAT_VERSION:
                raise ExplorerError(f"“{name}” was prepared by another version of this program. {again}")
            prepared = cls._from_meta(directory, meta)
            prepared._check_arrays(again)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, OverflowError) as error:
            if is_lack_of_memory(error):
                raise
            raise ExplorerError(f"The prepared data set “{name}” is damaged. {again}") from error
        return prepared

    @classmethod
    def _from_meta(cls, directory: Path, meta: dict[str, Any]) -> "PreparedSet":
        """Raises ValueError, KeyError or TypeError for anything that cannot be."""
        classes = tuple(clean_name(name) for name in meta["classes"])
        splits = {str(split): (int(first), int(last)) for split, (first, last) in meta["splits"].items()}
        covariance = np.asarray(meta["rgb_covariance"], dtype=np.float64)
        mean, std = np.asarray(meta["mean"], dtype=np.float64), np.asarray(meta["std"], dtype=np.float64)
        if int(meta["rows_per_shard"]) < 1:
            raise ValueError("shards")
        if not (len(classes) >= 1 and IMAGE_SIZE[0] <= int(meta["image_size"]) <= IMAGE_SIZE[1]):
            raise ValueError("classes or size")
        if covariance.shape != (3, 3) or mean.shape != (3,) or std.shape != (3,) or std.min() <= 0:
            raise ValueError("statistics")
        if not all(math.isfinite(v) for v in (*covariance.flat, *mean, *std)):
            raise ValueError("statistics")
        return cls(
            directory=directory,
            name=clean_name(meta["name"]),
            title=clean_name(meta["title"]),
            classes=classes,
            image_size=int(meta["image_size"]),
            rows_per_shard=int(meta["rows_per_shard"]),
            splits=splits,
            mean=tuple(mean.tolist()),
            std=tuple(std.tolist()),
            rgb_covariance=tuple(tuple(row) for row in covariance.tolist()),
            source=str(meta["source"]),
            licence=str(meta["licence"]),
            mirrors=bool(meta["mirrors"]),
            identity=str(meta["identity"]),
            content=str(meta.get("content", meta["identity"])),  # earlier sets did not say
            original=str(meta.get("original", "")),
        )

    def _check_arrays(self, again: str) -> None:
        """Raises ValueError, OSError or ExplorerError where the arrays are not what meta.json says; of the pixels only
        the lengths of the files and what is written at their heads are looked at."""
        labels = self._labels()
        rows = len(labels)
        if labels.dtype != np.int64 or labels.ndim != 1 or rows == 0:
            raise ValueError("labels")
        if labels.min() < 0 or labels.max() >= len(self.classes):
            raise ValueError("labels")
        expected = 0
        for split in SPLITS:
            if split in self.splits:
                first, last = self.splits[split]
                if first != expected or last < first:
                    raise ValueError("splits")
                expected = last
        if expected != rows or not {"train", "val"} <= set(self.splits) <= set(SPLITS):
            raise ValueError("splits")
        broken = broken_shard(self.directory, self.image_size, self.rows_per_shard, rows)
        if broken is not None:
            raise ExplorerError(
                f"The prepared data set “{clean_name(self.directory.name)}” is damaged: {broken} is missing or not as "
                f"it was written. {again}"
            )

    def _labels(self) -> np.ndarray:
        # Read, not mapped, like the pixels: a process dies without a word of a mapped file that can no longer be read.
        return np.load(self.directory / "labels.npy", allow_pickle=False)

    def _rows(self, split: str) -> slice:
        if split not in self.splits:
            raise ExplorerError(f"“{self.title}” has no {split} split; it has {', '.join(self.splits)}.")
        return slice(*self.splits[split])

    def images(self, split: str) -> StoredImages:
        """uint8 (n, H, W, 3), left on the disk: rows are read when they are asked for."""
        rows = self._rows(split)
        return StoredImages(self.directory, self.image_size, self.rows_per_shard, rows.start, rows.stop)

    def labels(self, split: str) -> np.ndarray:
        """int64 (n,), positions in `classes`."""
        return np.array(self._labels()[self._rows(split)])

    def count(self, split: str) -> int:
        """Pictures in the split."""
        rows = self._rows(split)
        return rows.stop - rows.start

    def class_counts(self, split: str) -> list[int]:
        """Pictures of each class in the split, in the order of `classes`."""
        return np.bincount(self.labels(split), minlength=len(self.classes)).tolist()

    def files(self, split: str) -> list[str]:
        """The file name behind each row of the split, cleaned for display."""
        return self._json("files")[self._rows(split)]

    def facts(self, split: str) -> dict[str, list[str]] | None:
        """What else is known about each row, a list for each fact (`texture`, `colour`, ...); None where nothing is."""
        if not (self.directory / "facts.json").is_file():
            return None
        rows = self._rows(split)
        return {fact: values[rows] for fact, values in self._json("facts").items()}

    @property
    def bad_files(self) -> list[tuple[str, str]]:
        """(file name, reason) of what lay in the source and could not be used."""
        return [(name, reason) for name, reason in self._json("report")["bad_files"]]

    @property
    def duplicates(self) -> list[tuple[str, str]]:
        """Pairs of files that hold the same picture although their class or their split differs."""
        return [(first, second) for first, second in self._json("report")["duplicates"]]

    def _json(self, name: str) -> Any:
        try:
            return json.loads((self.directory / f"{name}.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            if is_lack_of_memory(error):
                raise
            raise ExplorerError(
                f"The prepared data set “{clean_name(self.directory.name)}” is damaged ({name}.json). "
                "Delete this folder and prepare the data set again."
            ) from error

    @property
    def preprocessing(self) -> Preprocessing:
        """How a picture from outside is brought into the form of these: the same size, mean and std."""
        return Preprocessing(size=self.image_size, resize=self.image_size, mean=self.mean, std=self.std)
