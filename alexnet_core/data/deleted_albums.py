"""What was deleted: albums, moved aside as they are, so that one click brings them back, until they are deleted for
good; and pictures that were removed from an album, whose files stay for undoing until their place is wanted."""

import shutil
from contextlib import suppress

from alexnet_core.data.album import ALBUM_ID, Album, is_album
from alexnet_core.data.collecting import alone_adding
from alexnet_core.data.journal import forgotten
from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder, move_folder, write_whole
from alexnet_core.images import clean_name
from alexnet_core.places import collections_home


def delete(album: Album) -> None:
    """Move an album aside, which takes a moment whatever its size. Raises ExplorerError while pictures are being added:
    they would make its folder anew, and it could not be brought back to its place."""
    with suppress(OSError), alone_adding(album):  # not while it is moved: Windows moves no folder with an open file
        pass
    _move(album, Album(collections_home() / "deleted" / album.id))


def restore(album_id: str) -> Album:
    """Bring a deleted album back. Raises ExplorerError where it is not there."""
    deleted = next((album for album in deleted_albums() if album.id == album_id), None)
    if deleted is None:
        raise ExplorerError(f"“{clean_name(album_id)}” was deleted for good, or brought back already.")
    back = Album(collections_home() / deleted.id)
    _move(deleted, back)
    return back


def deleted_albums() -> list[Album]:
    """What can be brought back."""
    places = sorted((collections_home() / "deleted").glob("*/journal.jsonl"))
    return [Album(note.parent) for note in places if ALBUM_ID.fullmatch(note.parent.name) and is_album(note.parent)]


def delete_for_good() -> None:
    """Free the disk of all of them. Raises ExplorerError where the system refuses."""
    for album in deleted_albums():
        try:
            shutil.rmtree(album.path)
        except OSError as error:
            reason = error.strerror or "unknown error"
            raise ExplorerError(f"“{album.id}” could not be deleted for good ({reason}). The rest stays.") from error


def disk_bytes(album: Album) -> int:
    """What an album takes on the disk; links are not followed."""
    return sum(path.lstat().st_size for path in album.path.rglob("*"))


def discard_untouched(album: Album) -> bool:
    """Remove an album to which nothing was ever done, which is what an adding that took nothing leaves of a new one;
    whether it was such a one."""
    with album.changing() as now:
        # Once there was a class: where the past was forgotten, only the numbers still tell.
        if now.undo or now.redo or now.next_class > 1 or now.passed_over:
            return False
        album.journal_path.unlink()
    shutil.rmtree(album.path, ignore_errors=True)  # without a journal it is no album, whatever stays of it
    return True


def removed_bytes(album: Album) -> int:
    """What the pictures that were removed from an album, or whose adding was undone, take on the disk."""
    paths = map(album.picture_path, album.contents().removed)
    return sum(path.stat().st_size for path in paths if path.exists())


def delete_removed(album: Album) -> None:
    """Free the disk of the pictures that were removed from an album, and forget its past: nothing can be undone any
    more. Raises ExplorerError while pictures are being added, and where the system refuses."""
    with alone_adding(album), album.changing() as now:
        try:
            for key in now.removed:
                for path in (album.picture_path(key), album.thumbnail_path(key)):
                    path.unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or "unknown error"
            raise ExplorerError(f"A removed picture could not be deleted ({reason}). The rest stays.") from error
        # Last: where this was cut off before, the journal still knows them, and it can be asked for again.
        write_whole(album.journal_path, forgotten(now))


def _move(album: Album, place: Album) -> None:
    make_folder(place.path.parent)
    try:
        move_folder(album.path, place.path)
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise ExplorerError(f"“{album.id}” could not be moved ({reason}). Check the program's home folder.") from error
