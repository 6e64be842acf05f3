"""Where pictures come from: `DATASETS` names the known sets, `prepare` brings any source into the prepared form."""

import difflib
import hashlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from alexnet_core import places
from alexnet_core.data.album import ALBUM_ID, Album, albums, is_album
from alexnet_core.data.archives import archive_key, read_archive
from alexnet_core.data.collecting import collection_key, read_collection
from alexnet_core.data.collection import Cancelled, Collection, Progress
from alexnet_core.data.corrections import corrected
from alexnet_core.data.digits import digits
from alexnet_core.data.downloads import read_download
from alexnet_core.data.folders import folder_key, read_folder
from alexnet_core.data.picture_files import OWN_LICENCE
from alexnet_core.data.preparation import write
from alexnet_core.data.prepared import FORMAT_VERSION, PreparedSet
from alexnet_core.data.shapes import IMAGES, SILHOUETTES, shapes
from alexnet_core.data.shards import SHARD_BYTES
from alexnet_core.errors import ExplorerError
from alexnet_core.images import clean_name
from alexnet_core.limits import IMAGE_SIZE

FOLDER_SIZE = 64
"""Pixels for a folder or a zip unless asked otherwise: where `alexnet_mini` has filters worth watching, in minutes."""


@dataclass(frozen=True)
class DatasetEntry:
    """One line of the table of data sets."""

    title: str
    about: str
    licence: str
    classes: int
    images: int
    image_size: int
    """The side in pixels it is prepared with unless asked otherwise."""
    download_bytes: int = 0
    """What comes over the network on first use, roughly; 0 for what needs none."""
    recipe: int = 1
    """Counted up when the same name begins to give other pictures, so that no old preparation passes for a new one."""

    @property
    def offline(self) -> bool:
        """Whether it is there without a network."""
        return self.download_bytes == 0


