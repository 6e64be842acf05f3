"""`alexnet data`: what there is to learn from, and bringing it into the prepared form."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from alexnet_core.commands.progress import ProgressShown, size_in_words
from alexnet_core.errors import ExplorerError

if TYPE_CHECKING:
    from alexnet_core.data.prepared import PreparedSet
    from alexnet_core.data.sources import Available


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verb `data` with `list`, `collect` and `prepare`."""
    actions = verbs.add_parser("data", help="data sets: list, collect and prepare them").add_subparsers(
        required=True, metavar="ACTION"
    )
    listing = actions.add_parser("list", help="what there is, how big, under which licence")
    listing.add_argument("--json", action="store_true", help="print one JSON document")
    listing.set_defaults(run=list_all)
    collecting = actions.add_parser("collect", help="add a folder or a zip to a data set of your own pictures")
    collecting.add_argument("source", metavar="SOURCE", help="a folder or a zip, with one folder for each class")
    collecting.add_argument(
        "--into", required=True, metavar="NAME", help="the data set: its name or id; made where there is none"
    )
    collecting.add_argument("--class", dest="loose", metavar="NAME", help="for pictures outside of class folders")
    collecting.set_defaults(run=collect)
    preparing = actions.add_parser("prepare", help="bring a data set, a folder or a zip into the prepared form")
    preparing.add_argument("source", metavar="SOURCE", help="what `data list` names, a folder, or a zip")
    preparing.add_argument("--size", type=int, metavar="N", help="side of the square pictures in pixels")
    preparing.add_argument("--out", type=Path, metavar="DIR", help="where to (default: the home folder)")
    preparing.add_argument(
        "--shard", type=int, default=1000, metavar="MB", help="keep the pixels in files of at most this size (1000)"
    )
    preparing.add_argument("--json", action="store_true", help="print one JSON document")
    preparing.set_defaults(run=prepare_one)


def list_all(arguments: argparse.Namespace) -> None:
    """Print every known data set, and what of it is prepared."""
    from alexnet_core.data.sources import available

    sets = available()
    if arguments.json:
        print(json.dumps([_as_dict(one) for one in sets], indent=1))
        return
    for one in sets:
        where = "offline" if one.offline else f"download of {size_in_words(one.download_bytes)}"
        print(
            f"{one.name:<16}{one.title}: {one.images:,} pictures, {one.classes} classes, {where}, licence: "
            f"{one.licence}"
        )
        print(f"{'':<16}{one.about}")
        if one.source != one.name:
            source = f'"{one.source}"' if " " in one.source else one.source
            print(f"{'':<16}to use it: --data {source}")
        if one.prepared:
            sizes = ", ".join(f"{size}" for size in sorted({p.image_size for p in one.prepared}))
            print(f"{'':<16}prepared at {sizes} pixels, {size_in_words(one.disk_bytes)} on disk")


def collect(arguments: argparse.Namespace) -> None:
    """Add pictures to an album and print what came of it."""
    from alexnet_core.data.album import albums, create
    from alexnet_core.data.collecting import add_source
    from alexnet_core.data.deleted_albums import discard_untouched
    from alexnet_core.images import clean_name

    into = clean_name(arguments.into)  # as titles are
    album = next((one for one in albums() if into in (one.id, one.contents().title)), None) or create(into)
    try:
        with ProgressShown() as shown:
            taken = add_source(album, Path(arguments.source).expanduser(), arguments.loose, shown.update)
    finally:
        empty = discard_untouched(album)
    if empty:
        name, reason = taken.broken[0]
        raise ExplorerError(f"None of these {len(taken.broken):,} files can be used. The first, {name}: {reason}")
    now = album.contents()
    print(f"{now.title}: {len(now.pictures):,} pictures in {len(now.classes)} classes, {taken.added:,} of them new")
    if taken.known:
        print(f"there already, byte for byte: {taken.known:,}, of these in another class: {len(taken.elsewhere):,}")
    if taken.broken:
        print(f"{len(taken.broken):,} files could not be used, the first:")
        for name, reason in taken.broken[:5]:
            print(f"  {name}: {reason}")
    print(f"To train on it: alexnet train --data {album.id}")


def prepare_one(arguments: argparse.Namespace) -> None:
    """Prepare one source and print what came of it."""
    from alexnet_core.data.sources import prepare

    with ProgressShown() as shown:
        prepared = prepare(
            arguments.source,
            image_size=arguments.size,
            out=arguments.out,
            progress=shown.update,
            shard_bytes=1_000_000 * arguments.shard,
        )
    if arguments.json:
        print(json.dumps(_prepared_dict(prepared), indent=1))
        return
    counts = ", ".join(f"{prepared.count(split):,} {split}" for split in prepared.splits)
    print(f"{prepared.title}: {len(prepared.classes)} classes, {prepared.image_size} pixels, {counts}")
    if prepared.bad_files:
        print(f"{len(prepared.bad_files):,} files could not be used, the first:")
        for name, reason in prepared.bad_files[:5]:
            print(f"  {name}: {reason}")
    if prepared.duplicates:
        print(f"{len(prepared.duplicates):,} pictures occur in two classes or two splits, the first:")
        for first, second in prepared.duplicates[:5]:
            print(f"  {first} = {second}")
    print(prepared.directory)


def _as_dict(one: "Available") -> dict[str, object]:
    return {
        "name": one.name,
        "source": one.source,
        "title": one.title,
        "about": one.about,
        "licence": one.licence,
        "classes": one.classes,
        "images": one.images,
        "offline": one.offline,
        "download_bytes": one.download_bytes,
        "disk_bytes": one.disk_bytes,
        "prepared": [_prepared_dict(prepared) for prepared in one.prepared],
    }


def _prepared_dict(prepared: "PreparedSet") -> dict[str, object]:
    return {
        "name": prepared.name,
        "directory": str(prepared.directory),
        "identity": prepared.identity,
        "image_size": prepared.image_size,
        "classes": list(prepared.classes),
        "splits": {split: prepared.count(split) for split in prepared.splits},
        "bad_files": len(prepared.bad_files),
        "duplicates": len(prepared.duplicates),
    }
