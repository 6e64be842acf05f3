"""Which of a source's paths are pictures, of which class, in which split.

    cats/1.jpg  dogs/1.jpg                       class folders
    train/cats/1.jpg  test/cats/2.jpg            splits above class folders (train, val, test and their other names)
    mine/cats/1.jpg ...                          either of these inside wrapping folders

What fits none of these is reported, with its reason.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from alexnet_core.data.collection import LAYOUT, Entry, Refused
from alexnet_core.images import clean_name
from alexnet_core.limits import NAME_LENGTH, PICTURE_SUFFIXES

Parts = tuple[str, ...]
"""A path, in pieces."""
SPLIT_NAMES = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip


def ignored(parts: Sequence[str]) -> bool:
    """What computers add on their own: __MACOSX, dot files, Windows' thumbnails."""
    return any(part.startswith(".") or part == "__MACOSX" for part in parts) or (
        not parts or parts[-1].casefold() in ("thumbs.db", "desktop.ini")
    )


def shown(parts: Parts) -> str:
    """The path for people."""
    return "/".join(clean_name(part) for part in parts)


def _told_apart(paths: Sequence[Parts]) -> list[str]:
    """Each path for people, no two alike: `shown` cuts long names and drops what cannot be seen, and corrections and
    findings know a picture by this name alone."""
    names = [shown(parts) for parts in paths]
    counts = Counter(names)
    for place, name in enumerate(names):
        if counts[name] > 1:
            key = hashlib.sha256("/".join(paths[place]).encode("utf-8", "surrogatepass")).hexdigest()[:8]
            above, _, last = name.rpartition("/")
            last = f"{last[: NAME_LENGTH - 11]} ({key})"
            names[place] = f"{above}/{last}" if above else last
    return names


@lru_cache(maxsize=10_000)  # a million files lie in a thousand folders
def _same(name: str) -> str:
    """What two names have in common that a person would call the same: form of accents and case do not count."""
    return unicodedata.normalize("NFC", name).strip().casefold()


class Layout:
    """Which of the paths are pictures, of which class, in which split."""

    def __init__(
        self, paths: Iterable[Parts], splits: dict[str, str], class_names: dict[str, str], loose: str | None = None
    ) -> None:
        self.loose = loose
        self.skipped: list[tuple[str, str]] = []
        pictures = []
        for parts in paths:
            if parts[-1].casefold().endswith(PICTURE_SUFFIXES):
                pictures.append(parts)
            else:
                self.skipped.append((shown(parts), "Its name does not end like a picture's (.jpg, .png, ...)."))
        if not pictures:
            raise Refused(f"There are no pictures here, only other files. {LAYOUT}")
        depth = _wrapping(pictures, splits)
        tops = {_same(parts[depth]) for parts in pictures if len(parts) > depth + 1}
        named = {splits[top] for top in tops if top in splits}
        split_folders = "train" in named and (len(named) > 1 or len(tops) == 1)
        if named and "train" not in named and len(named) == len(tops):
            raise Refused(f"There are folders for {' and '.join(sorted(named))}, but none for training. {LAYOUT}")
        found = self._classified(pictures, depth, splits if split_folders else None)
        self._number(found, class_names)

    def _classified(
        self, pictures: list[Parts], depth: int, splits: dict[str, str] | None
    ) -> list[tuple[Parts, str, str]]:
        """(path, class folder, split) of each picture that lies in a class folder."""
        found = []
        for parts in pictures:
            inner = parts[depth:]
            split = "train"
            if splits is not None:
                split, inner = splits.get(_same(inner[0]), ""), inner[1:]
            if len(inner) < 2 and self.loose is not None:
                found.append((parts, self.loose, split or "train"))
            elif not split or len(inner) < 2:
                self.skipped.append((shown(parts), "It lies outside the class folders."))
            else:
                found.append((parts, inner[0], split))
        return found

    def _number(self, found: list[tuple[Parts, str, str]], class_names: dict[str, str]) -> None:
        trained: dict[str, str] = {}  # what the folder is to a person -> its name as first seen
        for _, folder, split in found:
            if split == "train":
                trained.setdefault(_same(folder), clean_name(class_names.get(folder, folder)))
        order = sorted(trained)
        self.classes = tuple(trained[key] for key in order)
        if len(set(self.classes)) < len(self.classes):
            raise Refused("Two class folders have names that look the same. Rename one of them.")
        label = {key: position for position, key in enumerate(order)}
        self.paths: list[Parts] = []
        numbered: list[tuple[int, str]] = []
        for parts, folder, split in found:
            if _same(folder) in label:
                self.paths.append(parts)
                numbered.append((label[_same(folder)], split))
            else:
                self.skipped.append((shown(parts), "Its class has no training pictures."))
        names = _told_apart(self.paths)
        self.entries = [Entry(name, number, split) for name, (number, split) in zip(names, numbered, strict=True)]


def _wrapping(pictures: list[Parts], splits: dict[str, str]) -> int:
    """How many folders lie around everything: packing programs add one, unpacking and packing again a second. One that
    holds pictures beside several folders, or beside the one for training, lies around these, too; beside a single
    other one it is a class."""
    depth = 0
    while all(len(parts) > depth + 1 for parts in pictures):
        tops = {_same(parts[depth]) for parts in pictures}
        inside = {_same(parts[depth + 1]) for parts in pictures if len(parts) > depth + 2}
        loose = any(len(parts) == depth + 2 for parts in pictures)
        around = len(inside) > 1 or any(splits.get(name) == "train" for name in inside)
        if len(tops) > 1 or tops <= splits.keys() or (loose and not around):
            break
        depth += 1
    return depth
