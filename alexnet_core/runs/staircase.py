"""The staircase: AlexNet in small, and the ideas that came after it, trained alike on the same pictures.

Each stair is a network of about the same cost with one idea more; each is trained with several seeds, for equal time or
for equal multiply-adds. They are ordinary runs, one after another, which every page can show. A staircase itself is a
folder that names them, so that it can be left and taken up again:

    staircase.json         data, budget, seeds, and what was found out on the way: epochs and run of each
    control/STOP           the wish of a person, looked at twice a second
    log.txt                what its process printed
"""

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder, read_whole, write_whole
from alexnet_core.places import staircases_home
from alexnet_core.runs import launcher
from alexnet_core.runs.climbed import Climbed, climbed
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.processes import is_alive, last_line, start_of
from alexnet_core.runs.queue import at_work
from alexnet_core.runs.stairs import STAIRS, Budget, epochs, settled
from alexnet_core.runs.states import LIVE

STAIRCASE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{2,79}")
BEAT = 0.5
"""Seconds between two looks at a run that trains."""
MOST_SEEDS = 20


@dataclass(frozen=True)
class Asked:
    """staircase.json."""

    data: DataIdentity
    budget: Budget
    seeds: int
    settings: dict[str, Any]
    """What was asked for beside the stairs' own settings, the same for all."""
    created: str
    """Local time, ISO 8601."""
    epochs: dict[str, int] = field(default_factory=dict)
    """Of each stair, once its first run was made."""
    runs: dict[str, str] = field(default_factory=dict)
    """The run of "stair-seed"."""
    pid: int | None = None
    process_started: float | None = None
    """When the process `pid` began, as `processes.start_of` has it."""

    def turns(self) -> list[tuple[str, int]]:
        """(stair, seed) in the order in which they are trained: each seed passes all stairs before the next one."""
        return [(stair, seed) for seed in range(self.seeds) for stair in STAIRS]


