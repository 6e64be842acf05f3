"""The ways in: a folder, files, a zip, the camera, a folder of this computer; each written to the disk at once."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import streamlit as st
from streamlit.typing import UploadedFile

from alexnet_core.data.album import Album, is_album
from alexnet_core.data.collecting import Taken, add_files, add_pictures, add_source
from alexnet_core.data.collection import Progress
from alexnet_core.data.deleted_albums import discard_untouched
from alexnet_core.data.picture_files import Files, named_files
from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder, write_whole
from alexnet_core.images import clean_name
from alexnet_core.limits import PICTURE_BYTES, PICTURE_SUFFIXES
from alexnet_core.places import uploads_home
from app import session, spool, words
from app.collecting.chosen import NEW, counted, make, open_next
from app.sentences import plain

WAYS = {
    "folder": ":material/folder_open: Folder",
    "files": ":material/photo_library: Files",
    "zip": ":material/folder_zip: Zip",
    "camera": ":material/photo_camera: Camera",
}
SUFFIXES = [suffix.removeprefix(".") for suffix in PICTURE_SUFFIXES]
LIMIT = PICTURE_BYTES // 1_000_000
LOCAL = ("127.0.0.1", "localhost", "::1")
REPORT, ROUND, GOING_ON, BEGUN = "adding_report", "adding_round", "adding_path", "adding_begun"
"""In the session: what became of the last files; a number in the uploaders' keys, so that they are empty again after
each adding; (the data set, the folder that is being added to it); what the files that are being added were chosen
for."""


def show(album: Album | None, title: str) -> None:
    """The panel. Where there is no data set yet, the first pictures make one called `title`."""
    way = st.segmented_control(
        "Add pictures from",
        list(WAYS),
        default="folder",
        required=True,
        format_func=WAYS.__getitem__,
        key="adding_way",
        wrap=True,
        help="Pictures stay on this computer. Each is kept as it came, and written to the disk at once.",
        persist_state="session",
    )
    {"folder": _folder, "files": _files, "zip": _zip, "camera": _camera}[way](album, title)
    _say(album)


def _folder(album: Album | None, title: str) -> None:
    spool.begin()
    files = st.file_uploader(
        "Folder",
        type=SUFFIXES,
        accept_multiple_files="directory",
        max_upload_size=LIMIT,
        key=_key("folder"),
        help="Each folder inside becomes a class with its name. A folder of pictures alone becomes one class.",
    )
    if files:
        begun = _begun(album, title, "folder", files)
        _add(begun.album, lambda into, at: add_files(into, _left(begun, files), at), files, album)
    if _on_this_computer():
        with st.expander("Many thousands of pictures", icon=":material/hard_drive:"):
            _path(album, title)


@dataclass(frozen=True)
class _Begun:
    """What the files in an uploader were chosen for, as it stood when they came."""

    key: str
    """Of the uploader; after each adding it is another."""
    album: Album
    class_name: str
    names: dict[str, str]
    """The name of each file by its id, also of those that are added already."""


def _begun(album: Album | None, title: str, way: str, files: Sequence[UploadedFile], name: str = "") -> _Begun:
    """What these files were chosen for. A click elsewhere on the page interrupts the adding, and the next run of the
    page goes on with the files that are left: into the same data set and class, whatever is chosen there by then."""
    key, names = _key(way), {file.file_id: file.name for file in files}
    begun: _Begun | None = st.session_state.get(BEGUN)
    if begun is None or begun.key != key or not names.keys() <= begun.names.keys():
        begun = st.session_state[BEGUN] = _Begun(key, album or make(title), name, names)
    return begun


def _left(begun: _Begun, files: Sequence[UploadedFile]) -> Files:
    """Those of a folder's files that are not added yet, in the classes that all of them together tell."""
    ids = list(begun.names)
    place = {file.file_id: position for position, file in enumerate(files)}
    left = {position for position, file_id in enumerate(ids) if file_id in place}
    read = spool.reading(files)
    names = list(begun.names.values())
    return named_files(names, lambda position: read(place[ids[position]]), "a folder", left)


def _path(album: Album | None, title: str) -> None:
    """A folder that is read where it lies, without a way through the browser."""
    st.caption("A folder or zip on this computer is read where it lies, one picture at a time. Nothing in it changes.")
    path = st.text_input("Where it lies", key=_key("path"), placeholder="/media/pictures/pets", help=WHERE)
    pressed = st.button("Add it", icon=":material/drive_folder_upload:", disabled=not path, help="Needs no upload.")
    interrupted = album is not None and st.session_state.get(GOING_ON) == (album.id, path)
    if path and (pressed or interrupted):
        # A click elsewhere on the page interrupts the adding; the next run of the page goes on, if it shows the same
        # data set.
        album = album or make(title)
        st.session_state[GOING_ON] = (album.id, path)
        try:
            _add(album, lambda into, at: add_source(into, Path(os.path.expanduser(path)), progress=at), (), album)
        except Exception:  # a bug, which is raised again here and would come at each click; an interruption is none
            del st.session_state[GOING_ON]
            raise


WHERE = "With one folder of pictures for each class inside, as for an uploaded folder."


