"""Untrusted bytes -> an RGB picture, within limits; and hostile names -> names that can be shown."""

import hashlib
import os
import struct
import unicodedata
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from alexnet_core.errors import ExplorerError
from alexnet_core.limits import NAME_LENGTH, PICTURE_BYTES, PICTURE_FORMATS, PICTURE_PIXELS, PICTURE_SIDE

# Pillow's decoders let all of these out for a damaged file, not only OSError.
DECODER_ERRORS = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError,
    NotImplementedError, RuntimeError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip


def clean_name(text: str) -> str:
    """A name fit for display: NFC, one line, no control or direction characters, at most 64 characters, never empty.

    It is still hostile text (`<b>`, `*`): whoever shows it as Markdown or HTML escapes it there.
    """
    if 0 < len(text) <= NAME_LENGTH and text.isascii() and text.isprintable() and " " not in text:
        return text  # like nearly all of a million names
    text = unicodedata.normalize("NFC", " ".join(text[: 16 * NAME_LENGTH].split()))
    hidden = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control, direction and joining, lone surrogates, line separators
    shown = "".join(c for c in text if unicodedata.category(c) not in hidden)
    return shown[:NAME_LENGTH].strip() or "unnamed"


def sha256(data: bytes) -> str:
    """The picture's own key, 64 hexadecimal digits: the same bytes are the same picture, whatever the name."""
    return hashlib.sha256(data).hexdigest()


def decode_file(path: str | Path, side: int | None = None) -> Image.Image:
    """`decode` for a file on this computer. Raises ExplorerError where it cannot be read or is no picture."""
    return decode(read_picture_file(path), Path(path).name, side)


def read_picture_file(path: str | Path) -> bytes:
    """The bytes of a file on this computer, of a file that is too large one more than `decode` takes. Raises
    ExplorerError where it cannot be read."""
    path = Path(path)
    name = clean_name(path.name)
    if os.path.isdir(path):
        raise ExplorerError(f"“{name}” is a folder, not a picture. Choose a file inside it.")
    # Keeps us from waiting at a pipe, too; and unlike Path's, these answer for impossible names.
    if not os.path.isfile(path):
        raise ExplorerError(f"There is no file “{name}”. Check the path and its spelling.")
    try:
        with path.open("rb") as file:
            return file.read(PICTURE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise ExplorerError(f"“{name}” cannot be read ({reason}). Check its permissions.") from error


DRAFT_GAP = 2
"""How many times larger than wanted a JPEG is still decoded, as in Pillow's own thumbnails. A cut to `side` differs
from that of the whole picture by 36 dB at worst (with 3 by 40), and photographs of 500 x 375 are cut to 64 pixels 1.4
times as fast."""


class NoRoom(ExplorerError):
    """There was too little memory for a picture that may well be good: it must not pass for a bad one."""


def decode(data: bytes, name: str = "picture", side: int | None = None) -> Image.Image:
    """The first frame as an upright RGB picture, free of its file.

    Rotation by EXIF is carried out, 16 bits are scaled to 8, transparency is laid on white, CMYK and palettes are
    converted. The header is checked before anything is unpacked. Where only a square of `side` pixels is wanted, a JPEG
    that is many times larger is decoded at a half, a quarter or an eighth: a phone's photograph in a third of the time
    and a sixteenth of the memory. Every failure is an ExplorerError of a sentence or two.
    """
    name = clean_name(name)
    if not data:
        raise ExplorerError(f"“{name}” is empty. Choose another file.")
    if len(data) > PICTURE_BYTES:
        raise ExplorerError(
            f"“{name}” is larger than {PICTURE_BYTES // 1_000_000} MB. Save it smaller, or as JPEG, and try again."
        )
    try:
        picture = Image.open(BytesIO(data), formats=PICTURE_FORMATS)
    except DECODER_ERRORS as error:
        raise ExplorerError(_refusal(name, error)) from error
    with picture:
        _check_header(picture, name)
        try:
            if side is not None:
                picture.draft(None, (DRAFT_GAP * side, DRAFT_GAP * side))  # does nothing to other formats
            picture.load()
            return _eight_bit_rgb(_upright(picture))
        except MemoryError as error:  # its size is known and allowed, so this is not the file's doing
            raise NoRoom(
                f"There was not enough memory to open “{name}”. Close other programs and try again."
            ) from error
        except DECODER_ERRORS as error:
            raise ExplorerError(
                f"“{name}” is cut off or damaged. Open it in a picture program, save it again, and use that copy."
            ) from error


def _refusal(name: str, error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"“{name}” claims to be far larger than {PICTURE_PIXELS // 1_000_000} megapixels. Make it smaller first."
    return f"“{name}” is not a picture this program can read. Use JPEG, PNG, WebP, BMP, GIF or TIFF."


def _check_header(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    shortest, longest = PICTURE_SIDE
    if min(width, height) < shortest:
        raise ExplorerError(f"“{name}” has {width} × {height} pixels; each side needs at least {shortest}.")
    if max(width, height) > longest or width * height > PICTURE_PIXELS:
        raise ExplorerError(
            f"“{name}” has {width} × {height} pixels; at most {PICTURE_PIXELS // 1_000_000} megapixels and "
            f"{longest:,} pixels a side are read. Make it smaller first."
        )


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except MemoryError:
        raise
    except DECODER_ERRORS:
        return picture  # the picture is fine, only its camera notes are broken


def _eight_bit_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        return _grey(np.asarray(picture).astype(np.float32) / 257)  # 65,535 = 257 * 255
    if picture.mode in ("I", "F"):
        return _grey(_stretched(np.asarray(picture, dtype=np.float64)))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    # convert() gives back the very same object for RGB; a copy outlives the file.
    return picture.copy() if picture.mode == "RGB" else picture.convert("RGB")


def _stretched(values: np.ndarray) -> np.ndarray:
    """32-bit and floating-point files carry no agreed range: their smallest value becomes black, the largest white."""
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    low, high = values.min(), values.max()
    return (values - low) / max(high - low, 1e-12) * 255


def _grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(values.round().clip(0, 255).astype(np.uint8)).convert("RGB")
