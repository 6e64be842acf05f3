"""Pictures on their way into an album, one at a time, and an album as a source to prepare.

Whatever the number and size of the pictures, memory holds one that is decoded and a few that are being written. A
picture is written down in the journal only once it lies on the disk, so adding may be stopped, killed, or run into a
full disk at any moment: added again, the same source goes on, for a picture is known by its bytes.
"""

import errno
import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from alexnet_core.data.album import THUMBNAIL, Album, new_action
from alexnet_core.data.archives import archive_files, archive_key
from alexnet_core.data.collection import Cancelled, Collection, Entry, Progress, Refused
from alexnet_core.data.folders import folder_files
from alexnet_core.data.journal import Contents, Picture
from alexnet_core.data.picture_files import OWN_LICENCE, Files
from alexnet_core.errors import ExplorerError
from alexnet_core.images import NoRoom, clean_name, decode, sha256
from alexnet_core.lock import alone

LINE_PICTURES = 64
LINE_SECONDS = 2.0
"""A line of the journal is written after so many pictures or seconds: what a kill can cost is read once more."""
WRITERS = 8
"""Pictures being written at once: the disk's own wait, some milliseconds each, is waited for side by side."""


@dataclass
class Taken:
    """What became of the files of one source."""

    added: int = 0
    known: int = 0
    """Pictures that were there already, byte for byte."""
    elsewhere: list[tuple[str, str]] = field(default_factory=list)
    """(file, class where it is) of those known in another class than here."""
    broken: list[tuple[str, str]] = field(default_factory=list)
    """(file, reason) of what could not be taken."""
    gone: int = 0
    """Pictures that were added and are not here any more: another window removed them, or their class, meanwhile."""


