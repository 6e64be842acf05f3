"""SIGTERM and Ctrl-C, sent to the command a person types, from its first moment to its last."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from alexnet_core.commands.train import INTERRUPTED
from alexnet_core.runs.checkpoints import checkpoints
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.training.events import EpochDone, StepDone

from . import child
from .runs import EVERYTHING, PLAIN, SIZE, Result, differences, processes_of_session

ALLOWED_SECONDS = 5.0
"""From the signal to everything saved, said in state.json."""
AT_ONCE = {signal.SIGTERM: (INTERRUPTED, -signal.SIGTERM), signal.SIGINT: (INTERRUPTED, -signal.SIGINT)}
"""While there is nothing to save, the system's own end of a process will do as well."""
PATIENCE = 120.0


@dataclass
class Asked:
    """What became of one signal."""

    seconds: float
    """Until the process was gone."""
    saved_seconds: float = 0.0
    """Until state.json said that it is interrupted; 0 where the run had not begun."""
    found: list[str] = field(default_factory=list)


class Command:
    """`train` as a person types it, in a session of its own."""

    def __init__(self, data: Path, run: Path) -> None:
        words = [sys.executable, "-m", "alexnet_core", "train", "--data", str(data), "--out", str(run)]
        if not (data / "meta.json").exists():
            words += ["--size", str(SIZE)]
        for name, value in (PLAIN | EVERYTHING).items():
            flag = "--" + name.replace("_", "-")
            words += (
                [flag if value else flag.replace("--", "--no-", 1)] if isinstance(value, bool) else [flag, str(value)]
            )
        self.run = RunDirectory(run)
        home = run.parent / "home"  # with nothing prepared in it yet
        self.log = (run.parent / "log.txt").open("wb")
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"ALEXNET_HOME": str(home)},
        )

    def until(self, there: Callable[[], bool]) -> None:
        """Wait for a moment; an end of the process before it is a mistake of the trial."""
        end = time.monotonic() + PATIENCE
        while not there():
            assert self.process.poll() is None, f"it ended too early: {Path(self.log.name).read_text()}"
            assert time.monotonic() < end, "the moment never came"
            time.sleep(0.002)

    def begun(self) -> bool:
        """Whether it trains."""
        return bool((self.run.path / "metrics.jsonl").exists() and self.run.metrics_size())

    def ask(self, number: signal.Signals) -> Asked:
        """Send the signal as a terminal does, to the whole group, and wait."""
        began, at = time.monotonic(), time.time()
        os.killpg(self.process.pid, number)
        code = self.process.wait(PATIENCE)
        asked = Asked(time.monotonic() - began)
        self.log.close()
        left = processes_of_session(self.process.pid)
        if left:
            asked.found.append(f"{len(left)} processes left behind")
        started = (self.run.path / "state.json").exists() and checkpoints(self.run.path / "checkpoints")
        sensible = (INTERRUPTED,) if started else AT_ONCE[number]
        if code not in sensible:
            asked.found.append(f"exit status {code}, not {sensible[0]}")
        if started and self.run.state().status == "interrupted":
            asked.saved_seconds = max(0.0, self.run.state().heartbeat - at)
        if asked.saved_seconds > ALLOWED_SECONDS:
            asked.found.append(f"saved after {asked.saved_seconds:.1f} s")
        said = Path(self.log.name).read_text()
        if "Traceback" in said:
            asked.found.append(f"a traceback: {said.splitlines()[-1]}")
        return asked


def at_start_up(command: Command, lot: random.Random) -> None:
    """While the program is being loaded."""
    time.sleep(0.2 + lot.random() * 2)


def in_preparation(command: Command, lot: random.Random) -> None:
    """While pictures are decoded."""
    command.until(lambda: any((command.run.path.parent / "home").rglob("*.partial")))
    time.sleep(lot.random() * 0.3)


def in_training(command: Command, lot: random.Random) -> None:
    """Somewhere in the training, whatever it is doing."""
    command.until(command.begun)
    steps = lot.randint(1, 40)
    command.until(lambda: sum(isinstance(event, StepDone) for event in command.run.events()) >= steps)


def in_evaluation(command: Command, lot: random.Random) -> None:
    """When the last step of an epoch is written and its evaluation is not."""
    command.until(command.begun)
    last = command.run.events()[0].train_images // PLAIN["batch_size"] * lot.randint(1, 4)  # type: ignore[union-attr]

    def evaluating() -> bool:
        event = command.run.events()[-1]
        return isinstance(event, StepDone) and event.step >= last and event.step % last == 0

    command.until(
        lambda: evaluating() or any(isinstance(e, EpochDone) and e.step >= last for e in command.run.events())
    )


def in_pause(command: Command, lot: random.Random) -> None:
    """While it waits for the wish to be taken back."""
    command.until(command.begun)
    command.run.ask("PAUSE")
    command.until(lambda: command.run.state().status == "paused")
    time.sleep(lot.random() * 0.3)


MOMENTS = (at_start_up, in_preparation, in_training, in_evaluation, in_pause)


def interrupted(
    moment: Callable[[Command, random.Random], None],
    number: signal.Signals,
    data: Path,
    pictures: Path,
    place: Path,
    expected: Result,
    lot: random.Random,
) -> Asked:
    """Send the signal at the moment, look at what is left, go on, and compare with an undisturbed run on `data`; for
    the moment of preparation the `pictures` themselves are given."""
    place.mkdir(parents=True)
    command = Command(pictures if moment is in_preparation else data, place / "a-run")
    moment(command, lot)
    asked = command.ask(number)
    run = command.run
    if not (run.path / "config.json").exists():  # it had not begun: the same command again begins it
        again = Command(pictures if moment is in_preparation else data, run.path)
        if again.process.wait(PATIENCE):
            asked.found.append(f"it cannot be started again: {Path(again.log.name).read_text()[-200:]}")
            return asked
    elif run.state().status == "finished":
        asked.found.append("it finished before the signal") if moment is not in_evaluation else None
    else:
        if run.state().status != "interrupted":
            asked.found.append(f"shown as {run.state().status}")
        run.withdraw("PAUSE")
        events = [event for event in run.events() if isinstance(event, StepDone)]
        saved = checkpoints(run.path / "checkpoints")
        if events and (not saved or int(saved[0].name[5:13]) < events[-1].step):
            asked.found.append("steps were not saved")
        if child.to_the_end(run) != 0:
            asked.found.append("it cannot go on")
    asked.found += differences(expected, run)
    shutil.rmtree(place)
    return asked
