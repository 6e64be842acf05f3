"""Small runs, and what must be equal to the byte between two of them."""

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from sklearn.datasets import load_digits

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepare
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.training.recipes import settle

SIZE = 24
"""Pixels; the smallest picture `alexnet_mini` takes is a little smaller."""
PLAIN: dict[str, Any] = {"batch_size": 16, "threads": 1, "precision": "fp32", "device": "cpu", "epochs": 8}
SETTINGS: dict[str, dict[str, Any]] = {
    "dropout": {"optimizer": "sgd", "lr": 0.01, "schedule": "plateau", "dropout": 0.5, "batch_norm": False},
    "batch norm": {"optimizer": "sgd", "lr": 0.05, "schedule": "one_cycle", "dropout": 0.0, "label_smoothing": 0.1},
    "augmentation": {
        "optimizer": "sgd", "lr": 0.02, "schedule": "step", "translate": 0.125, "reflect": True, "colour": 0.2,
        "rotate": 15.0, "scale": 0.2,
    },
    "averaging": {
        "optimizer": "adamw", "lr": 2e-3, "weight_decay": 0.05, "schedule": "one_cycle", "dropout": 0.1,
        "averaging": 0.95, "whiten": True, "identity": True, "freeze_first": True, "bias_lr": 16.0,
    },
}  # fmt: skip
"""The runs that are killed: each way in which chance or memory enters a training, at least once."""
EVERYTHING: dict[str, Any] = SETTINGS["augmentation"] | {"dropout": 0.3, "batch_norm": True, "averaging": 0.95}
"""All of it together, for trials that have no need of four."""


def small_set(folder: Path) -> PreparedSet:
    """Two hundred of scikit-learn's digits, prepared from a folder of pictures as a person's would be."""
    pictures = small_pictures(folder / "pictures")
    return prepare(pictures, image_size=SIZE, out=folder / "digits")


def small_pictures(folder: Path, count: int = 200) -> Path:
    """The folder with `count` digits as PNG, a folder a class."""
    digits = load_digits()
    for number in range(count):
        place = folder / str(digits.target[number]) / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((digits.images[number] * 15.9).astype("uint8")).resize((SIZE, SIZE)).save(place)
    return folder


def new_run(data: PreparedSet, place: Path, settings: dict[str, Any]) -> RunDirectory:
    """A run of `settings` that has not begun. It is always called a-run: a network's file names its run."""
    config = settle(PLAIN | settings, train_images=data.count("train"), image_size=data.image_size)
    return RunDirectory.create(config, DataIdentity.of(data), place / "a-run")


@dataclass(frozen=True)
class Result:
    """What settings and seed determine, as bytes."""

    files: dict[str, bytes]
    """By the path in the run directory."""
    seconds: float = 0.0
    """From the start of the process to its end."""

    @classmethod
    def of(cls, run: RunDirectory, seconds: float = 0.0) -> "Result":
        """The result of a run, or of what there is of it."""
        paths = [run.path / "metrics.jsonl", run.path / "evaluation.npz", run.network_path]
        paths += [path for path in (run.path / "snapshots").iterdir() if path.suffix == ".safetensors"]
        return cls({str(path.relative_to(run.path)): path.read_bytes() for path in paths if path.exists()}, seconds)


def differences(expected: Result, run: RunDirectory) -> list[str]:
    """In what a run that has ended differs from an undisturbed one, one phrase each; empty when in nothing."""
    found = []
    state = run.state()
    if state.status != "finished":
        found.append(f"the run did not end: {state.status}, {state.message}")
    actual = Result.of(run)
    wanted, written = (result.files.get("metrics.jsonl", b"") for result in (expected, actual))
    if wanted != written:
        found.append(f"metrics: {_about_lines(wanted, written)}")
    for name in sorted(expected.files.keys() | actual.files.keys()):
        if name != "metrics.jsonl" and expected.files.get(name) != actual.files.get(name):
            found.append(f"{name}: {'other bytes' if name in actual.files else 'missing'}")
    found += [f"{path.name} was left behind" for path in run.path.rglob("*.part")]
    steps = [timing.step for timing in run.timings()]
    if steps != sorted(set(steps)):
        found.append("timing: steps twice or out of order")
    return found


def _about_lines(expected: bytes, actual: bytes) -> str:
    wanted, written = (text.split(b"\n") for text in (expected, actual))
    if any(not _is_json(line) for line in written[:-1]) or written[-1]:
        return "a torn line"
    twice = [line for line, count in Counter(map(_where, written[:-1])).items() if count > 1]
    if twice:
        return f"{len(twice)} lines doubled"
    if len(written) < len(wanted):
        return f"{len(wanted) - len(written)} lines lost"
    number = next(number for number, pair in enumerate(zip(wanted, written, strict=False), 1) if len(set(pair)) > 1)
    return f"line {number} of {len(wanted) - 1} differs"


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _where(line: bytes) -> tuple[str, int]:
    record = json.loads(line)
    return record["event"], record.get("step", 0)


def processes_of_session(session: int) -> list[int]:
    """The living processes that descend from the one that opened `session`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _parent, _group, of = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue  # it ended meanwhile
        if int(of) == session and state != "Z" and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found
