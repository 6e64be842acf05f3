"""A data set made by hand: photographs as they came, under the keys of their bytes, and a journal of what was done.

    collections/<id>/
      journal.jsonl         what was done, a line an action (`journal` says what follows from it)
      pictures/1f/1f3a…     each photograph, byte for byte as it came; of those removed, too, for undoing, until
                            `deleted_albums.delete_removed`
      thumbnails/1f/1f3a…   small JPEGs, made again where they are missing

Ids are made by us, matched whole against a pattern and resolved under the collections' folder: no name of a stranger
ever becomes a path.
"""

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from secrets import token_hex

from PIL import Image, ImageOps

from alexnet_core import places
from alexnet_core.data import journal
from alexnet_core.data.journal import Contents, Line
from alexnet_core.errors import ExplorerError
from alexnet_core.files import append_line, make_folder, sync, write_whole
from alexnet_core.images import clean_name, decode
from alexnet_core.limits import PICTURE_BYTES
from alexnet_core.lock import Busy, alone

ALBUM_ID = re.compile(r"[a-z0-9-]{1,32}-[0-9a-f]{8}")
THUMBNAIL = 128
"""Side in pixels of a thumbnail, the centre square of its picture; that of a small picture is as small."""
PATIENCE = 10.0
"""Seconds in which somebody else's line has long been written; then something is wrong."""
JOURNAL_BYTES = 1_000_000_000
"""Some ten million pictures. A larger journal is none of ours."""


