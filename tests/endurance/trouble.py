"""What goes wrong besides: a full disk, a loss that is no number, too little memory, pictures that cannot be read.

Each must end in a named state with one sentence on what to do, and the last good checkpoint must be there.
"""

import io
import os
import resource
import shutil
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import torch

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepare
from alexnet_core.runs.checkpoints import checkpoints, load_newest
from alexnet_core.runs.directory import RunDirectory

from . import child
from .runs import EVERYTHING, SIZE, Result, differences, new_run, small_pictures

# -- changes to the child ----------------------------------------------------------------------------------------------


def count_writing(file: str) -> None:
    """Keep the number of operations that need room on the disk in `file`."""
    _before_each_writing(lambda number: Path(file).write_text(str(number)) < 0)


def disk_full(operation: str) -> None:
    """From this operation on (counted from 1) the disk is full, and stays so.

    Simulated, for a small file system cannot be mounted everywhere: files opened for writing take half of what they
    are given and then nothing, and fsync and replace fail. What fits into the first 4,096 bytes of a file that exists
    still goes in: that block is its own already.
    """
    _before_each_writing(lambda number: number >= int(operation))


def _before_each_writing(is_full: Callable[[int], bool]) -> None:
    numbers = count(1)
    opened, synced, replaced = io.open, os.fsync, os.replace

    def no_room() -> OSError:
        return OSError(28, os.strerror(28))

    class Writing(io.FileIO):
        room = True

        def write(self, data: Any) -> int:
            in_its_own_block = self.mode == "rb+" and len(data) <= 4096
            if not is_full(next(numbers)) or in_its_own_block:
                return super().write(data)
            if not self.room:
                raise no_room()
            self.room = False
            return super().write(data[: len(data) // 2])

    def open_(file: Any, mode: str = "r", buffering: int = -1, *arguments: Any, **named: Any) -> Any:
        if "b" not in mode or not set(mode) & set("xaw+"):
            return opened(file, mode, buffering, *arguments, **named)
        raw = Writing(file, mode.replace("b", ""))
        return raw if buffering == 0 else io.BufferedWriter(raw)

    def failing(do: Callable[..., None]) -> Callable[..., None]:
        def maybe(*arguments: Any) -> None:
            if is_full(next(numbers)):
                raise no_room()
            do(*arguments)

        return maybe

    def sync(handle: int) -> None:
        # What lies in its own block needs no room to be brought to the disk.
        if is_full(next(numbers)) and os.fstat(handle).st_size > 4096:
            raise no_room()
        synced(handle)

    io.open, os.fsync, os.replace = open_, sync, failing(replaced)  # type: ignore[assignment]


def no_number_between_points() -> None:
    """Four points of the curve a run: what goes wrong in between is seen late."""
    from alexnet_core.training import loop

    loop.CURVE_POINTS = 4  # type: ignore[misc]


def poisoned_checkpoints() -> None:
    """The engine without its look at what it saves."""
    from alexnet_core.training.loop import Training

    Training.check = lambda _: None  # type: ignore[method-assign, assignment]


def little_memory(megabytes: str) -> None:
    """The process gets this much beyond what it has now."""
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (has + int(megabytes) * 2**20,) * 2)


def pictures_left_on_disk() -> None:
    """As for a data set larger than memory."""
    from alexnet_core.training import batches

    batches.KEPT_SHARE = dict.fromkeys(batches.KEPT_SHARE, 0.0)  # type: ignore[misc]


# -- trials ------------------------------------------------------------------------------------------------------------


def operations(run: RunDirectory, file: Path) -> int:
    """How many writing operations an undisturbed run has that saves after every step."""
    assert child.to_the_end(run, f"trouble.count_writing:{file}", checkpoint_seconds=0.0) == 0
    return int(file.read_text())


def full_disk(run: RunDirectory, expected: Result, operation: int) -> list[str]:
    """What is wrong when the disk is full from this operation on, and later has room again."""
    # Saving after every step, not by the clock: the run counted had as many operations.
    code = child.to_the_end(run, f"trouble.disk_full:{operation}", checkpoint_seconds=0.0)
    found = list(_not_told(run, code, "No space left on device", "Free some space"))
    child.to_the_end(run)
    return found + differences(expected, run)


def _not_told(run: RunDirectory, code: int, *words: str) -> Iterator[str]:
    state = run.state()
    if state.status != "failed":
        yield f"the state is {state.status}, not failed"
    if code != 2:
        yield f"exit status {code}, not 2"
    for word in words:
        if word not in state.message:
            printed = (run.path / "log.txt").read_text()[-500:]
            yield f"the message lacks “{word}”: {state.message} The log ends with: {printed}"


def no_number(data: PreparedSet, place: Path, *changes: str) -> list[str]:
    """What is wrong when the weights explode between two points of the curve, checkpoints being saved at each step."""
    explosive = {"optimizer": "sgd", "lr": 100.0, "batch_norm": False, "schedule": "constant"}
    run = new_run(data, place, explosive)
    code = child.to_the_end(run, "trouble.no_number_between_points", *changes, checkpoint_seconds=0.0)
    found = list(_not_told(run, code, "stopped being a number", "learning rate of 10 instead of 100"))
    kept = checkpoints(run.path / "checkpoints")
    if not kept:
        found.append("there is no checkpoint")
    for path in kept:
        weights = torch.load(path, weights_only=True)["training"]["model"]
        if not all(bool(value.isfinite().all()) for value in weights.values()):
            found.append("a checkpoint is poisoned")
    return found


def too_little_memory(data: PreparedSet, place: Path, megabytes: int = 40) -> list[str]:
    """What is wrong when memory ends: a real limit, a real batch. With 40 MB that is in a step, with 1 MB on the way
    there, while the data set is opened."""
    run = new_run(data, place, EVERYTHING | {"batch_size": 128})
    code = child.to_the_end(run, f"trouble.little_memory:{megabytes}")
    return list(_not_told(run, code, "not enough memory", "batch size of 64"))


def cut_pictures(left: RunDirectory, place: Path, expected: Result) -> list[str]:
    """What is wrong when the pixels of the prepared set have been cut short while the run was away, then are back."""
    run = RunDirectory(place / left.id)
    shutil.copytree(left.path, run.path)
    with _cut(_pixels(run)):
        code = child.to_the_end(run)
        found = list(_not_told(run, code, "damaged", "prepare the data set again"))
        if load_newest(run.path / "checkpoints")[0] is None:
            found.append("no good checkpoint is left")
    child.to_the_end(run)
    return found + differences(expected, run)


def cut_pictures_in_training(run: RunDirectory, expected: Result) -> list[str]:
    """What is wrong when they are cut short under a training that reads them from the disk."""
    process = child.start(run, "trouble.pictures_left_on_disk", checkpoint_seconds=0.0)
    while process.is_alive() and len(checkpoints(run.path / "checkpoints")) < 2:
        pass
    with _cut(_pixels(run)):
        process.join()
        assert process.exitcode is not None
        found = list(_not_told(run, process.exitcode, "prepare the data set again"))
    child.to_the_end(run)
    return found + differences(expected, run)


class _cut:
    """Within, only the first thousand bytes of the file are there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        self.data = self.path.read_bytes()
        # In place, as a disk or another program would do it: who has it mapped sees it at once.
        os.truncate(self.path, 1000)

    def __exit__(self, *_: object) -> None:
        with self.path.open("r+b") as file:
            file.write(self.data)


def _pixels(run: RunDirectory) -> Path:
    return next(Path(run.config().data.directory).glob("images*.npy"))


def bad_pictures(place: Path, packed: bool) -> list[str]:
    """What is wrong when pictures in the middle of a folder or a zip are cut, empty, or no pictures."""
    source = small_pictures(place / "pictures")
    files = sorted(source.glob("*/*.png"))
    bad = {files[50]: files[50].read_bytes()[:80], files[100]: b"", files[150]: b"no picture at all" * 50}
    for path, contents in bad.items():
        path.write_bytes(contents)
    if packed:
        zipped = BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            for path in files:
                archive.write(path, path.relative_to(source))
        # One more, damaged inside the zip: its checksum is wrong.
        data, inside = bytearray(zipped.getvalue()), files[20].read_bytes()
        data[data.index(inside) + len(inside) // 2] ^= 1
        source = place / "pictures.zip"
        source.write_bytes(data)
        bad[files[20]] = b""
    prepared = prepare(source, image_size=SIZE, out=place / "prepared")
    reported = {Path(name).name for name, _ in prepared.bad_files}
    found = [f"{path.name} is not reported" for path in bad if path.name not in reported]
    kept = sum(prepared.count(split) for split in prepared.splits)
    if kept != len(files) - len(bad):
        found.append(f"{kept} pictures are kept instead of {len(files) - len(bad)}")
    return found
