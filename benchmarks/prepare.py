"""Preparing many pictures, and reading them back: `python -m benchmarks.prepare [--runs 3]`.

CIFAR-10's 60,000 small JPEGs stand for the number of pictures, Imagenette's photographs (short side 160) for their
size once prepared, and mosaics of these in ImageNet's usual 500 x 375 for the work of decoding. Each is prepared by a
process of its own into shards of at most --shard MB: the time is that of all of `prepare`, the peak that of the
process; beside it what the program alone held, before anything was prepared.

Then an epoch in random order is read from the shards by a process that may take only --cap MB of memory of its own:
beyond that the system refuses it. Rows are read, not mapped, so a set of any size has to do with that.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from alexnet_core.data.augment import order
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepare
from benchmarks import cifar
from benchmarks.report import earlier, machine, peak_mb, spread, write

BATCH = 128
MOSAIC, PATCH = (500, 375), 125
"""Pixels; of the pictures of ImageNet the median has 500 x 375."""


@dataclass(frozen=True)
class Task:
    """What is prepared, and how large."""

    title: str
    source: str
    size: int
    asked: int | None = None
    """Pictures a second."""


TASKS = {
    "cifar10_32": Task("CIFAR-10, 32 px", "cifar", 32),
    "imagenette_128": Task("Imagenette, 128 px", "photographs", 128),
    "imagenette_224": Task("Imagenette, 224 px", "photographs", 224),
    "mosaics_64": Task("500 x 375, to 64 px", "mosaics", 64, 600),
    "mosaics_64_zip": Task("500 x 375 in a zip, to 64 px", "zip", 64, 600),
    "mosaics_128": Task("500 x 375, to 128 px", "mosaics", 128, 600),
    "mosaics_224": Task("500 x 375, to 224 px", "mosaics", 224, 600),
}


def main() -> None:
    """Measure every task, print the table, keep the result as prepare.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="preparations of each task")
    parser.add_argument("--shard", type=int, default=50, metavar="MB", help="the most a file of pixels may take")
    parser.add_argument("--cap", type=int, default=150, metavar="MB", help="memory for reading, beyond the program's")
    parser.add_argument("--mosaics", type=int, default=4_000, help="how many are made of Imagenette's photographs")
    parser.add_argument("--cifar", type=Path, default=cifar.ZIP, help="class folders in a zip")
    parser.add_argument("--photographs", type=Path, default=cifar.SHARED / "imagenette-160.zip", help="the same")
    parser.add_argument("--only", choices=TASKS, nargs="+", default=list(TASKS), help="the others keep theirs")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(_child(*asked.child)))
        return
    tasks = earlier("prepare", "tasks")
    result: dict[str, Any] = {"command": "python -m benchmarks.prepare", "machine": machine(), "tasks": tasks}
    result |= {"shard_mb": asked.shard, "cap_mb": asked.cap}
    print(
        f"{'':<24}{'pictures/s':>26}{'peak MB':>9}{'disk MB':>9}{'shards':>8}{'read/s':>9}{'own MB':>8}"
        f"{'mapped MB':>11}"
    )
    with tempfile.TemporaryDirectory() as folder:
        mosaics, zipped = Path(folder) / "mosaics", Path(folder) / "mosaics.zip"
        sources = {"cifar": asked.cifar, "photographs": asked.photographs, "mosaics": mosaics, "zip": zipped}
        wanted = {TASKS[name].source for name in asked.only}
        if wanted & {"mosaics", "zip"}:
            make_mosaics(asked.photographs, mosaics, asked.mosaics)
        if "zip" in wanted:
            with zipfile.ZipFile(zipped, "w") as archive:
                for path in sorted(mosaics.rglob("*.jpg")):
                    archive.write(path, path.relative_to(folder))
        for name in asked.only:
            tasks[name] = row = measure(TASKS[name], sources[TASKS[name].source], Path(folder), asked)
            rate, read = row["pictures_per_s"], row["reading"]
            print(
                f"{TASKS[name].title:<24}{rate['median']:>10,.0f} ({rate['least']:,.0f} to {rate['largest']:,.0f})"
                f"{row['memory_mb']['peak']['largest']:>9,.0f}{row['disk_mb']:>9,.0f}{row['shards']:>8}"
                f"{read['pictures_per_s']:>9,.0f}{read['own_mb']:>8,.0f}{read['mapped_mb']:>11,.0f}",
                flush=True,
            )
    write("prepare", result, [name for name in TASKS if name not in tasks])


