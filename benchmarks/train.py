"""From pressing return to something learned: `python -m benchmarks.train [--runs 3]`.

Each run is the command a person would type, in a process of its own and a home folder of its own, timed from its start
to its end: loading the program, preparing the pictures, training, the test. Asked of two cores: digits with `quick` at
least 98 % of the test images right within 60 s; Fashion-MNIST with `alexnet_mini` at least 91 % within 180 s.

Fashion-MNIST's four files are read from --fashion (a folder as torchvision keeps it), so that no network is measured.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import cifar
from benchmarks.report import earlier, machine, spread, write

TASKS: dict[str, dict[str, Any]] = {
    "digits": {"arguments": ["--data", "digits"], "seconds": 60, "top1": 0.98},
    "fashion_mnist": {"arguments": ["--data", "fashion_mnist"], "seconds": 180, "top1": 0.91},
}


def main() -> None:
    """Run both tasks with several seeds, print the table, keep the result as train.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="seeds of each task")
    parser.add_argument(
        "--fashion", type=Path, default=cifar.SHARED / "FashionMNIST", help="torchvision's FashionMNIST folder"
    )
    parser.add_argument("--only", choices=TASKS, help="one task alone; the other keeps its result")
    asked = parser.parse_args()
    tasks = earlier("train", "tasks")
    result: dict[str, Any] = {"command": "python -m benchmarks.train", "machine": machine(), "tasks": tasks}
    print(f"{'':<16}{'seconds':>20}{'test top-1':>22}{'asked':>22}")
    for name, task in TASKS.items():
        if asked.only in (None, name):
            runs = [one(task["arguments"], seed, asked.fashion) for seed in range(asked.runs)]
            seconds = spread([run["seconds"] for run in runs])
            top1 = spread([run["test_top1"] for run in runs], 4)
            result["tasks"][name] = {"seconds": seconds, "test_top1": top1, "asked": task, "each": runs}
            print(
                f"{name:<16}{seconds['median']:>8.1f} ({seconds['least']:.1f} to {seconds['largest']:.1f})"
                f"{top1['median']:>9.2%} ({top1['least']:.2%} to {top1['largest']:.2%})"
                f"{task['top1']:>9.0%} in {task['seconds']} s"
            )
    write("train", result, [name for name in TASKS if name not in tasks])


def one(arguments: list[str], seed: int, fashion: Path) -> dict[str, float]:
    """One run from nothing: its wall-clock seconds and what it reached."""
    with tempfile.TemporaryDirectory() as home:
        downloads = Path(home) / "downloads"
        if "fashion_mnist" in arguments:
            # Only the packed files, as a download leaves them; unpacking is part of what is timed.
            shutil.copytree(fashion, downloads / "FashionMNIST", ignore=shutil.ignore_patterns("*-ubyte"))
        run = Path(home) / "run"
        command = [sys.executable, "-m", "alexnet_core", "train", *arguments]
        command += ["--recipe", "quick", "--seed", str(seed), "--out", str(run)]
        start = time.monotonic()
        subprocess.run(command, env=os.environ | {"ALEXNET_HOME": home}, check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - start
        last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
        timing = json.loads((run / "timing.jsonl").read_text().splitlines()[-1])
    return {"seconds": seconds, "training_seconds": timing["seconds"], "test_top1": last["test_top1"]}


if __name__ == "__main__":
    main()
