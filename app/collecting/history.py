"""Undo and redo, with what they would change, and what it costs to keep that possible."""

import streamlit as st

from alexnet_core.data.album import Album
from alexnet_core.data.deleted_albums import delete_removed, removed_bytes
from alexnet_core.data.journal import Contents, Step
from app import words
from app.collecting.chosen import counted, remembered
from app.sentences import plain, sentences_for_people


def show(album: Album, now: Contents) -> None:
    """Two buttons, and a line that says what the first would take back."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Undo",
            key=f"undo-{now.undo.action if now.undo else ''}",  # never takes back what another window did meanwhile
            icon=":material/undo:",
            disabled=now.undo is None,
            help=f"Takes back: {told(now.undo)}." if now.undo else "There is nothing to take back.",
        ):
            album.undo()
            st.rerun()
        if st.button(
            "Redo",
            key=f"redo-{now.redo.action if now.redo else ''}",
            icon=":material/redo:",
            disabled=now.redo is None,
            help=f"Does again: {told(now.redo)}." if now.redo else "There is nothing to do again.",
        ):
            album.redo()
            st.rerun()
        if now.undo:
            st.caption(f"Undo takes back: {told(now.undo)}.")
    if now.removed:
        _removed(album, now)


def _removed(album: Album, now: Contents) -> None:
    """What the removed pictures take on the disk, and the button that ends that."""
    size = remembered(("removed", album.version()), lambda: removed_bytes(album))
    with st.expander(
        f"{counted(len(now.removed), 'removed picture')}, {words.memory(size)}", icon=":material/auto_delete:"
    ):
        st.caption("Their files are kept, so that Undo can bring them back. Without them nothing can be undone.")
        with sentences_for_people():
            # Another key for other pictures: a click never deletes what another window removed meanwhile.
            if st.button(
                "Delete them for good",
                key=f"delete_removed-{hash(now.removed)}",
                icon=":material/delete_forever:",
                help="Frees the disk.",
            ):
                delete_removed(album)
                st.rerun()


def told(step: Step) -> str:
    """What the action did, as Markdown."""
    pictures, name, other = counted(step.pictures, "picture"), plain(step.name), plain(step.other)
    return {
        "add": f"adding {pictures} from {name}",
        "move": f"moving {pictures} to {name}",
        "remove": f"removing {pictures}",
        "class": f"the class {name}",
        "rename": f"the new name {name} for {other}",
        "merge": f"merging {other} into {name}",
        "drop": f"deleting the class {name}",
        "title": f"the title {name}",
    }[step.does]
