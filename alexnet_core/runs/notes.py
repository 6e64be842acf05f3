"""What a person calls a run and writes beside it: a small file of its own, for config.json is what was asked for."""

import json
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path

from alexnet_core.errors import ExplorerError
from alexnet_core.files import write_whole
from alexnet_core.limits import NAME_LENGTH

FILE = "notes.json"
NOTE_LENGTH = 4_000
"""Characters: a page of text. A run directory is no place for a book, and the list reads all notes."""


@dataclass(frozen=True)
class Notes:
    """notes.json."""

    title: str = ""
    """The name that a person gave later; empty means the one the run began with."""
    note: str = ""
    """Free text of any number of lines."""


def read_notes(directory: Path) -> Notes:
    """The notes in a run's directory; empty ones where there are none, or where somebody wrote nonsense into them: a
    name is not worth losing a run from the list."""
    try:
        values = json.loads((directory / FILE).read_text("utf-8"))
        return Notes(_line(str(values["title"])), _text(str(values["note"])))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Notes()


def write_notes(directory: Path, notes: Notes) -> None:
    """Write notes.json, the title as one line. Raises ExplorerError when title or note are too long, or when the disk
    is full; the old file is then untouched."""
    title, note = _line(notes.title), _text(notes.note)
    if len(title) > NAME_LENGTH:
        raise ExplorerError(f"A name has at most {NAME_LENGTH} characters, not {len(title)}; put the rest in the note.")
    if len(note) > NOTE_LENGTH:
        raise ExplorerError(f"A note has at most {NOTE_LENGTH:,} characters, not {len(note):,}; shorten it.")
    text = json.dumps(asdict(Notes(title, note)), indent=2, ensure_ascii=False)
    write_whole(directory / FILE, (text + "\n").encode())


def _line(text: str) -> str:
    return " ".join(_text(text).split())


def _text(text: str) -> str:
    """`text` without characters that nobody sees, or that turn the direction of others; line feeds stay."""
    hidden = ("Cc", "Cf", "Cs")
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in hidden).strip()
