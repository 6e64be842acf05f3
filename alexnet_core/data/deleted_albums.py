"""Albums that a person deleted: moved aside as they are, so that one click brings them back, until they are deleted
for good."""

import shutil

from alexnet_core.data.album import ALBUM_ID, Album, is_album
from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder
from alexnet_core.images import clean_name
from alexnet_core.places import collections_home


def delete(album: Album) -> None:
    """Move an album aside, which takes a moment whatever its size."""
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


def _move(album: Album, place: Album) -> None:
    make_folder(place.path.parent)
    try:
        album.path.rename(place.path)
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise ExplorerError(f"“{album.id}” could not be moved ({reason}). Check the program's home folder.") from error