def add_source(
    album: Album,
    source: Path,
    loose: str | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Taken:
    """Add the pictures of a folder or a zip to `album`, in the classes that its folders name.

    Pictures outside of class folders become the class `loose`, by default one named like the source. Raises
    ExplorerError for what `folders` refuses, when cancelled and when the disk is full; what was added until then stays,
    and the next call goes on from there.
    """
    if os.path.isdir(source):  # unlike Path's, these answer for impossible names and forbidden folders, too
        files = folder_files(source, loose=loose or clean_name(source.resolve().name))
    elif os.path.isfile(source):
        archive_key(source, progress, cancelled)  # refuses what is too large before anything parses it
        files = archive_files(source, loose=loose or clean_name(source.stem))
    else:
        raise ExplorerError(f"There is no folder or zip “{clean_name(str(source))}”. Check the path and its spelling.")
    try:
        return add_files(album, files, progress, cancelled)
    finally:
        files.close()  # also where a click interrupts it: the error that is on its way would keep the zip open


def add_pictures(
    album: Album,
    class_name: str,
    names: Sequence[str],
    read: Callable[[int], bytes],
    source: str = "pictures",
    progress: Progress | None = None,
) -> Taken:
    """Add single pictures to one class; `read` gives the bytes of the picture at a position."""
    entries = tuple(Entry(clean_name(name), 0, "") for name in names)
    return add_files(album, Files(source, source, (clean_name(class_name),), entries, (), read), progress)


def add_files(
    album: Album, files: Files, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> Taken:
    """Add picture files to `album`; raises as `add_source` does."""
    with _sentences_for_the_disk(album), alone_adding(album):
        return _Adding(album, files).run(progress, cancelled)


def alone_adding(album: Album) -> AbstractContextManager[None]:
    """While this is held, nobody else adds pictures. Raises ExplorerError where somebody does."""
    busy = f"Pictures are being added to “{album.id}” in another window. Wait until that is done."
    return alone(album.path / "adding.lock", busy)


@contextmanager
def _sentences_for_the_disk(album: Album) -> Iterator[None]:
    full = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
    try:
        yield
    except ExplorerError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in full:
            raise ExplorerError(
                "There is no space left on the disk. What was added until now is safe: make room, add the same "
                "again, and it goes on from there."
            ) from error
        raise
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise ExplorerError(f"“{album.id}” cannot be written ({reason}). Check its folder's permissions.") from error


class _Adding:
    """One source on its way into an album."""

    def __init__(self, album: Album, files: Files) -> None:
        self.album, self.files = album, files
        self.action = new_action()
        now = album.contents()
        self.classes = dict(now.classes)
        self.known = {picture.key: picture.class_id for picture in now.pictures.values()}
        self.wanted = [now.class_called(name) for name in files.classes]
        self.numbers: dict[int, int] = {}
        """The number of a label's class, once there is a new picture for it: known ones make no class."""
        self.taken = Taken(broken=list(files.skipped))
        self.added: list[str] = []
        """The keys of the new pictures."""
        self.unsaid = list(files.skipped)
        """Broken files that the journal does not have yet."""
        self.writing: deque[tuple[tuple[str, str], Future[None]]] = deque()
        self.stored: list[tuple[str, str]] = []
        """(key, name) of pictures on the disk that the journal does not have yet: all of one class and split."""
        self.place = (0, "")
        """The label and the split of the pictures on their way."""
        self.said = time.monotonic()

    def run(self, progress: Progress | None, cancelled: Cancelled | None) -> Taken:
        total = len(self.files.entries)
        with ThreadPoolExecutor(WRITERS, thread_name_prefix="store") as self.pool:
            try:
                for position, entry in enumerate(self.files.entries):
                    if cancelled and cancelled():
                        raise ExplorerError(
                            f"Adding was stopped after {position:,} of {total:,} files. Add the same again and it goes "
                            "on from there."
                        )
                    self._take(position, entry)
                    if progress:
                        progress(position + 1, total, "adding")
            finally:
                self._write_down()
        here = self.album.contents().pictures
        self.taken.gone = sum(key not in here for key in self.added)
        self.taken.added -= self.taken.gone
        return self.taken

    def _take(self, position: int, entry: Entry) -> None:
        name = entry.file.rsplit("/", 1)[-1]
        try:
            data = self.files.read(position)
            key = sha256(data)
            if key in self.known:
                self.album.store(key, data)  # its file may have got lost
                self._note_known(key, entry)
                return
            picture = decode(data, name, THUMBNAIL)
        except (Refused, NoRoom):
            raise
        except ExplorerError as error:
            self.taken.broken.append((entry.file, str(error)))
            self.unsaid.append((entry.file, str(error)))
            return
        # "train" is where a picture belongs that nobody put elsewhere.
        place = (entry.label, "" if entry.split == "train" else entry.split)
        if place != self.place or self._due():
            self._write_down()
            self.place = place
        if entry.label not in self.numbers:
            (number,) = self.album.name_classes([self.files.classes[entry.label]], self.action)
            self.numbers[entry.label] = number
            self.classes[number] = self.files.classes[entry.label]
        self._store(key, name, data, picture)
        self.known[key] = self.numbers[entry.label]
        self.taken.added += 1
        self.added.append(key)

    def _note_known(self, key: str, entry: Entry) -> None:
        self.taken.known += 1
        here = self.numbers.get(entry.label, self.wanted[entry.label])
        if self.known[key] != here:
            self.taken.elsewhere.append((entry.file, self.classes[self.known[key]]))

    def _store(self, key: str, name: str, data: bytes, picture: Image.Image) -> None:
        self.album.draw_thumbnail(key, picture)
        if len(self.writing) >= WRITERS:
            self._wait_for_one()
        self.writing.append(((key, name), self.pool.submit(self.album.store, key, data)))

    def _wait_for_one(self) -> None:
        picture, future = self.writing.popleft()
        future.result()
        self.stored.append(picture)

    def _due(self) -> bool:
        waiting = len(self.stored) + len(self.writing)
        return waiting >= LINE_PICTURES or (waiting > 0 and time.monotonic() - self.said > LINE_SECONDS)

    def _write_down(self) -> None:
        """Bring what is stored into the journal, also where something went wrong with a later one."""
        try:
            while self.writing:
                self._wait_for_one()
        finally:
            label, split = self.place
            if self.stored or (self.unsaid and label in self.numbers):
                self.album.note_added(
                    self.action, self.numbers[label], self.files.source, split, self.stored, self.unsaid
                )
                self.stored, self.unsaid = [], []
            self.said = time.monotonic()


# -- an album as a source ----------------------------------------------------------------------------------------------


def file_of(picture: Picture) -> str:
    """What a prepared set calls the picture: the name of its file, and enough of its key to find it again.

    Without its class, so that a picture that is moved stays in its split.
    """
    return f"{clean_name(picture.name)} ({picture.key[:12]})"


def picture_behind(now: Contents, file: str) -> Picture | None:
    """The picture that `file_of` gave this name; None where it was removed."""
    start = file[-13:-1]
    return next((one for key, one in now.pictures.items() if key.startswith(start) and file_of(one) == file), None)


def read_collection(path: Path, side: int | None = None) -> Collection:
    """The album at `path` as a collection of pictures, for the doctor and for preparation; `side` as in `read_folder`.

    Raises ExplorerError where it is gone.
    """
    album = Album(path)
    now = album.contents()
    classes, pictures = _in_order(now)

    def read(position: int) -> Image.Image:
        return album.picture(pictures[position].key, pictures[position].name, side)

    label = {class_id: place for place, class_id in enumerate(classes)}
    return Collection(
        name=album.id,
        title=now.title,
        classes=tuple(now.classes[class_id] for class_id in classes),
        source=f"the pictures collected in {now.title}",
        licence=OWN_LICENCE,
        entries=tuple(Entry(file_of(one), label[one.class_id], one.split or "train") for one in pictures),
        read=read,
        skipped=tuple(now.broken.items()),
    )


def collection_key(path: Path) -> str:
    """A key of all that preparation would read: the pictures, their classes and splits; no picture is opened."""
    now = Album(path).contents()
    classes, pictures = _in_order(now)
    key = hashlib.sha256("\n".join(now.classes[class_id] for class_id in classes).encode())
    label = {class_id: place for place, class_id in enumerate(classes)}
    for one in pictures:
        key.update(f"\0{one.key} {label[one.class_id]} {one.split} {one.name}".encode("utf-8", "replace"))
    return key.hexdigest()


def _in_order(now: Contents) -> tuple[list[int], list[Picture]]:
    """The classes that have pictures, by name, and the pictures class by class."""
    filled = [class_id for class_id, keys in now.members.items() if keys]
    classes = sorted(filled, key=lambda class_id: now.classes[class_id].casefold())
    return classes, [now.pictures[key] for class_id in classes for key in now.members[class_id]]
