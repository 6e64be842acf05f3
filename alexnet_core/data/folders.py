"""A folder or a zip of class folders, as people have them; the zip is a stranger's until proven otherwise.

    cats/1.jpg  dogs/1.jpg                       class folders
    train/cats/1.jpg  test/cats/2.jpg            splits above class folders (train, val, test and their other names)
    mine/cats/1.jpg ...                          either of these inside wrapping folders

Nothing is ever extracted: members are read one by one into memory, so no name in a zip
can become a path on this computer.
"""

import hashlib
import lzma
import os
import stat
import threading
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

from alexnet_core.data.preparation import LAYOUT, Cancelled, Collection, Entry, Progress, Refused
from alexnet_core.errors import ExplorerError
from alexnet_core.images import clean_name, decode, read_picture_file
from alexnet_core.limits import PICTURE_BYTES, PICTURE_SUFFIXES, ArchiveLimits, archive_limits

SPLIT_NAMES = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
OWN_LICENCE = "your own pictures"
MEMBER_ERRORS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""What zipfile lets out for a damaged or unusual member."""

READ_WHOLE = 4_000_000_000
"""Bytes up to which a zip is read once more to know it by all its content: some ten seconds. Photographs of the size of
ImageNet are 150 GB, as long to read as to prepare; such a zip is known by its table of contents, which holds the name,
the sizes and the checksum of every member, and reading compares them."""

Parts = tuple[str, ...]


def folder_key(folder: Path) -> str:
    """A key of the folder's content that needs no reading of pictures: names, sizes and times of change.

    A million photographs are 150 GB: reading them only to know them by their content would take as long as preparing
    them. So a copied folder is prepared again, and a file changed in place with its old size and time is not noticed.
    """
    key = hashlib.sha256()

    def note(parts: Parts, status: os.stat_result) -> None:
        line = f"{'/'.join(parts)}\0{status.st_size}\0{status.st_mtime_ns}\n"
        key.update(line.encode("utf-8", "surrogateescape"))

    _walk(folder, note)
    return key.hexdigest()


@dataclass(frozen=True)
class Files:
    """The picture files of a folder or a zip by class and split, not yet decoded."""

    name: str
    """Of the folder or the zip, cleaned."""
    source: str
    """The same with what it is."""
    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    skipped: tuple[tuple[str, str], ...]
    """(file, reason) of what is no picture, or lies where it cannot be used."""
    read: Callable[[int], bytes]
    """The bytes of the entry at this position; ExplorerError where it is bad, Refused where everything is."""


def folder_files(
    folder: Path,
    splits: dict[str, str] = SPLIT_NAMES,
    class_names: dict[str, str] | None = None,
    loose: str | None = None,
) -> Files:
    """The picture files of a folder. Links are reported, never followed.

    `splits` says which folder names are which split, `class_names` replaces folder names by better ones; pictures
    outside of class folders become the class `loose` where that is given. Raises ExplorerError where the folder has no
    such layout.
    """
    name = clean_name(folder.name)
    paths, links = _walk(folder)
    if not paths:
        raise Refused(f"“{name}” holds no pictures. {LAYOUT}")
    layout = _Layout(paths, splits, class_names or {}, loose)
    skipped = [(_shown(link), "This is a link, and links are not followed. Copy the file itself.") for link in links]
    return Files(
        name,
        f"the folder {name}",
        layout.classes,
        tuple(layout.entries),
        (*skipped, *layout.skipped),
        lambda position: read_picture_file(folder.joinpath(*layout.paths[position])),
    )


def read_folder(
    folder: Path,
    *,
    name: str | None = None,
    title: str | None = None,
    licence: str = OWN_LICENCE,
    splits: dict[str, str] = SPLIT_NAMES,
    class_names: dict[str, str] | None = None,
    side: int | None = None,
) -> Collection:
    """The pictures of a folder, as `folder_files` finds them.

    `side` is that of the squares that will be cut, in pixels: larger JPEGs need not be decoded whole.
    """
    return _decoded(folder_files(folder, splits, class_names), name, title, licence, side)


def _decoded(files: Files, name: str | None, title: str | None, licence: str, side: int | None) -> Collection:
    def read(position: int) -> Image.Image:
        return decode(files.read(position), files.entries[position].file.rsplit("/", 1)[-1], side)

    return Collection(
        name=name or files.name,
        title=title or files.name,
        classes=files.classes,
        source=files.source,
        licence=licence,
        entries=files.entries,
        read=read,
        skipped=files.skipped,
    )


def _walk(folder: Path, note: Callable[[Parts, os.stat_result], None] | None = None) -> tuple[list[Parts], list[Parts]]:
    """Paths below `folder`, in a fixed order: regular files, and links. Raises ExplorerError if unreadable.

    Files are looked at more closely only where `note` wants to know: names and kinds come with the list of a folder.
    """
    files: list[Parts] = []
    links: list[Parts] = []
    waiting: list[Parts] = [()]
    try:
        while waiting:
            above = waiting.pop()
            with os.scandir(os.path.join(folder, *above)) as listed:
                found = sorted(listed, key=lambda one: one.name)
            folders = []
            for one in found:
                parts = (*above, one.name)
                if _ignored(parts[-1:]):
                    continue
                if one.is_symlink():
                    links.append(parts)
                elif one.is_dir(follow_symlinks=False):
                    folders.append(parts)
                elif one.is_file(follow_symlinks=False):
                    files.append(parts)
                    if note:
                        note(parts, one.stat(follow_symlinks=False))
            waiting += reversed(folders)
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise ExplorerError(f"“{clean_name(folder.name)}” cannot be read ({reason}). Check its permissions.") from error
    return files, links


def archive_key(path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None) -> str:
    """The sha256 of the zip, of a very large one that of its table of contents: 64 hexadecimal digits.

    Raises Refused for a zip that is too large or lists too many files: both are seen here, before anything parses it.
    """
    name, limits = clean_name(path.name), archive_limits(path)
    size = path.stat().st_size
    if size > limits.packed_bytes:
        raise Refused(
            f"“{name}” is larger than {limits.packed_bytes // 1_000_000:,} MB. Send fewer or smaller pictures."
        )
    if size > READ_WHOLE:
        return _contents_key(path, limits)
    key, listed, tail, read = hashlib.sha256(), 0, b"", 0
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                key.update(block)
                # Each line of a zip's table of contents starts so. Counting them bounds what opening it can cost; the
                # number that the zip itself gives is ignored by readers, and can lie.
                listed += (tail + block).count(b"PK\1\2")
                tail, read = block[-3:], read + len(block)
                if progress:
                    progress(read, size, "reading")
                if cancelled and cancelled():
                    raise ExplorerError(f"Reading “{name}” was stopped. Start again when you like.")
    except OSError as error:
        raise ExplorerError(f"“{name}” cannot be read ({error.strerror or 'unknown error'}).") from error
    if listed > limits.entries + 100:  # a few more may turn up by chance inside the pictures
        raise Refused(_too_many(name, limits))
    return key.hexdigest()


def _contents_key(path: Path, limits: ArchiveLimits) -> str:
    name = clean_name(path.name)
    with _opened(path) as archive, path.open("rb") as file:
        if len(archive.infolist()) > limits.entries:
            raise Refused(_too_many(name, limits))
        file.seek(archive.start_dir)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except MEMBER_ERRORS as error:
        raise Refused(f"“{clean_name(path.name)}” is not a zip, or a damaged one. Pack the folder again.") from error


def _too_many(name: str, limits: ArchiveLimits) -> str:
    return f"“{name}” holds more than {limits.entries:,} files. Make a zip with fewer pictures."


def archive_files(path: Path, loose: str | None = None) -> Files:
    """The picture files of a zip, which stays open while they are in use; `loose` as for a folder.

    Raises Refused for anything a zip of pictures does not do: links, encryption, paths that lead out of it, more
    files or bytes than its limits allow, no layout of class folders.
    """
    name, limits = clean_name(path.name), archive_limits(path)
    archive = _opened(path)
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(archive.infolist()) > limits.entries:
        raise Refused(_too_many(name, limits))
    found: dict[Parts, zipfile.ZipInfo] = {}  # of two members of the same name the later one counts, as in unpacking
    for member in members:
        parts = _safe_parts(member, name)
        if not _ignored(parts):
            found[parts] = member
    if not found:
        raise Refused(f"“{name}” holds no pictures. {LAYOUT}")
    layout = _Layout(sorted(found), SPLIT_NAMES, {}, loose)
    read_member = _counting_reader(archive, name, limits)
    return Files(
        clean_name(path.stem),
        f"the zip {name}",
        layout.classes,
        tuple(layout.entries),
        tuple(layout.skipped),
        lambda position: read_member(found[layout.paths[position]]),
    )


def read_archive(path: Path, side: int | None = None) -> Collection:
    """The pictures of a zip, as `archive_files` finds them."""
    return _decoded(archive_files(path), None, None, OWN_LICENCE, side)


def named_files(names: Sequence[str], read: Callable[[int], bytes], source: str) -> Files:
    """Picture files that a browser sent with their paths (`pets/cats/1.jpg`), which only tell the classes here.

    The folder that was chosen stands around all of them; pictures in none of its folders become a class of its name.
    `read` gives the bytes of the file at a position. Raises Refused where there are no pictures.
    """
    position_of: dict[Parts, int] = {}
    for position, name in enumerate(names):
        parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))
        if not _ignored(parts):
            position_of[parts] = position
    around = {parts[0] for parts in position_of if len(parts) > 1}
    loose = "pictures"
    if len(around) == 1 and all(len(parts) > 1 for parts in position_of):
        loose = clean_name(around.pop())
        position_of = {parts[1:]: position for parts, position in position_of.items()}
    layout = _Layout(sorted(position_of), SPLIT_NAMES, {}, loose)
    return Files(
        source,
        source,
        layout.classes,
        tuple(layout.entries),
        tuple(layout.skipped),
        lambda position: read(position_of[layout.paths[position]]),
    )


def _safe_parts(member: zipfile.ZipInfo, archive: str) -> Parts:
    """The member's path in pieces. Nothing is written there; a zip that tries is not one to be read at all."""
    path = member.filename.replace("\\", "/")  # some Windows programs pack so
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if path.startswith("/") or ".." in parts or (parts and parts[0][1:2] == ":"):
        raise Refused(f"“{archive}” contains paths that lead out of it. Pack the folder of pictures again yourself.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise Refused(f"“{archive}” contains links. Pack the pictures themselves.")
    if member.flag_bits & 1:
        raise Refused(f"“{archive}” is encrypted. Pack the pictures without a password.")
    return parts


def _counting_reader(archive: zipfile.ZipFile, name: str, limits: ArchiveLimits) -> Callable[[zipfile.ZipInfo], bytes]:
    """Reads members from several threads, and counts what really comes out of them."""
    unpacked = 0
    counting = threading.Lock()

    def read(member: zipfile.ZipInfo) -> bytes:
        nonlocal unpacked
        shown = clean_name(member.filename.rsplit("/", 1)[-1])
        try:
            with archive.open(member) as stream:
                data = stream.read(PICTURE_BYTES + 1)
        except MEMBER_ERRORS as error:
            raise ExplorerError(f"“{shown}” is damaged inside the zip. Pack it again.") from error
        with counting:
            unpacked += len(data)
        # A file of a few hundred bytes may well shrink more than a hundredfold; it can do no harm.
        if len(data) > limits.ratio * max(member.compress_size, 1_000):
            raise Refused(
                f"“{name}” unpacks to more than {limits.ratio} times its size, as no pictures do. It is refused."
            )
        if unpacked > limits.unpacked_bytes:
            most = f"{limits.unpacked_bytes // 1_000_000:,} MB"
            raise Refused(f"“{name}” unpacks to more than {most}. Use fewer or smaller pictures.")
        return data

    return read


def _ignored(parts: Sequence[str]) -> bool:
    """What computers add on their own: __MACOSX, dot files, Windows' thumbnails."""
    return any(part.startswith(".") or part == "__MACOSX" for part in parts) or (
        not parts or parts[-1].casefold() in ("thumbs.db", "desktop.ini")
    )


def _shown(parts: Parts) -> str:
    return "/".join(clean_name(part) for part in parts)


@lru_cache(maxsize=10_000)  # a million files lie in a thousand folders
def _same(name: str) -> str:
    """What two names have in common that a person would call the same: form of accents and case do not count."""
    return unicodedata.normalize("NFC", name).strip().casefold()


class _Layout:
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
                self.skipped.append((_shown(parts), "Its name does not end like a picture's (.jpg, .png, ...)."))
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
                self.skipped.append((_shown(parts), "It lies outside the class folders."))
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
        self.entries: list[Entry] = []
        for parts, folder, split in found:
            if _same(folder) in label:
                self.paths.append(parts)
                self.entries.append(Entry(_shown(parts), label[_same(folder)], split))
            else:
                self.skipped.append((_shown(parts), "Its class has no training pictures."))


def _wrapping(pictures: list[Parts], splits: dict[str, str]) -> int:
    """How many folders lie around everything: packing programs add one, unpacking and packing again a second."""
    depth = 0
    while all(len(parts) > depth + 2 for parts in pictures):
        tops = {_same(parts[depth]) for parts in pictures}
        if len(tops) > 1 or tops <= splits.keys():
            break
        depth += 1
    return depth