class Staircase:
    """One staircase on disk. Cheap to make; every read looks at the file anew."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, data: PreparedSet, budget: Budget, seeds: int = 3, **settings: Any) -> "Staircase":
        """A new one on `data`; `settings` hold for all its runs. Raises ExplorerError for settings no run can have."""
        if not 1 <= seeds <= MOST_SEEDS:
            raise ExplorerError(f"A staircase needs 1 to {MOST_SEEDS} seeds, not {seeds}.")
        for stair in STAIRS:
            settled(stair, 0, settings, data)
        made = cls(staircases_home() / f"{datetime.now():%Y%m%d-%H%M%S}-{token_hex(2)}")
        make_folder(made.path / "control")
        created = datetime.now().isoformat(timespec="seconds")
        made._write(Asked(DataIdentity.of(data), budget, seeds, settings, created))
        return made

    @classmethod
    def find(cls, staircase_id: str) -> "Staircase":
        """The one with this id. Raises ExplorerError where there is none."""
        found = cls(staircases_home() / staircase_id)
        if not STAIRCASE_ID.fullmatch(staircase_id) or not (found.path / "staircase.json").is_file():
            raise ExplorerError("There is no staircase of that name; start a new one.")
        found.asked()
        return found

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.path.name

    def asked(self) -> Asked:
        """What was asked for, and what is known so far. Raises ExplorerError when the file is damaged."""
        try:
            values = json.loads(read_whole(self.path / "staircase.json").decode())
            parts = {"data": DataIdentity.from_dict(values["data"]), "budget": Budget(**values["budget"])}
            return Asked(**values | parts)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ExplorerError(f"The file of staircase {self.id} is damaged; start a new one.") from error

    def data(self) -> PreparedSet:
        """Its data set. Raises ExplorerError where that is gone or has changed."""
        return self.asked().data.opened()

    def going_on(self) -> bool:
        """Whether a process climbs it now."""
        asked = self.asked()
        return asked.pid is not None and is_alive(asked.pid, asked.process_started)

    def stop(self) -> None:
        """Ask its process to stop, with the run that trains now; both can go on later."""
        make_folder(self.path / "control")
        (self.path / "control" / "STOP").touch()

    def stopping(self) -> bool:
        """Whether that wish stands."""
        return (self.path / "control" / "STOP").exists()

    def last_words(self) -> str:
        """The last line that its process printed: why it ended. Empty where it was climbed in a terminal."""
        return last_line(self.path / "log.txt")

    def climb(self) -> Iterator[str]:
        """Train what is not finished yet, one run after another, in processes of their own. Yields a sentence at each.

        Runs that are finished stay as they are; others go on from their last checkpoint. Raises ExplorerError where
        another process is at it, or the data set is gone.
        """
        # On Windows the python of a virtual environment only starts the real one: `launch` knows the parent's number.
        if self.going_on() and self.asked().pid not in (os.getpid(), os.getppid()):
            raise ExplorerError("This staircase is already being climbed.")
        data = self.data()
        (self.path / "control" / "STOP").unlink(missing_ok=True)
        self._write(replace(self.asked(), pid=os.getpid(), process_started=start_of(os.getpid())))
        try:
            turns = self.asked().turns()
            for place, (stair, seed) in enumerate(turns, 1):
                name = f"{place} of {len(turns)}: {STAIRS[stair].title}, seed {seed}"
                yield from self._one(stair, seed, data, name)
                if self.stopping():
                    yield "Stopped. What is trained stays; it can go on later."
                    return
            yield "All runs are through."
        finally:
            (self.path / "control" / "STOP").unlink(missing_ok=True)
            self._write(replace(self.asked(), pid=None, process_started=None))

    def results(self) -> list[Climbed]:
        """All runs so far, in their order; those that a person deleted are left out."""
        asked = self.asked()
        found = []
        for stair, seed in asked.turns():
            run = _run_of(asked, stair, seed)
            if run is not None:
                found.append(climbed(stair, seed, run))
        return found

    def _one(self, stair: str, seed: int, data: PreparedSet, name: str) -> Iterator[str]:
        asked = self.asked()
        run = _run_of(asked, stair, seed)
        if run is not None and run.state().status == "finished":
            yield f"{name}: finished before."
            return
        if run is None:
            if stair not in asked.epochs:
                # Beside another training a step takes two or three times as long: this stair alone would be given a
                # half or a third of the epochs that its minutes pay for.
                waiting = False
                while asked.budget.minutes and (other := at_work()) is not None:
                    if not waiting:
                        waiting = True
                        yield f"{name}: waiting for {other.title()} to end."
                    if self.stopping():
                        return
                    time.sleep(BEAT)
                yield f"{name}: choosing the epochs."
            run = self._start(stair, seed, data)
        elif run.state().status not in LIVE:
            launcher.resume(run)
        yield f"{name}: {run.config().settings.epochs} epochs, run {run.id}."
        try:
            while run.state().status in LIVE:
                if self.stopping():
                    run.ask("STOP")
                time.sleep(BEAT)
        except KeyboardInterrupt:
            run.ask("STOP")  # a process of its own, which Ctrl-C does not reach: it would train on
            raise
        yield f"{name}: {run.state().message}"

    def _start(self, stair: str, seed: int, data: PreparedSet) -> RunDirectory:
        asked = self.asked()
        settings = settled(stair, seed, asked.settings, data)
        count = asked.epochs.get(stair) or epochs(asked.budget, settings, data)
        run = launcher.start(
            replace(settings, epochs=count),
            data,
            f"Staircase {asked.created[5:16].replace('T', ' ')}: {STAIRS[stair].title}, seed {seed}",
        )
        self._write(replace(asked, epochs=asked.epochs | {stair: count}, runs=asked.runs | {f"{stair}-{seed}": run.id}))
        return run

    def _write(self, asked: Asked) -> None:
        write_whole(self.path / "staircase.json", (json.dumps(asdict(asked), indent=2) + "\n").encode())


def list_staircases() -> list[Staircase]:
    """All of them, the newest first; damaged ones are left out."""
    found = []
    for path in sorted(staircases_home().glob("*/staircase.json"), reverse=True):
        try:
            found.append(Staircase.find(path.parent.name))
        except ExplorerError:
            continue
    return found


def launch(staircase: Staircase) -> None:
    """Climb it in a process of its own, which lives on when the app ends."""
    command = [sys.executable, "-m", "alexnet_core", "staircase", "--resume", staircase.id]
    child = launcher.detached(command, staircase.path / "log.txt")
    # Said at once, so that a second click finds it going on.
    staircase._write(replace(staircase.asked(), pid=child.pid, process_started=start_of(child.pid)))


def _run_of(asked: Asked, stair: str, seed: int) -> RunDirectory | None:
    run_id = asked.runs.get(f"{stair}-{seed}")
    if run_id is None:
        return None
    try:
        return RunDirectory.find(run_id)
    except ExplorerError:
        return None  # a person deleted it; it is made anew
