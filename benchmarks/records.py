"""The records of 2012 again: `python -m benchmarks.records [--runs 3] [--only NAME]`.

In 2012 cuda-convnet brought the test error on CIFAR-10 to 26 % in 80 s, to 18 % in 20 min and to 11 % in 75 min, each
on a GTX 580. Asked of two processor cores, by networks of AlexNet's kind: 26 % in 15 s, 18 % in 60 s, 11 % in 15 min;
of an H200: 11 % in 10 s.

Each run is the train command in a process of its own, on pictures that are prepared already. Training is counted from
its first event to the end of the last epoch, validations and savings included. Before that event the command loads the
program, computes the first filters from a thousand training pictures and, in the first run of a recipe, measures ways
to compute; after it comes the test. None of these is counted; the whole command stands beside it. CIFAR-10 is read from
--zip, where it is stored as JPEG: a little harder than the original.
"""

import argparse
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import torch

from benchmarks import cifar
from benchmarks.report import earlier, machine, spread, write
from benchmarks.watching import Watched, watch


@dataclass(frozen=True)
class Record:
    """One record of 2012, and how it is tried here."""

    error: float
    """Share of the test images that may be wrong."""
    seconds: float
    """Of training."""
    in_2012: str
    arguments: tuple[str, ...]
    """Of the train command."""
    device: str = "cpu"


ON_A_GPU = ("--batch-size", "1500", "--epochs", "20", "--lr", "0.15")
"""A step of so small a network takes a GPU as long with 1,500 pictures as with 250: starting its kernels is what takes
time. Fewer steps, then, longer ones, and more passes."""

RECORDS = {
    "26%": Record(0.26, 15, "80 s", ("--recipe", "sprint")),
    "18%": Record(0.18, 60, "20 min", ("--recipe", "lap")),
    "11%": Record(0.11, 900, "75 min", ("--recipe", "distance")),
    "11%-gpu": Record(0.11, 10, "75 min", ("--recipe", "distance", *ON_A_GPU), "cuda"),
}


def main() -> None:
    """Try all records with several seeds each, print the table, keep the result as records.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="seeds of each record")
    parser.add_argument("--zip", type=Path, default=cifar.ZIP, help="CIFAR-10, a zip of class folders")
    parser.add_argument("--only", choices=RECORDS, help="one record alone; the others keep their results")
    asked = parser.parse_args()
    kept = earlier("records", "records")
    result: dict[str, Any] = {"command": "python -m benchmarks.records", "machine": machine(), "records": kept}
    possible = [name for name, record in RECORDS.items() if record.device == "cpu" or torch.cuda.is_available()]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        data, result["preparation_seconds"] = cifar.prepared(asked.zip, home)
        print(f"Preparation, once: {result['preparation_seconds']:.1f} s.")
        print(f"{'error':<10}{'seed':>5}{'test error':>12}{'training':>11}{'command':>11}{'asked':>18}{'in 2012':>10}")
        for name, record in RECORDS.items():
            if asked.only not in (None, name):
                continue
            if record.device == "cuda" and not torch.cuda.is_available():
                print(f"{name:<10}not yet measured: there is no CUDA GPU here")
                continue
            runs = []
            for seed in range(asked.runs):
                device = ("--device", record.device)
                runs.append(
                    figures(watch(["--data", str(data), *record.arguments, *device, "--seed", str(seed)], home))
                )
                print_run(name, seed, runs[-1], record)
            result["records"][name] = summary(record, runs)
            print(sentence(name, result["records"][name]), flush=True)
            # At once: the last one takes three quarters of an hour.
            write("records", result, [name for name in possible if name not in result["records"]])


def figures(run: Watched) -> dict[str, float]:
    """What one run took and reached."""
    return {
        "test_error": 1 - run.test_top1,
        "training_seconds": run.training_seconds,
        "seconds_by_timing_jsonl": run.timings[-1]["seconds"],
        "command_seconds": run.seconds,
    }


def print_run(name: str, seed: int, run: dict[str, float], record: Record) -> None:
    """One line of the table."""
    print(
        f"{name:<10}{seed:>5}{run['test_error']:>12.2%}"
        f"{run['training_seconds']:>9.1f} s{run['command_seconds']:>9.1f} s"
        f"{f'{record.error:.0%} in {record.seconds:g} s':>18}{record.in_2012:>10}",
        flush=True,
    )


def summary(record: Record, runs: list[dict[str, float]]) -> dict[str, Any]:
    """Mean and spread; reached is what the means reach, of error and of time."""
    error, seconds = (mean(run[key] for run in runs) for key in ("test_error", "training_seconds"))
    return {
        "asked": asdict(record),
        "reached": error <= record.error and seconds <= record.seconds,
        "mean_test_error": round(error, 4),
        "mean_training_seconds": round(seconds, 2),
        "test_error": spread([run["test_error"] for run in runs], 4),
        "training_seconds": spread([run["training_seconds"] for run in runs], 2),
        "command_seconds": spread([run["command_seconds"] for run in runs], 2),
        "each": runs,
    }


def sentence(name: str, record: dict[str, Any]) -> str:
    """The means against what is asked."""
    asked = record["asked"]
    return (
        f"{name:<10}{'reached' if record['reached'] else 'MISSED'}: mean {record['mean_test_error']:.2%} in "
        f"{record['mean_training_seconds']:.1f} s; asked {asked['error']:.0%} in {asked['seconds']:g} s"
    )


if __name__ == "__main__":
    main()
