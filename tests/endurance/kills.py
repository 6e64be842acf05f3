"""SIGKILL, again and again, until the run ends all the same."""

import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from alexnet_core.runs.directory import RunDirectory

from . import child
from .runs import Result, differences


@dataclass
class Account:
    """What happened to some runs."""

    runs: int = 0
    kills: int = 0
    in_saving: int = 0
    """Kills that left a half-written file behind, or one checkpoint more than are kept: the saving had begun and was
    not over."""
    before_first: int = 0
    """Kills after the first line of metrics and before the first checkpoint."""
    resumes: int = 0
    """Processes that said they go on from a step above 0."""
    found: Counter[str] = field(default_factory=Counter)
    """Differences, and how often each was seen."""

    def add(self, other: "Account") -> None:
        """Take the other's counts in."""
        for name in ("runs", "kills", "in_saving", "before_first", "resumes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.found += other.found


def endure(
    run: RunDirectory, expected: Result, lot: random.Random, ways: list["Way"], *changes: str, kills: int = 1000
) -> Account:
    """Kill `run` up to `kills` times, each time in one of the `ways` drawn by lot, then let it end, and compare."""
    account = Account(runs=1)
    while True:
        folder = run.path / "checkpoints"
        parts = set(folder.glob(".*.part"))
        process = child.start(run, *changes)
        if account.kills < kills:
            lot.choice(ways)(process, run, lot, expected.seconds)
        process.join()
        if process.exitcode != -9:
            break
        account.kills += 1
        kept = len(list(folder.glob("step-*.pt")))
        account.in_saving += bool(set(folder.glob(".*.part")) - parts) or kept > 2
        account.before_first += not kept and bool(run.metrics_size())
        status = run.state().status
        if status == "finished":  # killed behind its last line; the comparison tells whether all was written
            break
        if status not in ("interrupted", "queued"):
            account.found[f"after a kill the run is shown as {status}"] += 1
    said = (run.path / "log.txt").read_text()
    account.resumes = sum(int(step) > 0 for step in re.findall(r"^Going on from step (\d+) of", said, re.MULTILINE))
    if process.exitcode != 0 and run.state().status != "finished":
        account.found[f"it could not go on: {said.strip().splitlines()[-1]:.150}"] += 1
    account.found.update(differences(expected, run))
    return account


Way = Callable[[ForkServerProcess, RunDirectory, random.Random, float], None]
"""Kills the process at a moment drawn by lot; the last argument is how long it takes undisturbed, in seconds."""


def at_random(process: ForkServerProcess, _run: RunDirectory, lot: random.Random, seconds: float) -> None:
    """At any instant, start-up included; not much later, so that a run is killed many times before its end."""
    process.join(lot.random() * 0.6 * seconds)
    process.kill()


def in_training(process: ForkServerProcess, run: RunDirectory, lot: random.Random, _seconds: float) -> None:
    """A few steps after a checkpoint: the next process goes on in the middle."""
    folder, steps = run.path / "checkpoints", lot.randint(2, 12)
    while process.is_alive() and not _seen(folder):
        time.sleep(0.002)
    size = run.metrics_size()
    while process.is_alive() and run.metrics_size() < size + 75 * steps:  # a step's line is some 75 bytes long
        time.sleep(0.002)
    process.kill()


def in_saving(process: ForkServerProcess, run: RunDirectory, lot: random.Random, _seconds: float) -> None:
    """A moment after something changes in the folder of checkpoints: a file appears, grows, is renamed, is dropped.

    The folder is looked at without a pause; a saving takes milliseconds, and a look takes some hundredth of one.
    """
    changes_to_see = lot.randint(1, 12)
    last = _seen(run.path / "checkpoints")
    while process.is_alive():
        now = _seen(run.path / "checkpoints")
        if now != last:
            last, changes_to_see = now, changes_to_see - 1
            if not changes_to_see:
                end = time.perf_counter() + lot.random() * 0.002
                while time.perf_counter() < end:
                    pass
                process.kill()
                return


def before_first_checkpoint(process: ForkServerProcess, run: RunDirectory, lot: random.Random, seconds: float) -> None:
    """As soon as there are metrics, where there is no checkpoint yet; otherwise at random."""
    if _seen(run.path / "checkpoints"):
        at_random(process, run, lot, seconds)
        return
    while process.is_alive() and not run.metrics_size():
        pass
    process.kill()


def _seen(folder: Path) -> list[tuple[str, int]]:
    seen = []
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                seen.append((entry.name, entry.stat().st_size))
            except FileNotFoundError:
                seen.append((entry.name, -1))
    return sorted(seen)