@dataclass(frozen=True)
class Album:
    """One such data set. Any number of windows may change it at once: each line is written under a lock."""

    path: Path

    @property
    def id(self) -> str:
        """The name of its folder, which is also what `prepare` takes for it."""
        return self.path.name

    @property
    def journal_path(self) -> Path:
        """Where the journal lies."""
        return self.path / "journal.jsonl"

    def version(self) -> tuple[Path, int, int]:
        """What `contents` depends on: after any change it is another. Raises ExplorerError where the album is gone."""
        try:
            status = self.journal_path.stat()
        except OSError as error:
            raise _gone(self.id) from error
        return self.journal_path, status.st_size, status.st_mtime_ns

    def contents(self) -> Contents:
        """The present state, read anew only after a change. Raises ExplorerError where the journal is gone or cannot
        be read."""
        return _contents(*self.version())

    # -- what a person does ------------------------------------------------------------------------------------------

    def retitle(self, title: str) -> None:
        """Give the data set another title."""
        with self.changing():
            self._write({"do": "title", "action": new_action(), "title": clean_name(title)})

    def name_classes(self, names: Sequence[str], action: str | None = None) -> list[int]:
        """The number of the class of each name; those that are not there yet are made, as one action."""
        action = action or new_action()
        numbers = []
        with self.changing() as now:
            following = now.next_class
            for name in names:
                number = now.class_called(name)
                if number is None:
                    number, following = following, following + 1
                    self._write({"do": "class", "action": action, "class": number, "name": clean_name(name)})
                numbers.append(number)
        return numbers

    def rename_class(self, class_id: int, name: str) -> None:
        """Give a class another name. Raises ExplorerError where it is another class's."""
        with self.changing() as now:
            _check_class(now, class_id)
            taken = now.class_called(name)
            if taken not in (None, class_id):
                raise ExplorerError(
                    f"There is a class “{clean_name(name)}” already. Merge the two, or take another name."
                )
            self._write({"do": "rename", "action": new_action(), "class": class_id, "name": clean_name(name)})

    def merge_classes(self, class_id: int, into: int) -> None:
        """Move all pictures of one class into another, and forget the first."""
        with self.changing() as now:
            _check_class(now, class_id)
            _check_class(now, into)
            if class_id == into:
                raise ExplorerError("A class cannot be merged with itself. Choose another one.")
            self._write({"do": "merge", "action": new_action(), "class": class_id, "into": into})

    def drop_class(self, class_id: int) -> None:
        """Remove a class with all its pictures."""
        with self.changing() as now:
            _check_class(now, class_id)
            self._write({"do": "drop", "action": new_action(), "class": class_id})

    def move(self, keys: Sequence[str], class_id: int) -> None:
        """Put pictures into another class. Raises ExplorerError where a picture or the class is gone."""
        with self.changing() as now:
            _check_class(now, class_id)
            _check_pictures(now, keys)
            self._write({"do": "move", "action": new_action(), "class": class_id, "pictures": list(keys)})

    def remove(self, keys: Sequence[str]) -> None:
        """Take pictures out; their files stay, for undoing. Raises ExplorerError where one is gone already."""
        with self.changing() as now:
            _check_pictures(now, keys)
            self._write({"do": "remove", "action": new_action(), "pictures": list(keys)})

    def undo(self) -> None:
        """Take back the last action. Raises ExplorerError where there is none."""
        with self.changing() as now:
            if now.undo is None:
                raise ExplorerError("There is nothing to undo.")
            self._write({"do": "undo"})

    def redo(self) -> None:
        """Do again what was undone last. Raises ExplorerError where there is nothing of the kind."""
        with self.changing() as now:
            if now.redo is None:
                raise ExplorerError("There is nothing to redo.")
            self._write({"do": "redo"})

    def note_added(
        self,
        action: str,
        class_id: int,
        source: str,
        split: str,
        pictures: Sequence[tuple[str, str]],
        broken: Sequence[tuple[str, str]],
    ) -> None:
        """Write down pictures (key, name) that were stored, and files (name, reason) that could not be."""
        line: Line = {"do": "add", "action": action, "class": class_id, "split": split, "from": source}
        with self._alone():
            self._write(line | {"pictures": dict(pictures), "broken": list(broken)})

    @contextmanager
    def changing(self) -> Iterator[Contents]:
        """The present state, which nobody else changes until the block is over."""
        with self._alone():
            yield self.contents()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        busy = f"Another window is changing “{self.id}” just now. Try again."
        limit = time.monotonic() + PATIENCE
        with ExitStack() as held:
            while True:
                try:
                    held.enter_context(alone(self.path / "journal.lock", busy))
                    break
                except Busy:
                    if time.monotonic() > limit:
                        raise
                    time.sleep(0.01)
                except OSError as error:
                    raise _gone(self.id) from error
            yield

    def _write(self, line: Line) -> None:
        self._forget_unfinished_line()
        append_line(self.journal_path, journal.line_bytes(line))
        sync(self.journal_path)

    def _forget_unfinished_line(self) -> None:
        """A process that was killed while it wrote can leave a part of a line, which ours must not be appended to."""
        with self.journal_path.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            if end == 0:
                return
            file.seek(end - 1)
            if file.read(1) != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)

    # -- pictures ----------------------------------------------------------------------------------------------------

    def picture_path(self, key: str) -> Path:
        """Where the photograph lies. Raises ExplorerError for what is no key."""
        return self._place("pictures", key)

    def thumbnail_path(self, key: str) -> Path:
        """Where its thumbnail lies. Raises ExplorerError for what is no key."""
        return self._place("thumbnails", key)

    def _place(self, store: str, key: str) -> Path:
        if journal.KEY.fullmatch(key) is None:
            raise ExplorerError("This is not the key of a picture.")
        return self.path / store / key[:2] / key

    def picture_bytes(self, key: str, name: str = "picture") -> bytes:
        """The photograph as it came. Raises ExplorerError where it is gone."""
        try:
            with self.picture_path(key).open("rb") as file:
                return file.read(PICTURE_BYTES + 1)
        except OSError as error:
            raise ExplorerError(f"“{clean_name(name)}” is not here any more. Remove it, or add it again.") from error

    def picture(self, key: str, name: str = "picture", side: int | None = None) -> Image.Image:
        """The photograph, decoded; `side` as in `images.decode`."""
        return decode(self.picture_bytes(key, name), name, side)

    def store(self, key: str, data: bytes) -> None:
        """Keep the bytes of a picture that was decoded before, whole or not at all."""
        place = self.picture_path(key)
        if not place.exists():
            write_whole(place, data)

    def thumbnail(self, key: str, name: str = "picture") -> bytes:
        """The small JPEG, made where it is missing. Raises ExplorerError where the photograph is gone or damaged."""
        try:
            kept = self.thumbnail_path(key).read_bytes()
        except OSError:
            kept = b""
        # Empty is what a power cut can leave of one that was not on the disk yet.
        return kept or self.draw_thumbnail(key, self.picture(key, name, THUMBNAIL))

    def draw_thumbnail(self, key: str, picture: Image.Image) -> bytes:
        """Make and keep the thumbnail of a decoded picture."""
        file = BytesIO()
        side = min(THUMBNAIL, *picture.size)
        ImageOps.fit(picture, (side, side)).save(file, "JPEG", quality=85)
        place = self.thumbnail_path(key)
        make_folder(place.parent)
        # A cache: it is not brought to the disk at once, and one that gets lost is made again.
        half = place.with_name(f".{key}.{token_hex(4)}.part")
        try:
            half.write_bytes(file.getvalue())
            os.replace(half, place)
        except OSError:
            half.unlink(missing_ok=True)  # the disk is full or may not be written: then it is shown without being kept
        return file.getvalue()


