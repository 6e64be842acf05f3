"""Every limit for what strangers send us, in one place, each with its reason."""

from dataclasses import dataclass
from pathlib import Path

from alexnet_core.places import uploads_home

NAME_LENGTH = 64
"""Names of classes and files are hostile text; longer ones break tables and legends, and no honest name needs more."""

PICTURE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""What cameras and browsers make. Pillow's other decoders are rarely used, rarely tested, and some start programs."""

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
"""How the files of these formats end; in a folder or a zip other files are passed over without being read."""

PICTURE_BYTES = 10_000_000
"""A 24-megapixel photograph as JPEG has 5 to 10 MB; more than that is not a picture for a network of 224 pixels."""

PICTURE_PIXELS = 24_000_000
"""What a good camera takes. A picture becomes 4 bytes a pixel in memory whatever its file's size: here about 100 MB."""

PICTURE_SIDE = (8, 12_000)
"""Shortest and longest side in pixels: below 8 there is nothing to see, above 12,000 only panoramas and traps."""

IMAGE_SIZE = (8, 1024)
"""The side of a prepared square: what `Preprocessing` accepts, and more than any network here can use."""

CLASS_IMAGES = 5
"""A class needs this many pictures to count: one for validation and a few to learn from."""

CLASSES = 2
"""With one class there is nothing to tell apart."""


@dataclass(frozen=True)
class ArchiveLimits:
    """How much a zip may hold. The unpacked sizes are counted while reading: a zip's own list of sizes can lie."""

    packed_bytes: int
    entries: int
    unpacked_bytes: int
    ratio: int = 100
    """Unpacked over packed. Photographs hardly shrink, drawings shrink tenfold, bombs shrink a thousandfold."""


UPLOAD = ArchiveLimits(packed_bytes=200_000_000, entries=100_000, unpacked_bytes=1_000_000_000)
"""For a zip that came through the browser: thousands of photographs, and ten such uploads do not fill a laptop. All of
CIFAR-10 is 60,000 files; the table of contents of 100,000 takes 70 MB of memory and two seconds."""

OWNER = ArchiveLimits(packed_bytes=300_000_000_000, entries=3_000_000, unpacked_bytes=600_000_000_000)
"""For a zip that the owner of the computer names on the command line: ImageNet (1.4 million files, 150 GB) fits twice;
beyond that the zip is broken. What one picture may cost, and the ratio, stay as they are."""


def archive_limits(path: Path) -> ArchiveLimits:
    """The limits for a zip, by where it lies: what people upload, and nothing else, is kept in `uploads_home()`."""
    return UPLOAD if path.resolve().is_relative_to(uploads_home().resolve()) else OWNER
