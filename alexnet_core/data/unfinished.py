"""The folder of a preparation that is not done yet: what of it can be gone on with.

progress.json says which entries are done, and is written once what it speaks of has reached the disk. So whatever stops
the process costs what came after the last note, and no more.
"""

import errno
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from alexnet_core.data.colour_sums import ColourSums
from alexnet_core.data.equal_pictures import DIGEST_BYTES
from alexnet_core.data.shards import disk_bytes, holds
from alexnet_core.errors import ExplorerError
from alexnet_core.files import move_folder, write_whole
from alexnet_core.images import clean_name

OWN_FILES = ("meta.json", "images-*.npy", "digests.bin", "labels.npy", "files.json", "facts.json", "report.json")
"""What an unfinished folder may hold beside its note, in the order in which it is thrown away to begin again."""


@dataclass(frozen=True)
class Reached:
    """How far a preparation has come; one object, so that Ctrl-C finds either all of a piece in it or nothing."""

    done: int = 0
    """Entries, in the order of the rows."""
    bad: int = 0
    colours: ColourSums = field(default_factory=ColourSums.of)
    """Of the rows for training."""

    @property
    def rows(self) -> int:
        """Pictures written."""
        return self.done - self.bad


class Unfinished:
    """`<out>.partial`, while one process works on it."""

    def __init__(self, out: Path, identity: str, side: int, rows_per_shard: int, entries: int) -> None:
        """To become the folder `out`: a set of that `identity` out of so many entries, pictures of `side` pixels."""
        self.out, self.path = out, out.with_name(out.name + ".partial")
        self.identity, self.side, self.rows_per_shard, self.entries = identity, side, rows_per_shard, entries
        self.reached = Reached()
        self.bad: list[tuple[int, str]] = []
        """(position in the collection, reason)."""

    def begin(self) -> None:
        """Find out how far an earlier attempt has come, or begin. Raises ExplorerError where somebody else's files lie
        there, OSError where there is too little room."""
        note = self.path / "progress.json"
        found = [file for file in self.path.iterdir() if not _half(file)] if self.path.is_dir() else []
        if found and not note.exists() and not (self.path / "meta.json").exists():
            raise ExplorerError(f"“{clean_name(self.path.name)}” already holds something else. Choose another folder.")
        if found and (self.complete() or self._goes_on(note)):
            return
        self.path.mkdir(exist_ok=True)
        for name in OWN_FILES:
            for file in self.path.glob(name):
                file.unlink()
        needed = disk_bytes(self.side, self.entries) + 1_000_000
        if shutil.disk_usage(self.path).free < needed:
            raise OSError(errno.ENOSPC, "less free than the pictures will need")
        self.note()

    def complete(self) -> bool:
        """Whether only the name of the folder is missing."""
        try:
            return json.loads((self.path / "meta.json").read_text("utf-8"))["identity"] == self.identity
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _goes_on(self, note: Path) -> bool:
        try:
            said = json.loads(note.read_text("utf-8"))
            bad = [(int(position), str(reason)) for position, reason in said["bad"]]
            reached = Reached(int(said["done"]), len(bad), ColourSums.from_dict(said["colours"]))
            fits = said["identity"] == self.identity and said["rows_per_shard"] == self.rows_per_shard
            whole = (
                0 <= reached.rows <= reached.done <= self.entries
                and holds(self.path, self.side, self.rows_per_shard, reached.rows)
                and (reached.rows == 0 or self._digests_held() >= reached.rows)
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return False
        if fits and whole:
            self.reached, self.bad = reached, bad
        return fits and whole

    @property
    def digests(self) -> Path:
        """The file of the digests of all rows so far."""
        return self.path / "digests.bin"

    def _digests_held(self) -> int:
        return self.digests.stat().st_size // DIGEST_BYTES

    def take(self, entries: int, bad: list[tuple[int, str]], colours: ColourSums) -> None:
        """So many more entries are done; their rows are written, if not yet on the disk."""
        self.bad += bad
        before = self.reached
        self.reached = Reached(before.done + entries, before.bad + len(bad), before.colours + colours)

    def note(self) -> None:
        """Write down how far it has come; what was written of it has to be on the disk."""
        said = {
            "identity": self.identity,
            "rows_per_shard": self.rows_per_shard,
            "done": self.reached.done,
            "bad": self.bad[: self.reached.bad],
            "colours": self.reached.colours.as_dict(),
        }
        self.write("progress.json", said)

    def write(self, name: str, values: object, indent: int | None = None) -> None:
        """A file of JSON, whole."""
        write_whole(self.path / name, json.dumps(values, indent=indent, ensure_ascii=False).encode())

    def publish(self) -> None:
        """Give the folder its own name: whoever finds that finds it whole."""
        self.digests.unlink(missing_ok=True)
        (self.path / "progress.json").unlink(missing_ok=True)
        for file in self.path.iterdir():
            if _half(file):
                file.unlink()
        if self.out.exists():
            self.out.rmdir()  # empty, or preparation would have refused it
        move_folder(self.path, self.out)


def sync(file: BinaryIO) -> None:
    """What was written to the open file has reached the disk."""
    file.flush()
    os.fsync(file.fileno())


def _half(file: Path) -> bool:
    """Whether it is what a kill left of a file that was being written whole."""
    return file.name.startswith(".") and file.name.endswith(".part")
