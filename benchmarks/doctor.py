"""The data doctor over many photographs: `python -m benchmarks.doctor [--pictures 10000] [--runs 3]`.

Imagenette's photographs (short side 160), evenly chosen, are examined straight from the zip, for squares of 64 pixels:
decoded once each, then compared in all pairs. Each run is a process of its own; the time is that of all of `examine`
from the opened zip on, the peak that of the process. What was found is kept beside it: copies that nobody planted.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from alexnet_core.data.archives import read_archive
from alexnet_core.data.doctor import examine
from benchmarks import cifar
from benchmarks.report import machine, peak_mb, spread, write

PHOTOGRAPHS = cifar.SHARED / "imagenette-160.zip"
SIDE = 64


def main() -> None:
    """Measure, print a line a run, keep the result as doctor.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--photographs", type=Path, default=PHOTOGRAPHS, help="class folders in a zip")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(examined(asked.photographs, asked.pictures)))
        return
    about = machine()
    runs = []
    for _ in range(asked.runs):
        command = [sys.executable, "-m", "benchmarks.doctor", "--child", "--pictures", str(asked.pictures)]
        command += ["--photographs", str(asked.photographs)]
        said = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(json.loads(said.stdout))
        print(runs[-1], flush=True)
    result = {"command": "python -m benchmarks.doctor", "machine": about, "pictures": runs[0]["pictures"], "side": SIDE}
    for name in ("seconds", "looking_s", "comparing_s", "peak_mb"):
        result[name] = spread([run[name] for run in runs])
    write("doctor", result | {"found": runs[0]["found"]})


def examined(source: Path, count: int) -> dict[str, Any]:
    """One examination of `count` pictures of the zip."""
    whole = read_archive(source, side=SIDE)
    chosen = np.unique(np.linspace(0, len(whole.entries) - 1, count).round().astype(int)).tolist()
    some = replace(
        whole,
        entries=tuple(whole.entries[place] for place in chosen),
        read=lambda position: whole.read(chosen[position]),
    )
    looked = [0.0]

    def progress(done: int, total: int, stage: str) -> None:
        if stage == "examining" and done == total:
            looked[0] = time.perf_counter()

    started = time.perf_counter()
    found = examine(some, SIDE, progress)
    ended = time.perf_counter()
    return {
        "pictures": len(found.files),
        "seconds": ended - started,
        "looking_s": looked[0] - started,
        "comparing_s": ended - looked[0],
        "peak_mb": peak_mb(),
        "found": {
            "groups": len(found.groups),
            "blurred": len(found.blurred),
            "stretched": len(found.stretched),
            "broken": len(found.broken),
        },
    }


if __name__ == "__main__":
    main()