DATASETS: dict[str, DatasetEntry] = {
    "digits": DatasetEntry(
        "Digits", "Handwritten digits, 8 x 8 pixels; comes with the program.", "CC BY 4.0", 10, 1_797, 64,
    ),
    "shapes": DatasetEntry(
        "Shapes", "Silhouettes in many textures and colours, drawn on the spot.", "free to use",
        len(SILHOUETTES), IMAGES, 64,
    ),
    "mnist": DatasetEntry(
        "MNIST", "Handwritten digits, 28 x 28 pixels.", "CC BY-SA 3.0", 10, 70_000, 32, 12_000_000,
    ),
    "fashion_mnist": DatasetEntry(
        "Fashion-MNIST", "Clothes, shoes and bags in grey, 28 x 28 pixels.", "MIT", 10, 70_000, 32, 31_000_000,
    ),
    "cifar10": DatasetEntry(
        "CIFAR-10", "Animals and vehicles in colour, 32 x 32 pixels.", "no stated licence; free for research",
        10, 60_000, 32, 171_000_000,
    ),
    "imagenette": DatasetEntry(
        "Imagenette", "Photographs of ten easy ImageNet classes, short side 160.",
        "ImageNet photographs: research and teaching only", 10, 13_394, 128, 100_000_000,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Available:
    """One data set as `data list` shows it: a known one, or pictures of one's own, collected in the app or prepared."""

    name: str
    source: str
    """What `prepare` takes for it."""
    title: str
    about: str
    licence: str
    classes: int
    images: int
    offline: bool
    download_bytes: int
    prepared: tuple[PreparedSet, ...]
    """What of it lies prepared in the home folder: each size, with and without corrections, and of a folder that grew
    the earlier ones; `source` is the first where it is a directory."""
    disk_bytes: int
    """What the prepared forms take on the disk."""


def prepare(
    source: str | Path,
    *,
    image_size: int | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    downloads: Path | None = None,
    shard_bytes: int = SHARD_BYTES,
    as_it_came: bool = False,
) -> PreparedSet:
    """The prepared form of `source`: a name in DATASETS, the id of an album, a folder, a zip, or a directory that is
    prepared already.

    A name wins over a folder of that name; `./digits` or a Path means the folder. Without `out` the result lies in
    `places.data_home()` under a key of name, size and content, and is only opened if it is there. `progress` gets
    (done, total, stage), the stage one of "reading" and "downloading" (in bytes), "preparing" (in pictures).
    No file of pixels grows beyond `shard_bytes`; of a set that lies there already the files stay as they are.
    A person's corrections of it (`corrections`) are applied in a set beside it, which is then the one returned, unless
    `out` names a place or `as_it_came` is asked for. `cancelled` is asked between a few pictures. Raises ExplorerError
    for all that a person can put right; what was done until then is kept, and the next call goes on from it.
    """
    if image_size is not None and not IMAGE_SIZE[0] <= image_size <= IMAGE_SIZE[1]:
        raise ExplorerError(f"The size must be between {IMAGE_SIZE[0]} and {IMAGE_SIZE[1]} pixels, not {image_size}.")
    if shard_bytes < 1_000_000:
        raise ExplorerError("The files of pixels must be allowed at least 1 MB each.")
    prepared = _uncorrected(source, image_size, out, progress, cancelled, downloads, shard_bytes)
    return prepared if as_it_came or out is not None else corrected(prepared, progress, cancelled)


def _uncorrected(
    source: str | Path,
    image_size: int | None,
    out: Path | None,
    progress: Progress | None,
    cancelled: Cancelled | None,
    downloads: Path | None,
    shard_bytes: int,
) -> PreparedSet:
    if isinstance(source, str) and source in DATASETS:
        entry, name = DATASETS[source], source
        size = image_size or entry.image_size
        content = _known_content(name)
    else:
        path, name = _existing(source), None
        if path.is_dir() and (path / "meta.json").exists() and (path / "labels.npy").exists():
            return _opened(path, image_size)
        size = image_size or FOLDER_SIZE
        content = _content(path, progress, cancelled)

    identity = _identity(size, content)
    place = Path(out) if out is not None else _place(name or _slug(path), size, identity)
    if (place / "meta.json").exists():
        prepared = PreparedSet.open(place)
        if prepared.identity != identity:
            raise ExplorerError(f"“{clean_name(place.name)}” already holds another data set. Choose another folder.")
        return prepared if name is not None or not is_album(path) else _as_called_now(prepared, Album(path))
    if name is not None:
        collection = _known(name, size, downloads or places.downloads_home(), progress, cancelled)
    elif is_album(path):
        collection = read_collection(path, side=size)
    else:
        collection = read_folder(path, side=size) if path.is_dir() else read_archive(path, side=size)
    # Where pictures may be added, corrections of the others go on to hold: such a source is known by its place.
    lasting = content if name is not None or not path.is_dir() else str(path.resolve())
    source_key = hashlib.sha256(lasting.encode("utf-8", "surrogateescape")).hexdigest()
    return write(replace(collection, content=source_key), place, size, identity, progress, cancelled, shard_bytes)


def prepared_album(album: Album, image_size: int) -> PreparedSet | None:
    """The prepared form of an album as it is now, where it lies ready in the home folder."""
    identity = _identity(image_size, collection_key(album.path))
    place = _place(album.id, image_size, identity)
    try:
        return _as_called_now(PreparedSet.open(place), album) if place.exists() else None
    except ExplorerError:  # damaged: `prepare` says so
        return None


def _as_called_now(prepared: PreparedSet, album: Album) -> PreparedSet:
    """The set under the title that its album has by now: another one makes no other pictures."""
    return replace(prepared, title=album.contents().title)


def _content(path: Path, progress: Progress | None, cancelled: Cancelled | None) -> str:
    """A key of what lies at `path`."""
    if path.is_dir():
        return collection_key(path) if is_album(path) else folder_key(path)
    return archive_key(path, progress, cancelled)


def _known_content(name: str) -> str:
    """A key of what a name in DATASETS stands for."""
    return f"{name} {DATASETS[name].recipe}"


def _identity(size: int, content: str) -> str:
    return hashlib.sha256(f"{FORMAT_VERSION} {size} {content}".encode()).hexdigest()


def _place(name: str, size: int, identity: str) -> Path:
    """Where the prepared form lies in the home folder."""
    return places.data_home() / f"{name}-{size}-{identity[:12]}"


def _slug(path: Path) -> str:
    """The part of a place's name that tells people where the pictures came from."""
    if is_album(path):
        return path.name
    return re.sub(r"[^a-z0-9]+", "-", path.resolve().stem.casefold())[:32].strip("-") or "pictures"


def _existing(source: str | Path) -> Path:
    if isinstance(source, str) and ALBUM_ID.fullmatch(source) and is_album(places.collections_home() / source):
        return places.collections_home() / source
    path = os.path.expanduser(source)
    if os.path.isdir(path) or os.path.isfile(path):  # unlike Path's, these answer for impossible names, too
        return Path(path)
    shown = clean_name(str(source))
    near = difflib.get_close_matches(str(source).casefold().replace("-", "_"), DATASETS, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise ExplorerError(
        f"There is no data set, folder or zip “{shown}”.{meant} The data sets are {', '.join(DATASETS)}."
    )


def _opened(path: Path, image_size: int | None) -> PreparedSet:
    prepared = PreparedSet.open(path)
    if image_size not in (None, prepared.image_size):
        raise ExplorerError(
            f"“{prepared.title}” is already prepared with {prepared.image_size} pixels. "
            f"For {image_size} prepare the original pictures again."
        )
    return prepared


def _known(name: str, size: int, root: Path, progress: Progress | None, cancelled: Cancelled | None) -> Collection:
    entry = DATASETS[name]
    if name == "digits":
        return digits(entry.title, entry.licence)
    if name == "shapes":
        return shapes(size)
    return read_download(
        name, entry.title, entry.licence, entry.images, root, entry.download_bytes, progress, cancelled
    )


def available() -> list[Available]:
    """Every known data set, every album that has pictures, and every other set that lies prepared in the home folder;
    damaged ones are left out."""
    collected = {album.id: album for album in albums()}
    found: dict[tuple[str, str], list[PreparedSet]] = {}
    for prepared in _lying_ready():
        named = _is_known(prepared) or prepared.name in collected
        # Two folders may well be called alike, and one like a known set: what they came from tells them apart.
        found.setdefault((prepared.name, "" if named else prepared.content), []).append(prepared)
    known = [_known_set(name, tuple(found.pop((name, ""), ()))) for name in DATASETS]
    own = [_of_album(album, tuple(found.pop((album.id, ""), ()))) for album in collected.values()]
    rest = [_prepared(name, tuple(sets)) for (name, _), sets in sorted(found.items())]
    return known + [one for one in own if one.images] + rest


def prepared_notes() -> list[Path]:
    """meta.json of each set in the home folder; not of one that has not got its own name yet: it is about to move."""
    return [note for note in sorted(places.data_home().glob("*/meta.json")) if note.parent.suffix != ".partial"]


def _lying_ready() -> list[PreparedSet]:
    """What lies prepared in the home folder: before any corrected ones those as they came, the latest first."""
    sets = []
    for note in prepared_notes():
        try:
            sets.append((note.stat().st_mtime_ns, PreparedSet.open(note.parent)))
        except (ExplorerError, OSError):  # damaged, or deleted in this moment
            continue
    return [one for _, one in sorted(sets, key=lambda each: (each[1].original != "", -each[0], each[1].directory))]


def _is_known(prepared: PreparedSet) -> bool:
    """Whether it is one of DATASETS, as it came or corrected, and not a person's own of the same name."""
    if prepared.name not in DATASETS:
        return False
    identity = _identity(prepared.image_size, _known_content(prepared.name))
    return identity in (prepared.identity, prepared.original)


def _known_set(name: str, sets: tuple[PreparedSet, ...]) -> Available:
    e, disk = DATASETS[name], _disk_bytes(sets)
    return Available(
        name, name, e.title, e.about, e.licence, e.classes, e.images, e.offline, e.download_bytes, sets, disk
    )


def _of_album(album: Album, sets: tuple[PreparedSet, ...]) -> Available:
    now = album.contents()
    classes = sum(bool(keys) for keys in now.members.values())
    about = "Collected on the page Your pictures."
    return Available(
        album.id, album.id, now.title, about, OWN_LICENCE, classes, len(now.pictures), True, 0, sets, _disk_bytes(sets)
    )


def _prepared(name: str, sets: tuple[PreparedSet, ...]) -> Available:
    one, disk = sets[0], _disk_bytes(sets)
    images = sum(one.count(split) for split in one.splits)
    source = str(one.directory)
    return Available(name, source, one.title, one.source, one.licence, len(one.classes), images, True, 0, sets, disk)


def _disk_bytes(sets: tuple[PreparedSet, ...]) -> int:
    # Without the hidden files that are just being written: they are gone in the next moment.
    return sum(file.stat().st_size for one in sets for file in one.directory.glob("[!.]*"))
