"""The program's own train command, in a process of its own as a person starts it, and the moment of each event.

The run directory says what happened; that a line has come into metrics.jsonl is seen from outside, within 20 ms.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

LOOK_SECONDS = 0.02


@dataclass
class Watched:
    """A run that has come to its end."""

    seconds: float = 0.0
    """Of the whole command: loading the program, opening the data, training, the test."""
    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    """(seconds after the start of the command, line of metrics.jsonl)."""
    timings: list[dict[str, Any]] = field(default_factory=list)
    """The lines of timing.jsonl."""
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def first_event_seconds(self) -> float:
        """From the start of the command to the first event."""
        return self.events[0][0]

    @property
    def training_seconds(self) -> float:
        """From the first event to the end of the last epoch, with everything between: the validation after each epoch,
        the last one too, and what is saved."""
        return max(at for at, event in self.events if event["event"] == "epoch") - self.first_event_seconds

    @property
    def test_top1(self) -> float:
        """The share of the test images that the network of the last epoch has right."""
        return self.events[-1][1]["test_top1"]

    def images_per_s(self, warm_up: float = 0.2) -> float:
        """Of the steps after the first `warm_up` of them, without the validation between epochs."""
        return pace(self.timings, self.settings["batch_size"], warm_up)


def watch(arguments: Sequence[str], home: Path, look: Callable[[int], object] | None = None) -> Watched:
    """Run `train` with `arguments` and the home folder `home` to its end; the data set must be prepared already.

    `look` is called with the process's number every now and then. Ends the program with what the command printed when
    it does not come to a good end.
    """
    run, log = home / f"run-{time.monotonic_ns()}", home / "train.log"
    command = [sys.executable, "-m", "alexnet_core", "train", *arguments, "--out", str(run)]
    watched = Watched()
    with log.open("wb") as output:
        start = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | {"ALEXNET_HOME": str(home)},
        )
        try:
            new = appended(run / "metrics.jsonl")
            while process.poll() is None:
                watched.events += [(time.monotonic() - start, event) for event in next(new)]
                if look is not None:
                    look(process.pid)
                time.sleep(LOOK_SECONDS)
            watched.seconds = time.monotonic() - start
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}:\n{log.read_text()[-3000:]}")
    watched.events += [(watched.seconds, event) for event in next(new)]
    watched.timings = [json.loads(line) for line in (run / "timing.jsonl").read_text().splitlines()]
    watched.settings = json.loads((run / "config.json").read_text())["settings"]
    return watched


def appended(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Without an end: the whole lines that have come into a file of JSON lines since the last time."""
    offset = 0
    while True:
        records = []
        if path.exists() and path.stat().st_size > offset:
            with path.open("rb") as file:
                file.seek(offset)
                whole, newline, _ = file.read().rpartition(b"\n")
            offset += len(whole + newline)
            records = [json.loads(line) for line in whole.splitlines()]
        yield records


def pace(timings: Sequence[dict[str, Any]], batch_size: int, warm_up: float = 0.2) -> float:
    """Images a second from lines of timing.jsonl: of the steps after the first `warm_up` (a share of all), where two
    neighbouring lines belong to one epoch, so that no validation lies between them."""
    from_step = warm_up * timings[-1]["step"]
    pairs = [(a, b) for a, b in pairwise(timings) if a["step"] >= from_step and a["epoch"] == b["epoch"]]
    steps = sum(b["step"] - a["step"] for a, b in pairs)
    return steps * batch_size / sum(b["seconds"] - a["seconds"] for a, b in pairs)
