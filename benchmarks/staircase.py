"""The staircase, recorded: `python -m benchmarks.staircase [--minutes 2] [--data cifar10-jpeg.zip]`.

AlexNet mini with and without batch normalisation, and VGG, Inception, ResNet and EfficientNet in small, learn from
CIFAR-10 at 32 pixels for the same time, each with three seeds: 18 runs, which with the usual two minutes take some 40
minutes. It is the command that a person would type, in a home folder of its own; left and started again with --home it
goes on.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import cifar
from benchmarks.report import machine, write


def main() -> None:
    """Climb, then keep the result as staircase.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=str(cifar.ZIP), help="a data set's name, folder or zip")
    parser.add_argument("--minutes", type=float, default=2.0, help="of training for each run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="0 takes as many as are fastest")
    parser.add_argument("--home", type=Path, help="where to keep the runs, to go on with them; else a temporary folder")
    asked = parser.parse_args()
    result: dict[str, Any] = {
        "command": "python -m benchmarks.staircase",
        "machine": machine(),
        "data": Path(asked.data).name,
        "minutes": asked.minutes,
    }
    with tempfile.TemporaryDirectory() as temporary:
        home = asked.home or Path(temporary)
        begun = any((home / "staircases").glob("*/staircase.json"))
        new = ["--data", asked.data, "--minutes", str(asked.minutes), "--seeds", str(asked.seeds)]
        what = ["--resume", "last"] if begun else [*new, "--threads", str(asked.threads)]
        command = [sys.executable, "-m", "alexnet_core", "staircase", *what]
        environment = os.environ | {"ALEXNET_HOME": str(home)}
        subprocess.run(command, env=environment, check=True)
        table = [sys.executable, "-m", "alexnet_core", "staircase", "--resume", "last", "--json"]
        said = subprocess.run(table, env=environment, check=True, stdout=subprocess.PIPE).stdout
    write("staircase", result | {"stairs": json.loads(said)["stairs"]})


if __name__ == "__main__":
    main()
