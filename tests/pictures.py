"""Small pictures, folders and zips for tests: good ones, and each bad one of its kind."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image


def pixels(seed: int = 0, size: tuple[int, int] = (20, 16)) -> np.ndarray:
    """Random colours, uint8 (height, width, 3); another seed gives another picture."""
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)


def encoded(picture: Image.Image, kind: str = "PNG", **settings: object) -> bytes:
    """The picture as a file of that kind."""
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return file.getvalue()


def png(seed: int = 0, size: tuple[int, int] = (20, 16)) -> bytes:
    """A small good picture."""
    return encoded(Image.fromarray(pixels(seed, size)))


def png_claiming(width: int, height: int) -> bytes:
    """A few bytes whose header promises a picture of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(2_000))), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def class_files(
    classes: Iterable[str] = ("cats", "dogs"), images: int = 8, above: str = "", seed: int = 0
) -> dict[str, bytes]:
    """Path -> bytes of pictures in class folders, every picture another one."""
    names = list(classes)
    return {
        f"{above}{name}/{number}.png": png(seed + 1_000 * names.index(name) + number)
        for name in names
        for number in range(images)
    }


def make_folder(folder: Path, files: dict[str, bytes]) -> Path:
    """The files below `folder`."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def make_zip(path: Path, files: dict[str | zipfile.ZipInfo, bytes] | dict[str, bytes]) -> Path:
    """The files in a zip, under exactly these names."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path