@lru_cache(maxsize=4)  # 20 MB each with 50,000 pictures
def _contents(path: Path, size: int, changed: int) -> Contents:
    if size > JOURNAL_BYTES:
        raise ExplorerError(
            f"The journal of “{path.parent.name}” is too large to be one of this program's: "
            "restore it from a copy, or move its folder away."
        )
    try:
        return journal.contents(path.read_bytes())
    except OSError as error:
        raise _gone(path.parent.name) from error


def new_action() -> str:
    """A name for one thing that a person does."""
    return token_hex(8)


def _check_class(now: Contents, class_id: int) -> None:
    if class_id not in now.classes:
        raise ExplorerError("This class is gone: somebody else has just changed the data set.")


def _check_pictures(now: Contents, keys: Sequence[str]) -> None:
    if not keys:
        raise ExplorerError("Choose some pictures first.")
    if not all(key in now.pictures for key in keys):
        raise ExplorerError("Some of these pictures are gone: somebody else has just changed the data set.")


def _gone(album_id: str) -> ExplorerError:
    return ExplorerError(f"There is no data set “{clean_name(album_id)}” any more. Choose another one.")


# -- which there are ---------------------------------------------------------------------------------------------------


def create(title: str) -> Album:
    """A new, empty one. Raises ExplorerError where the disk is full."""
    title = clean_name(title)
    stem = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:32].strip("-") or "pictures"
    album = Album(places.collections_home() / f"{stem}-{token_hex(4)}")
    write_whole(album.journal_path, journal.line_bytes({"do": "begin", "format": journal.FORMAT, "title": title}))
    return album


def is_album(path: Path) -> bool:
    """Whether a folder is one of these."""
    try:
        with (path / "journal.jsonl").open("rb") as file:
            return journal.is_journal(file.readline(10_000))
    except OSError:
        return False


def find(album_id: str) -> Album:
    """The one with this id. Raises ExplorerError where there is none."""
    if ALBUM_ID.fullmatch(album_id) is None:
        raise _gone(album_id)
    album = Album(places.collections_home() / album_id)
    if not is_album(album.path):
        raise _gone(album_id)
    return album


def albums() -> list[Album]:
    """All of them, the one changed last first."""
    found = []
    for note in places.collections_home().glob("*/journal.jsonl"):
        if ALBUM_ID.fullmatch(note.parent.name) and is_album(note.parent):
            found.append((note.stat().st_mtime_ns, Album(note.parent)))
    return [album for _, album in sorted(found, key=lambda one: one[0], reverse=True)]
