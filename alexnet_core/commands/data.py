"""`alexnet data`: what there is to learn from, and bringing it into the prepared form."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from alexnet_core.data.prepared import PreparedSet
    from alexnet_core.data.sources import Available


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verb `data` with `list` and `prepare`."""
    actions = verbs.add_parser("data", help="data sets: list and prepare them").add_subparsers(
        required=True, metavar="ACTION"
    )
    listing = actions.add_parser("list", help="what there is, how big, under which licence")
    listing.add_argument("--json", action="store_true", help="print one JSON document")
    listing.set_defaults(run=list_all)
    preparing = actions.add_parser("prepare", help="bring a data set, a folder or a zip into the prepared form")
    preparing.add_argument("source", metavar="SOURCE", help="a name from `data list`, a folder, or a zip")
    preparing.add_argument("--size", type=int, metavar="N", help="side of the square pictures in pixels")
    preparing.add_argument("--out", type=Path, metavar="DIR", help="where to (default: the home folder)")
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
        where = "offline" if one.offline else f"download of {_bytes(one.download_bytes)}"
        print(
            f"{one.name:<16}{one.title}: {one.images:,} images, {one.classes} classes, {where}, licence: {one.licence}"
        )
        print(f"{'':<16}{one.about}")
        if one.prepared:
            sizes = ", ".join(f"{size}" for size in sorted({p.image_size for p in one.prepared}))
            print(f"{'':<16}prepared at {sizes} pixels, {_bytes(one.disk_bytes)} on disk")


def prepare_one(arguments: argparse.Namespace) -> None:
    """Prepare one source and print what came of it."""
    from alexnet_core.data.sources import prepare

    with _Shown() as shown:
        prepared = prepare(arguments.source, image_size=arguments.size, out=arguments.out, progress=shown.update)
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


def _bytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"


def _as_dict(one: "Available") -> dict[str, object]:
    return {
        "name": one.name,
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


class _Shown:
    """Progress on standard error: a bar in a terminal, otherwise a plain line every few seconds."""

    LINE_EVERY = 5.0

    def __init__(self) -> None:
        self.stage = ""
        self.bar: tqdm | None = None
        self.said = time.monotonic()

    def __enter__(self) -> "_Shown":
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def update(self, done: int, total: int, stage: str) -> None:
        """The callback of `prepare`."""
        in_bytes = stage in ("reading", "downloading")
        if sys.stderr.isatty():
            if self.bar is None or stage != self.stage:
                self.__exit__()
                unit = "B" if in_bytes else " pictures"
                self.bar = tqdm(total=total, desc=stage, unit=unit, unit_scale=in_bytes)
            self.bar.update(done - self.bar.n)
        elif stage != self.stage or time.monotonic() - self.said > self.LINE_EVERY:
            amount = f"{_bytes(done)} of {_bytes(total)}" if in_bytes else f"{done:,} of {total:,} pictures"
            print(f"{stage}: {amount}", file=sys.stderr, flush=True)
            self.said = time.monotonic()
        self.stage = stage
