"""A folder of class folders, as people have them."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from alexnet_core.data.collection import LAYOUT, Collection, Refused, gone
from alexnet_core.data.layout import SPLIT_NAMES, Layout, Parts, ignored, shown
from alexnet_core.data.picture_files import OWN_LICENCE, Files, decoded
from alexnet_core.errors import ExplorerError
from alexnet_core.images import clean_name, read_picture_file


def folder_key(folder: Path) -> str:
    """A key of the folder's content that needs no reading of pictures: names, sizes and times of change.

    A million photographs are 150 GB: reading them only to know them by their content would take as long as preparing
    them. So a copied folder is prepared again, and a file changed in place with its old size and time is not noticed.
    """
    key = hashlib.sha256()

    def note(parts: Parts, status: os.stat_result) -> None:
        line = f"{'/'.join(parts)}\0{status.st_size}\0{status.st_mtime_ns}\n"
        key.update(line.encode("utf-8", "surrogateescape"))

    _walk(folder, note)
    return key.hexdigest()


def folder_files(
    folder: Path,
    splits: dict[str, str] = SPLIT_NAMES,
    class_names: dict[str, str] | None = None,
    loose: str | None = None,
) -> Files:
    """The picture files of a folder. Links are reported, never followed.

    `splits` says which folder names are which split, `class_names` replaces folder names by better ones; pictures
    outside of class folders become the class `loose` where that is given. Raises ExplorerError where the folder has no
    such layout.
    """
    name = clean_name(Path(os.path.abspath(folder)).name)  # "." and ".." have names, too
    paths, links = _walk(folder)
    if not paths:
        raise Refused(f"“{name}” holds no pictures. {LAYOUT}")
    layout = Layout(paths, splits, class_names or {}, loose)
    skipped = [(shown(link), "This is a link, and links are not followed. Copy the file itself.") for link in links]

    def read(position: int) -> bytes:
        try:
            return read_picture_file(folder.joinpath(*layout.paths[position]))
        except ExplorerError as error:
            if folder.is_dir():
                raise
            raise gone(name) from error

    return Files(
        name,
        f"the folder {name}",
        layout.classes,
        tuple(layout.entries),
        (*skipped, *layout.skipped),
        read,
    )


def read_folder(
    folder: Path,
    *,
    name: str | None = None,
    title: str | None = None,
    licence: str = OWN_LICENCE,
    splits: dict[str, str] = SPLIT_NAMES,
    class_names: dict[str, str] | None = None,
    side: int | None = None,
) -> Collection:
    """The pictures of a folder, as `folder_files` finds them; `side` as for `decoded`."""
    return decoded(folder_files(folder, splits, class_names), side, name, title, licence)


def _walk(folder: Path, note: Callable[[Parts, os.stat_result], None] | None = None) -> tuple[list[Parts], list[Parts]]:
    """Paths below `folder`, in a fixed order: regular files, and links. Raises ExplorerError if unreadable.

    Files are looked at more closely only where `note` wants to know: names and kinds come with the list of a folder.
    """
    files: list[Parts] = []
    links: list[Parts] = []
    waiting: list[Parts] = [()]
    try:
        while waiting:
            above = waiting.pop()
            with os.scandir(os.path.join(folder, *above)) as listed:
                found = sorted(listed, key=lambda one: one.name)
            folders = []
            for one in found:
                parts = (*above, one.name)
                if ignored(parts[-1:]):
                    continue
                if one.is_symlink():
                    links.append(parts)
                elif one.is_dir(follow_symlinks=False):
                    folders.append(parts)
                elif one.is_file(follow_symlinks=False):
                    files.append(parts)
                    if note:
                        note(parts, one.stat(follow_symlinks=False))
            waiting += reversed(folders)
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise ExplorerError(f"“{clean_name(folder.name)}” cannot be read ({reason}). Check its permissions.") from error
    return files, links