def _files(album: Album | None, title: str) -> None:
    name = _class(album)
    spool.begin()
    files = st.file_uploader(
        "Picture files",
        type=SUFFIXES,
        accept_multiple_files=True,
        max_upload_size=LIMIT,
        key=_key("files"),
        disabled=name is None,
        help=f"JPEG, PNG, WebP, BMP, GIF or TIFF, at most {LIMIT} MB and 24 megapixels each.",
    )
    if files and name is not None:
        names = [file.name for file in files]
        begun, read = _begun(album, title, "files", files, name), spool.reading(files)
        named = begun.class_name
        _add(begun.album, lambda into, at: add_pictures(into, named, names, read, "files", at), files, album)


def _zip(album: Album | None, title: str) -> None:
    spool.begin()
    file = st.file_uploader(
        "Zip file", type="zip", key=_key("zip"), help="One folder for each class inside; at most 200 MB."
    )
    if file:
        begun = _begun(album, title, "zip", [file])
        _add(begun.album, lambda into, at: _add_zip(into, file, at), [file], album)


def _add_zip(album: Album, file: UploadedFile, progress: Progress) -> Taken:
    """From a copy that has the zip's name, among the uploads: there the limits for what strangers send hold."""
    make_folder(uploads_home())
    with TemporaryDirectory(dir=uploads_home(), ignore_cleanup_errors=True) as folder:
        path = Path(folder) / session.zip_name(file)
        with spool.opened(file) as arrived:
            write_whole(path, arrived)
        return add_source(album, path, clean_name(Path(file.name).stem), progress)


def _camera(album: Album | None, title: str) -> None:
    name = _class(album)
    if name is None:
        st.info("Name the class first; then each press of the button takes a picture for it.", icon=":material/label:")
        return
    photo = st.camera_input(
        f"Photograph for {plain(name)}",
        key=_key("camera"),
        resolution="720p",
        help="Each photograph goes into the class at once, and the camera is ready for the next.",
    )
    if photo:
        shown = f"photograph {len(album.contents().pictures) + 1 if album else 1}.jpg"
        read = spool.reading([photo])
        begun = _begun(album, title, "camera", [photo], name)
        named = begun.class_name
        _add(begun.album, lambda into, at: add_pictures(into, named, [shown], read, "the camera", at), [photo], album)


def _class(album: Album | None) -> str | None:
    """The class that the pictures go into: one that is there, or a new name."""
    now = album.contents().classes if album else {}
    names = list(now.values())
    key = f"adding_class-{album.id if album else 'new'}"
    # A class that was renamed meanwhile stays the choice; its old name would be taken for a new class.
    before = {name: class_id for class_id, name in st.session_state.get(f"{key}-names", {}).items()}
    chosen = st.session_state.get(key)
    if chosen in before:
        chosen = now.get(before[chosen])
    if names:
        st.session_state[key] = chosen or names[0]
    st.session_state[f"{key}-names"] = now
    return st.selectbox(
        "Class",
        names,
        index=None,
        key=key,
        placeholder="Type the name of a class",
        accept_new_options=True,
        help="What the pictures show, such as “cats”. Choose one, or type a new name and press Enter.",
        persist_state="session",
    )


def _key(way: str) -> str:
    return f"adding_{way}-{st.session_state.get(ROUND, 0)}"


def _add(
    album: Album, add: Callable[[Album, Progress], Taken], files: Sequence[UploadedFile], shown: Album | None
) -> None:
    """Add with a bar, keep the report, and show the page with empty uploaders and the new pictures; another data set
    that was chosen meanwhile stays the one that is `shown`."""
    bar = st.progress(0.0, "Adding the pictures")
    try:
        taken: Taken | str = add(album, lambda *at: bar.progress(*words.progress(*at)))
    except ExplorerError as error:
        taken = str(error)
    bar.empty()
    st.session_state.pop(GOING_ON, None)
    spool.forget(files)
    empty = not is_album(album.path) or discard_untouched(album)
    if shown is None or shown.id == album.id:
        open_next(NEW if empty else album.id)
    st.session_state[REPORT] = (None if empty else album.version(), taken)
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    st.rerun()


def _on_this_computer() -> bool:
    """Whether who looks at the page sits at the computer that serves it: nobody else may name its folders."""
    served_to_itself = st.get_option("server.address") in LOCAL and st.context.ip_address is None
    return served_to_itself and not {"x-forwarded-for", "forwarded"} & {name.lower() for name in st.context.headers}


def _say(album: Album | None) -> None:
    """What became of the last files, until something else is done to the data set that they were for."""
    report: Any = st.session_state.get(REPORT)
    if report is None or report[0] != (album.version() if album else None):
        return
    taken: Taken | str = report[1]
    if isinstance(taken, str):
        st.error(plain(taken), icon=":material/error:")
        return
    if taken.added or taken.known:
        said = f"{counted(taken.added, 'picture')} added."
        if taken.known:
            said += f" {counted(taken.known, 'file was', 'files were')} here already, byte for byte."
        st.success(said, icon=":material/check:")
    if taken.elsewhere:
        named = ", ".join(f"{plain(file)} is in {plain(name)}" for file, name in taken.elsewhere[:3])
        st.warning(
            f"{counted(len(taken.elsewhere), 'picture')} stayed in another class: {named}.",
            icon=":material/content_copy:",
        )
    if taken.gone:
        st.warning(
            f"{counted(taken.gone, 'picture is', 'pictures are')} not here any more: another window took them, or "
            "their class, away meanwhile. Add them again if you want them.",
            icon=":material/playlist_remove:",
        )
    if taken.broken:
        st.warning(words.unusable(taken.broken), icon=":material/broken_image:")
