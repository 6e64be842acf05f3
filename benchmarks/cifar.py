"""CIFAR-10 for the benchmarks: from one zip with one folder of JPEGs a class, in the form each side reads."""

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alexnet_core.data.prepared import PreparedSet

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
ZIP = SHARED / "cifar10-jpeg.zip"
"""The complete data set as JPEGs (train/<class>/..., test/<class>/...) beside the checkout, where there is one."""


def prepared(source: Path, home: Path, size: int = 32) -> tuple[Path, float]:
    """The prepared set that the program's own command makes of `source` (a zip or a folder) in the home folder `home`,
    and the seconds that took."""
    command = [sys.executable, "-m", "alexnet_core", "data", "prepare", str(source), "--size", str(size)]
    start = time.monotonic()
    done = subprocess.run(
        command, env=os.environ | {"ALEXNET_HOME": str(home)}, check=True, stdout=subprocess.PIPE, text=True
    )
    return Path(done.stdout.splitlines()[-1]), time.monotonic() - start


@contextmanager
def at_hand(size: int) -> Iterator[PreparedSet]:
    """The same, opened, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as home:
        yield PreparedSet.open(prepared(ZIP, Path(home), size)[0])


def unpacked(source: Path, home: Path) -> tuple[Path, float]:
    """The same pictures as files in class folders, for loops that read files, and the seconds that took."""
    out = home / "files"
    start = time.monotonic()
    with zipfile.ZipFile(source) as archive:
        archive.extractall(out)  # a known zip of our own; what strangers upload is read member by member
    return out, time.monotonic() - start


def laid_out(prepared: PreparedSet, files: Path, home: Path) -> Path:
    """Links to the unpacked pictures, <split>/<class>/..., in the splits of the prepared set: who reads them learns
    from the same pictures as this program, and looks at the same."""
    out = home / "as-prepared"
    for split in prepared.splits:
        for name, label in zip(prepared.files(split), prepared.labels(split), strict=True):
            link = out / split / prepared.classes[label] / Path(name).name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.hardlink_to(files / name)
    return out
