"""The newest checkpoint damaged in a hundred ways: the run goes on from the one before, says so, and loses nothing."""

import random
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from alexnet_core.runs.checkpoints import checkpoints
from alexnet_core.runs.directory import RunDirectory

from . import child
from .runs import Result, differences

Damage = Callable[[bytes, bytes, random.Random], bytes]
"""(the newest checkpoint, the one before, chance) -> what is on the disk instead."""


def _flipped(data: bytes, bits: int, lot: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(bits):
        changed[lot.randrange(len(changed))] ^= 1 << lot.randrange(8)
    return bytes(changed)


def _hole(data: bytes, length: int, lot: random.Random) -> bytes:
    first = lot.randrange(len(data) - length)
    return data[:first] + bytes(length) + data[first + length :]


DAMAGES: dict[str, tuple[int, Damage]] = {
    "cut short at any byte": (34, lambda data, _, lot: data[: lot.randrange(1, len(data))]),
    "cut short by a few bytes": (4, lambda data, _, lot: data[: -lot.randint(1, 8)]),
    "emptied": (1, lambda _data, _, _lot: b""),
    "one bit flipped": (34, lambda data, _, lot: _flipped(data, 1, lot)),
    "two bits flipped": (5, lambda data, _, lot: _flipped(data, 2, lot)),
    "a page of zeros": (8, lambda data, _, lot: _hole(data, 4096, lot)),
    "zeros from some byte to the end": (
        5,
        lambda data, _, lot: data[: (n := lot.randrange(len(data)))] + bytes(len(data) - n),
    ),
    "noise": (5, lambda data, _, lot: lot.randbytes(len(data))),
    "longer": (3, lambda data, _, lot: data + lot.randbytes(lot.randint(1, 5000))),
    "the one before under its name": (1, lambda _, before, _lot: before),
}
"""How often each is tried in full, a hundred in all."""


def left_in_the_middle(run: RunDirectory, share: float = 0.7) -> None:
    """Train `run` to `share` of its metrics and kill it: what is then damaged. It keeps two checkpoints."""
    process = child.start(run, checkpoint_seconds=0.0)
    while process.is_alive():
        steps = [event.step for event in run.events() if hasattr(event, "step")]
        started = next(iter(run.events()), None)
        if started is not None and steps and max(steps) >= share * started.steps:  # type: ignore[union-attr]
            process.kill()
        time.sleep(0.005)
    assert process.exitcode == -9, "it ended before it was killed"
    assert len(checkpoints(run.path / "checkpoints")) >= 2


def damaged(left: RunDirectory, place: Path, expected: Result, damage: Damage, lot: random.Random) -> list[str]:
    """What differs when a copy of the run `left`, its newest checkpoint damaged, is taken up again in `place`."""
    run = RunDirectory(place / left.id)
    shutil.copytree(left.path, run.path)
    newest, before = checkpoints(run.path / "checkpoints")[:2]
    newest.write_bytes(damage(newest.read_bytes(), before.read_bytes(), lot))
    (run.path / "log.txt").unlink()
    code = child.to_the_end(run)
    said = (run.path / "log.txt").read_text()
    found = differences(expected, run) + [f"exit status {code}"] * (code != 0)
    passed_over = f"The checkpoint of step {int(newest.name[5:13])} is damaged; going on from the one before."
    if said.count(" is damaged") != 1 or said.splitlines().count(passed_over) != 1:
        found.append(f"it did not say in one line what it passed over, but: {said[:300]}")
    if f"Going on from step {int(before.name[5:13])} of" not in said:
        found.append("it did not go on from the one before")
    shutil.rmtree(place)
    return [re.sub(r"\d+", "…", phrase) for phrase in found]
