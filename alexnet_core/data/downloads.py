"""The well-known sets that torchvision fetches and checks; here they are asked for, watched and read."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from alexnet_core.data.collection import Cancelled, Collection, Entry, Progress
from alexnet_core.data.folders import read_folder
from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder
from alexnet_core.images import clean_name
from alexnet_core.lock import alone

STALLED = 60.0
"""Seconds without a single new byte after which we stop waiting; torchvision itself would wait for ever."""
FOLDERS = {
    "mnist": "MNIST",
    "fashion_mnist": "FashionMNIST",
    "cifar10": "cifar-10-batches-py",
    "imagenette": "imagenette2-160",
}
"""Where torchvision puts each of them."""
PACKED = {"cifar10": ("cifar-10-python.tar.gz",), "imagenette": ("imagenette2-160.tgz",)}
"""What it fetches into the folder above; those of the others lie in their own folders."""


LOAD_ERRORS = (RuntimeError, OSError, ValueError, EOFError, AssertionError)
"""What torchvision lets out for files that are missing or damaged."""


def fetch(name: str, root: str, download: bool = True) -> tuple[Any, Any]:
    """torchvision's (train, test) data sets below the folder `root`, downloaded and checked where they are missing.

    Raises torchvision's own errors: RuntimeError, URLError, OSError.
    """
    from torchvision import datasets

    if name == "imagenette":
        train, test = ({"split": split, "size": "160px"} for split in ("train", "val"))
        return tuple(datasets.Imagenette(root, download=download, **which) for which in (train, test))
    kind = {"mnist": datasets.MNIST, "fashion_mnist": datasets.FashionMNIST, "cifar10": datasets.CIFAR10}[name]
    return tuple(kind(root, train=train, download=download) for train in (True, False))


def read_download(
    name: str,
    title: str,
    licence: str,
    images: int,
    root: Path,
    expected_bytes: int,
    progress: Progress | None,
    cancelled: Cancelled | None,
) -> Collection:
    """The data set `name` as a collection, downloaded below `root` on first use.

    Raises ExplorerError without a network, when cancelled, and where what lies there is damaged or not whole.
    """
    try:
        train, test = _load(name, root, images)
    except LOAD_ERRORS:
        make_folder(root)
        busy = f"{title} is already being fetched by another window or process. Wait until it is done."
        try:
            with alone(root / f"{name}.lock", busy):
                train, test = _fetched(name, title, root, images, expected_bytes, progress, cancelled)
        except OSError as error:
            reason = error.strerror or "unknown error"
            raise ExplorerError(f"The folder {root} cannot be written ({reason}). Check its permissions.") from error
    if name == "imagenette":
        return read_folder(
            root / FOLDERS[name],
            name=name,
            title=title,
            licence=licence,
            splits={"train": "train", "val": "test"},  # its authors measure on what they call val
            class_names={wnid: names[0] for wnid, names in zip(train.wnids, train.classes, strict=True)},
        )

    def read(position: int) -> Image.Image:
        half, index = (train, position) if position < len(train) else (test, position - len(train))
        return Image.fromarray(np.asarray(half.data[index]))  # (H, W) grey or (H, W, 3)

    classes = tuple(clean_name(c.partition(" - ")[2] or c) for c in train.classes)  # MNIST says "0 - zero"
    return Collection(
        name=name,
        title=title,
        classes=classes,
        source=f"torchvision's {type(train).__name__}",
        licence=licence,
        mirrors=name != "mnist",
        entries=tuple(
            Entry(f"{split}/{classes[label]}/{index:05d}", label, split)
            for split, half in (("train", train), ("test", test))
            for index, label in enumerate(int(target) for target in half.targets)
        ),
        read=read,
    )


def _fetched(
    name: str,
    title: str,
    root: Path,
    images: int,
    expected_bytes: int,
    progress: Progress | None,
    cancelled: Cancelled | None,
) -> tuple[Any, Any]:
    try:
        return _load(name, root, images)  # somebody else may just have fetched it
    except LOAD_ERRORS:
        _forget_unpacked(name, root)
    _download(name, title, root, expected_bytes, progress, cancelled)
    try:
        return _load(name, root, images)
    except LOAD_ERRORS as error:
        folder = root / FOLDERS[name]
        raise ExplorerError(f"What lies in {folder} is not {title}. Delete this folder and try again.") from error


def _load(name: str, root: Path, images: int) -> tuple[Any, Any]:
    """The data sets as they lie there; raises one of LOAD_ERRORS where they are missing, damaged or not whole."""
    train, test = fetch(name, str(root), download=False)
    if len(train) + len(test) != images:
        raise ValueError(f"{len(train) + len(test)} images instead of {images}")
    return train, test


def _forget_unpacked(name: str, root: Path) -> None:
    """Remove what can be unpacked again: torchvision takes the half that a killed attempt left behind for the whole."""
    for packed in (root / FOLDERS[name] / "raw").glob("*.gz"):
        packed.with_suffix("").unlink(missing_ok=True)
    if (root / FOLDERS[name]).with_suffix(".tgz").exists():
        shutil.rmtree(root / FOLDERS[name], ignore_errors=True)


def _download(
    name: str, title: str, root: Path, expected_bytes: int, progress: Progress | None, cancelled: Cancelled | None
) -> None:
    """Let torchvision download in a process of its own: it can be stopped, and its printing stays out of our way."""
    program = "import sys; from alexnet_core.data.downloads import fetch; fetch(*sys.argv[1:])"
    child = subprocess.Popen(
        [sys.executable, "-c", program, name, str(root)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    arrived, since = -1, time.monotonic()
    try:
        while True:
            try:
                child.wait(0.2)
                break
            except subprocess.TimeoutExpired:
                size = _size(root / FOLDERS[name]) + sum(_size(root / packed) for packed in PACKED.get(name, ()))
                if size != arrived:
                    arrived, since = size, time.monotonic()
                if progress:
                    progress(min(size, expected_bytes), expected_bytes, "downloading")
                if cancelled and cancelled():
                    raise ExplorerError(f"The download of {title} was stopped. Start it again when you like.") from None
                if time.monotonic() - since > STALLED:
                    break
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
    if child.returncode != 0:
        raise ExplorerError(
            f"{title} could not be downloaded: check the network and the space on the disk, and try again. "
            "Without a network use digits, shapes, or your own folder or zip of pictures."
        )


def _size(path: Path) -> int:
    """Bytes in a file, or in all files of a folder that somebody else is writing just now."""
    if path.is_file():
        return path.stat().st_size
    return sum(os.path.getsize(file) for file in path.rglob("*") if file.is_file())
