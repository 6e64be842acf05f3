"""All runs, and what a list says of each: read from the small files and the ends of the long ones.

A run of an hour has a megabyte of events; a list of two hundred runs would read for seconds what it shows in a line
each. The last epoch's numbers stand near the end of metrics.jsonl, so only the end is read.
"""

import json
from dataclasses import dataclass
from os import SEEK_END
from pathlib import Path
from typing import Any

from alexnet_core.errors import ExplorerError
from alexnet_core.places import runs_home
from alexnet_core.runs import directory
from alexnet_core.runs.directory import RUN_ID, RunConfig, RunDirectory, title_of
from alexnet_core.runs.notes import Notes, read_notes
from alexnet_core.runs.states import RunState

TAIL = 16_384
"""Bytes of the end of a file that are read at first: some 150 lines."""


@dataclass(frozen=True)
class Summary:
    """One run in a list."""

    run: RunDirectory
    config: RunConfig
    state: RunState
    notes: Notes
    epochs: int
    """Whole epochs so far."""
    val_top1: float | None
    """After the last whole epoch, a fraction of 1; None before the first, and for a run without events."""
    test_top1: float | None
    seconds: float | None
    """Spent training so far; None where no timing was written."""

    @property
    def id(self) -> str:
        """The run's id."""
        return self.run.id

    @property
    def title(self) -> str:
        """The name for the screen."""
        return title_of(self.config, self.notes)

    @property
    def top1(self) -> float | None:
        """The accuracy to sort by: on the test split where there was one, else on the validation split."""
        return self.val_top1 if self.test_top1 is None else self.test_top1


def list_runs() -> list[RunDirectory]:
    """The person's runs, newest first, then the bundled ones by name; damaged directories are left out."""
    return [one.run for one in summaries(with_results=False)]


def summaries(*, with_results: bool = True) -> list[Summary]:
    """What a list says of each run, in the order of `list_runs`; without results the long files are not opened."""
    found = []
    for root, newest_first in ((runs_home(), True), (directory.bundled_runs(), False)):
        for path in sorted(root.glob("*/config.json"), reverse=newest_first) if root.is_dir() else []:
            run = RunDirectory(path.parent)
            if not RUN_ID.fullmatch(run.id):
                continue
            try:
                found.append(summary(run, with_results=with_results))
            except ExplorerError:
                continue
    return found


def summary(run: RunDirectory, *, with_results: bool = True) -> Summary:
    """What a list says of one run. Raises ExplorerError where its small files are damaged."""
    config, state, notes = run.config(), run.state(), read_notes(run.path)
    if not with_results:
        return Summary(run, config, state, notes, 0, None, None, None)
    epoch = last_record(run.path / "metrics.jsonl", "epoch")
    finished = last_record(run.path / "metrics.jsonl", "finished") if state.status == "finished" else None
    timing = last_record(run.path / "timing.jsonl", None)
    return Summary(
        run,
        config,
        state,
        notes,
        int(_number(epoch, "epoch") or 0),
        _number(epoch, "val_top1"),
        _number(finished, "test_top1"),
        _number(timing, "seconds"),
    )


def last_record(path: Path, event: str | None) -> dict[str, Any] | None:
    """The last whole line of a file of events that is an `event` (any line for None), as JSON; None where there is
    none, or no file. Lines that are damaged are passed over: the page of the run says which."""
    reach = TAIL
    while True:
        try:
            with path.open("rb") as file:
                size = file.seek(0, SEEK_END)
                file.seek(max(0, size - reach))
                lines = file.read().split(b"\n")[:-1]
        except OSError:
            return None
        # The first piece may be the end of a longer line.
        for line in reversed(lines if reach >= size else lines[1:]):
            if event is not None and f'"{event}"'.encode() not in line:
                continue
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and (event is None or record.get("event") == event):
                return record
        if reach >= size:
            return None
        reach *= 8


def _number(record: dict[str, Any] | None, name: str) -> float | None:
    value = None if record is None else record.get(name)
    return float(value) if isinstance(value, int | float) else None
