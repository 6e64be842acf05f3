"""Deleting a whole data set, and bringing it back."""

import streamlit as st

from alexnet_core.data.album import Album
from alexnet_core.data.deleted_albums import delete, delete_for_good, deleted_albums, disk_bytes, restore
from app import words
from app.collecting.chosen import counted, open_next, remembered
from app.sentences import plain


def offer(album: Album) -> None:
    """The button that deletes the data set."""
    if st.button(
        "Delete this data set",
        key=f"delete-{album.id}",  # where this one is gone already, the click is not for the one in its place
        icon=":material/delete_forever:",
        type="tertiary",
        help="It is moved aside and can be brought back, until it is deleted for good.",
    ):
        delete(album)
        open_next(None)
        st.rerun()


def show() -> None:
    """Which were deleted; nothing where none was."""
    albums = deleted_albums()
    if not albums:
        return
    # Counted once: a hundred thousand files take seconds, and what was deleted stays as it is.
    sizes = [remembered(("deleted", album.version()), lambda album=album: disk_bytes(album)) for album in albums]
    size = words.memory(sum(sizes))
    with st.expander(f"{counted(len(albums), 'deleted data set')}, {size}", icon=":material/restore_from_trash:"):
        for album in albums:
            now = album.contents()
            st.markdown(f"**{plain(now.title)}** · {counted(len(now.pictures), 'picture')}")
            if st.button("Bring it back", key=f"restore-{album.id}", icon=":material/undo:", help="As it was."):
                open_next(restore(album.id).id)
                st.rerun()
        # Another key for others: a click never deletes what another window moved here meanwhile.
        if st.button(
            "Delete for good",
            key=f"for_good-{hash(tuple(album.id for album in albums))}",
            icon=":material/delete_forever:",
            help="Frees the disk. There is no way back.",
        ):
            delete_for_good()
            st.rerun()
