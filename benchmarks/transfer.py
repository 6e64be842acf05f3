"""From photographs to a trained head on SqueezeNet 1.1's features: `python -m benchmarks.transfer [--runs 3]`.

“small”: 300 photographs of Imagenette lie in a folder, thirty a class. From the click on the page, the program already
loaded: they are prepared at 224 pixels, a training process is started, looks at each picture once, trains the head, and
tests it on pictures it has not seen. Asked of two cores: 20 s.

“head”: all of Imagenette the same way, already prepared: seconds of the training process, and the share of the 3,925
test pictures that the head gets right. (SqueezeNet's own last layer, asked which of the ten is most probable, is right
on 91 % of these pictures, whose short side has 160 pixels.)

“everything”: the head as before, then all layers from there, each with the recipe of its name. Asked: 95 % right.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from alexnet_core.data.sources import prepare
from alexnet_core.runs import launcher
from alexnet_core.runs.states import LIVE
from alexnet_core.training.events import EpochDone, Finished
from benchmarks.report import earlier, machine, spread, write

SHARED = Path(__file__).resolve().parents[2] / "shared"
EACH = 30
"""Photographs of each class in the small set."""
SIZE = 224
TASKS = {"small": ("head",), "head": ("head",), "everything": ("head", "everything")}
"""What learns in each, one run after the other, each from where the one before it ended."""
ASKED: dict[str, dict[str, float]] = {"small": {"seconds": 20}, "head": {}, "everything": {"top1": 0.95}}


def main() -> None:
    """Measure, print, keep the result as transfer.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="seeds of each task")
    parser.add_argument("--photographs", type=Path, default=SHARED / "data" / "imagenette-160.zip", help="a zip")
    parser.add_argument("--weights", type=Path, default=SHARED / "weights" / "squeezenet1_1-imagenet.pth")
    parser.add_argument(
        "--only", choices=TASKS, nargs="+", default=list(TASKS), help="some; the others keep their results"
    )
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        source, weights, task, seed = asked.child
        print(json.dumps(click(Path(source), Path(weights), task, int(seed))))
        return
    tasks = earlier("transfer", "tasks")
    result: dict[str, Any] = {"command": "python -m benchmarks.transfer", "machine": machine(), "tasks": tasks}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ALEXNET_HOME"] = str(Path(folder) / "home")
        sources = dict.fromkeys(TASKS, asked.photographs) | {"small": few(asked.photographs, Path(folder) / "few")}
        if asked.only != ["small"]:
            whole = prepare(asked.photographs, image_size=SIZE).directory
            sources |= {"head": whole, "everything": whole}
        for task in asked.only:
            each = [measured(sources[task], asked.weights, task, seed) for seed in range(asked.runs)]
            found: dict[str, Any] = {"asked": ASKED[task], "learn": TASKS[task], "each": each}
            found |= {name: each[0][name] for name in ("pictures", "held_out")}
            found |= {name: spread([one[name] for one in each], 2) for name in ("seconds", "preparing", "process")}
            found["top1"] = spread([one["top1"] for one in each], 4)
            tasks[task] = found
            write("transfer", result, [name for name in TASKS if name not in tasks])
            print(
                f"{task}: {found['pictures']:,} photographs, {found['seconds']['median']:.1f} s from the click "
                f"({found['preparing']['median']:.1f} s preparing, {found['process']['median']:.1f} s the process), "
                f"{found['top1']['median']:.1%} of the held-out pictures right"
            )


def few(photographs: Path, folder: Path) -> Path:
    """The first photographs of each training class, as a person would have them: class folders of JPEGs."""
    counts: Counter[str] = Counter()
    with zipfile.ZipFile(photographs) as archive:
        for name in sorted(archive.namelist()):
            *_, split, label, file = ("", "", *name.split("/"))
            if split == "train" and file.lower().endswith((".jpg", ".jpeg")) and counts[label] < EACH:
                counts[label] += 1
                (folder / label).mkdir(parents=True, exist_ok=True)
                (folder / label / file).write_bytes(archive.read(name))
    return folder


def measured(source: Path, weights: Path, task: str, seed: int) -> dict[str, Any]:
    """One task in a home folder of its own, started by a process that stands for the page."""
    command = [sys.executable, "-m", "benchmarks.transfer", "--child", str(source), str(weights), task, str(seed)]
    with tempfile.TemporaryDirectory() as home:
        said = subprocess.run(
            command, env=os.environ | {"ALEXNET_HOME": home}, check=True, capture_output=True, text=True
        )
    return json.loads(said.stdout.splitlines()[-1])


def click(source: Path, weights: Path, task: str, seed: int) -> dict[str, Any]:
    """What the button Start does, until the run has ended; for each run of the task."""
    began = time.perf_counter()
    data = prepare(source, image_size=None if (source / "meta.json").exists() else SIZE)
    prepared = time.perf_counter()
    start_from = weights
    for learn in TASKS[task]:
        explicit = {"model": "squeezenet1_1", "start_from": str(start_from), "learn": learn, "seed": seed}
        run = launcher.start(launcher.settled(explicit, data), data)
        while run.state().status in LIVE:
            time.sleep(0.05)
        start_from = run.path
    ended = time.perf_counter()
    finished = run.events()[-1]
    if not isinstance(finished, Finished):
        raise RuntimeError(run.state().message)
    last = next(event for event in reversed(run.events()) if isinstance(event, EpochDone))
    return {
        "seconds": ended - began,
        "preparing": prepared - began,
        "process": ended - prepared,
        "pictures": sum(data.count(split) for split in data.splits),
        "held_out": data.count("test" if "test" in data.splits else "val"),
        "top1": last.val_top1 if finished.test_top1 is None else finished.test_top1,
    }


if __name__ == "__main__":
    main()