def measure(task: Task, source: Path, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Several preparations of a task, and an epoch read from the last."""
    runs = []
    for run in range(asked.runs):
        out = folder / f"{task.source}-{task.size}-{run}"
        runs.append(_measured("prepare", source, out, task.size, asked.shard))
        if run < asked.runs - 1:
            remove(out)
    row = {
        "title": task.title,
        "asked": task.asked,
        "pictures": runs[0]["pictures"],
        "pictures_per_s": spread([run["pictures"] / run["seconds"] for run in runs]),
        # Under this name since it is the preparation's own: "peak_mb" was the memory of the process that started it.
        "memory_mb": {name: spread([run[f"{name}_mb"] for run in runs]) for name in ("peak", "program")},
        "disk_mb": round(sum(file.stat().st_size for file in out.iterdir()) / 1e6, 1),
        "shards": len(list(out.glob("images-*.npy"))),
        "reading": _measured("read", out, asked.cap),
    }
    remove(out)
    return row


def remove(out: Path) -> None:
    """Make room for the next preparation."""
    for file in out.iterdir():
        file.unlink()
    out.rmdir()


def make_mosaics(photographs: Path, folder: Path, count: int) -> None:
    """JPEGs of 500 x 375 in two class folders, each of twelve pieces of photographs, not enlarged."""
    chance = np.random.default_rng(0)
    with zipfile.ZipFile(photographs) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith((".jpg", ".jpeg"))]
        drawn = chance.permutation(len(names))[: 12 * min(count, 300)]
        pieces = [Image.open(BytesIO(archive.read(names[i]))).convert("RGB").crop((0, 0, PATCH, PATCH)) for i in drawn]
    for number in range(count):
        picture = Image.new("RGB", MOSAIC)
        for place, piece in enumerate(chance.integers(0, len(pieces), 12)):
            picture.paste(pieces[piece], (PATCH * (place % 4), PATCH * (place // 4)))
        path = folder / f"class{number % 2}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, quality=95)  # then a file has about the 110 kB of one of ImageNet's


def _measured(*arguments: object) -> dict[str, Any]:
    """What a process of its own says of such a job."""
    command = [sys.executable, "-m", "benchmarks.prepare", "--child", *map(str, arguments)]
    with tempfile.TemporaryDirectory() as home:
        said = subprocess.run(
            command, env=os.environ | {"ALEXNET_HOME": home}, check=True, capture_output=True, text=True
        )
    return json.loads(said.stdout)


def _child(job: str, *arguments: str) -> dict[str, Any]:
    if job == "read":
        return read_epoch(PreparedSet.open(arguments[0]), int(arguments[1]))
    source, out, size, shard = arguments
    before, started = peak_mb(), time.perf_counter()
    prepared = prepare(Path(source), image_size=int(size), out=Path(out), shard_bytes=1_000_000 * int(shard))
    seconds = time.perf_counter() - started
    pictures = sum(prepared.count(split) for split in prepared.splits)
    return {"seconds": seconds, "pictures": pictures, "peak_mb": peak_mb(), "program_mb": before}


def read_epoch(prepared: PreparedSet, cap_mb: int) -> dict[str, Any]:
    """One epoch of batches in random order, under a limit on the memory of one's own.

    Raises MemoryError where more than `cap_mb` is taken beyond what the program has at the start.
    """
    images, places = prepared.images("train"), order(0, 1, prepared.count("train")).numpy()
    start = memory_mb()
    limit = _data_bytes() + 1_000_000 * cap_mb
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    most, started = {"own_mb": 0.0, "mapped_mb": 0.0}, time.perf_counter()
    for number, first in enumerate(range(0, len(images), BATCH)):
        images[places[first : first + BATCH]]
        if number % 20 == 0:
            most = {key: max(most[key], value) for key, value in memory_mb().items()}
    seconds = time.perf_counter() - started
    return {
        "pictures_per_s": round(len(images) / seconds),
        "set_mb": round(images.nbytes / 1e6, 1),
        **{kind: round(max(0.0, most[kind] - start[kind]), 1) for kind in start},
    }


def memory_mb() -> dict[str, float]:
    """Resident memory of this process that is its own, and that of files mapped into it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith(" kB")}
    return {"own_mb": kilobytes["RssAnon"] * 1.024e-3, "mapped_mb": kilobytes["RssFile"] * 1.024e-3}


def _data_bytes() -> int:
    """What RLIMIT_DATA counts now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


if __name__ == "__main__":
    main()
