"""The picture files of a source by class and split, before they are decoded."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from PIL import Image

from alexnet_core.data.collection import Collection, Entry
from alexnet_core.data.layout import SPLIT_NAMES, Layout, Parts, ignored
from alexnet_core.images import clean_name, decode

OWN_LICENCE = "your own pictures"


@dataclass(frozen=True)
class Files:
    """The picture files of a folder, a zip or an upload."""

    name: str
    """Of the source, cleaned."""
    source: str
    """The same with what it is."""
    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    skipped: tuple[tuple[str, str], ...]
    """(file, reason) of what is no picture, or lies where it cannot be used."""
    read: Callable[[int], bytes]
    """The bytes of the entry at this position; ExplorerError where it is bad, Refused where everything is."""
    close: Callable[[], object] = lambda: None
    """To be called once nothing is read any more, where the source is to be removed: Windows removes no open file."""


def decoded(
    files: Files,
    side: int | None,
    name: str | None = None,
    title: str | None = None,
    licence: str = OWN_LICENCE,
) -> Collection:
    """The pictures themselves. `side` is that of the squares that will be cut, in pixels: larger JPEGs need not be
    decoded whole."""

    def read(position: int) -> Image.Image:
        return decode(files.read(position), files.entries[position].file.rsplit("/", 1)[-1], side)

    return Collection(
        name=name or files.name,
        title=title or files.name,
        classes=files.classes,
        source=files.source,
        licence=licence,
        entries=files.entries,
        read=read,
        skipped=files.skipped,
    )


def named_files(
    names: Sequence[str], read: Callable[[int], bytes], source: str, left: Container[int] | None = None
) -> Files:
    """Picture files that a browser sent with their paths (`pets/cats/1.jpg`), which only tell the classes here.

    The folder that was chosen stands around all of them; pictures in none of its folders become a class of its name.
    `read` gives the bytes of the file at a position. Where an earlier adding took some of them, `left` are the
    positions of the others: all names tell the classes, and only these are read. Raises Refused where there are no
    pictures.
    """
    position_of: dict[Parts, int] = {}
    for position, name in enumerate(names):
        parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))
        if not ignored(parts):
            position_of[parts] = position
    around = {parts[0] for parts in position_of if len(parts) > 1}
    loose = "pictures"
    if len(around) == 1 and all(len(parts) > 1 for parts in position_of):
        loose = clean_name(around.pop())
        position_of = {parts[1:]: position for parts, position in position_of.items()}
    layout = Layout(sorted(position_of), SPLIT_NAMES, {}, loose)
    positions = [position_of[parts] for parts in layout.paths]
    places = [place for place, position in enumerate(positions) if left is None or position in left]
    return Files(
        source,
        source,
        layout.classes,
        tuple(layout.entries[place] for place in places),
        tuple(layout.skipped),
        lambda position: read(positions[places[position]]),
    )
