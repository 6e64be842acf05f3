"""What kind of file somebody brought, told by its first bytes and its table of contents, whatever its name."""

import os
import zipfile
from pathlib import Path
from typing import Literal

from alexnet_core.errors import ExplorerError
from alexnet_core.limits import PICTURE_SUFFIXES
from alexnet_core.models.weights import LARGEST_FILE

NETWORK_FILE = "network.safetensors"
"""The file with the weights in a folder that `export --format folder` made, and in a run directory."""
LARGEST_TABLE = 8 * 1024**2
"""Bytes of a zip's table of contents: some 80,000 files, so that a zip of pictures can still be told as such."""
END_OF_ZIP = 65_535 + 22 + 20 + 56
"""Bytes from the end of a zip within which the place and length of that table stand: behind them comes a comment."""
Kind = Literal["safetensors", "onnx", "folder", "pickled"]
ARCHIVE = "a packed archive. Unpack it, and give the file with the weights"
WEB_PAGE = "a web page. Fetch the file itself, in the browser by its download button"
PICTURE = "a picture. Explain it on the page Predict and explain"
HEADS = {
    b"\x89hdf": "a file of Keras (HDF5). Convert its weights to PyTorch first",
    b"\x89png": PICTURE,
    b"\xff\xd8\xff": PICTURE,
    b"\x93numpy": "an array of NumPy. Save the whole state dict as safetensors",
    b"gguf": "a language model (GGUF). This program takes networks that look at pictures",
    b"version https://": "a pointer to a file, not the file itself. Fetch that with: git lfs pull",
    b"<!doctype": WEB_PAGE,
    b"<html": WEB_PAGE,
    b"\x1f\x8b": ARCHIVE,
    b"7z\xbc\xaf": ARCHIVE,
    b"rar!": ARCHIVE,
}
"""How files of other kinds begin, with letters made small, and what to say about them."""
ZIPPED = {
    "/constants.pkl": "a TorchScript program, which would have to be run. Save model.state_dict() in its place",
    "data.pkl": "",
    ".h5": "a file of Keras. Convert its weights to PyTorch first",
    ".npy": "arrays of NumPy. Save the whole state dict as safetensors",
    **dict.fromkeys((".safetensors", ".pt", ".pth", ".onnx"), ARCHIVE),
    **dict.fromkeys(PICTURE_SUFFIXES, "a zip of pictures, not a network. Train on it on the page Train"),
}
"""How a member's name ends, with letters made small, and what that says about the zip; nothing: PyTorch made it."""


def kind_of(path: Path, name: str) -> Kind:
    """What the file is; `name` is its name for messages. Raises ExplorerError for one without a network, saying what
    it is, and for one that cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
            size = file.seek(0, os.SEEK_END)
    except OSError as error:
        raise ExplorerError(f"{name} cannot be read ({error.strerror or error}). Check its permissions.") from error
    if not size:
        raise ExplorerError(f"{name} is empty; make or fetch it again.")
    for head, words in HEADS.items():
        if start.lower().startswith(head):
            raise ExplorerError(f"{name} is {words}.")
    if start.startswith(b"PK"):
        return _kind_of_zip(path, name)
    # A safetensors file begins with the length of its header, which is JSON.
    has_room = int.from_bytes(start[:8], "little") <= size
    if start[8:9] == b"{" and (has_room or path.suffix.lower() == ".safetensors"):  # by that name, it was cut off
        return "safetensors"
    if start.startswith(b"\x80"):  # a pickle's first command
        return "pickled"
    if path.suffix.lower() == ".onnx" or start.startswith(b"\x08"):  # its first field is the version, a small number
        return "onnx"
    raise ExplorerError(
        f"{name} is no file with a network that this program knows. It reads safetensors, its own ONNX and folders, "
        "and state dicts of PyTorch."
    )


def _kind_of_zip(path: Path, name: str) -> Kind:
    if path.stat().st_size > LARGEST_FILE:
        raise ExplorerError(f"{name} is larger than {LARGEST_FILE // 1024**2} MB, more than any network here needs.")
    try:
        if _table_bytes(path) > LARGEST_TABLE:
            raise ExplorerError(f"{name} lists far more files than a network has; it is not opened.")
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ExplorerError(f"{name} is a damaged zip; make or fetch it again.") from error
    if any(member.endswith(NETWORK_FILE) for member in names):
        return "folder"
    for ending, words in ZIPPED.items():
        if any(member.lower().endswith(ending) for member in names):
            if not words:
                return "pickled"
            raise ExplorerError(f"{name} is {words}.")
    raise ExplorerError(f"{name} is a zip without {NETWORK_FILE}; choose one that `export --format folder` made.")


def _table_bytes(path: Path) -> int:
    """How long a zip's table of contents says it is: Python takes ten times that in memory before the first look."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - END_OF_ZIP))
        end = file.read()
    wide, narrow = end.rfind(b"PK\x06\x06"), end.rfind(b"PK\x05\x06")
    place, length = (wide + 40, 8) if wide >= 0 else (narrow + 12, 4)
    return int.from_bytes(end[place : place + length], "little") if narrow >= 0 else 0
