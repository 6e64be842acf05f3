"""Names and notes of runs are hostile text and never cost a run its place in the list."""

from pathlib import Path

import pytest

from alexnet_core.errors import ExplorerError
from alexnet_core.limits import NAME_LENGTH
from alexnet_core.runs.notes import NOTE_LENGTH, Notes, read_notes, write_notes


def test_they_come_back(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == Notes()
    notes = Notes("Größer <b>*x*</b>", "two lines:\nlr 0.1 was too high")
    write_notes(tmp_path, notes)
    assert read_notes(tmp_path) == notes
    write_notes(tmp_path, Notes())
    assert read_notes(tmp_path) == Notes()


def test_nobody_can_hide_something_in_them(tmp_path: Path) -> None:
    write_notes(tmp_path, Notes("one\nline \u202eturned\x07", "a\x00b\u200b\nc\r\n"))
    assert read_notes(tmp_path) == Notes("one line turned", "ab\nc")


@pytest.mark.parametrize("notes", [Notes("x" * (NAME_LENGTH + 1)), Notes("", "x" * (NOTE_LENGTH + 1))])
def test_what_is_too_long_is_refused_and_the_old_one_stays(tmp_path: Path, notes: Notes) -> None:
    write_notes(tmp_path, Notes("before"))
    with pytest.raises(ExplorerError, match="at most"):
        write_notes(tmp_path, notes)
    assert read_notes(tmp_path) == Notes("before")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"title": 1}', "[" * 100_000, '{"note": "x"}'])
def test_nonsense_is_no_note(tmp_path: Path, text: str) -> None:
    (tmp_path / "notes.json").write_text(text)
    assert read_notes(tmp_path) == Notes()
