"""Names: of the data set, and of its classes, which can be renamed, merged and deleted."""

import streamlit as st

from alexnet_core.data.album import Album
from alexnet_core.data.journal import Contents
from alexnet_core.images import clean_name
from alexnet_core.limits import NAME_LENGTH
from app.address import hold
from app.collecting import deleted
from app.collecting.chosen import counted
from app.sentences import plain, sentences_for_people


def show(album: Album, now: Contents) -> None:
    """A folded panel with a field for each."""
    with st.expander("Names and classes", icon=":material/label:"):
        _title(album, now)
        _new_class(album)
        if now.classes:
            _class(album, now)
        deleted.offer(album)


def _title(album: Album, now: Contents) -> None:
    key = f"title-{album.id}-{now.title}"
    title = st.text_input("Name of the data set", now.title, NAME_LENGTH, key, help="Also its name in the lists.")
    if _is_new(title, now.title):
        album.retitle(title)
        st.rerun()


def _is_new(typed: str | None, name: str) -> bool:
    """Whether what was typed becomes another name. One that differs in a space at its end alone would be written down
    as what it was, and the field, which keeps what was typed, would ask for it again and again."""
    return bool(typed and typed.strip()) and clean_name(typed or "") != name


def _new_class(album: Album) -> None:
    with st.form("new_class", clear_on_submit=True, border=False):
        name = st.text_input("New class", max_chars=NAME_LENGTH, placeholder="cats", help="What its pictures show.")
        if (
            st.form_submit_button("Make the class", icon=":material/add:", help="It is empty at first.")
            and name.strip()
        ):
            album.name_classes([name])
            st.rerun()


def _class(album: Album, now: Contents) -> None:
    key = f"changed-{album.id}"
    hold(key, list(now.classes))
    class_id = st.selectbox(
        "Class to change",
        list(now.classes),
        format_func=now.classes.__getitem__,
        key=key,
        help="Rename it, merge it into another one, or delete it. Everything can be undone.",
    )
    name = st.text_input(
        "New name",
        now.classes[class_id],
        NAME_LENGTH,
        f"name-{class_id}-{now.classes[class_id]}",
        help="Then press Enter.",
    )
    with sentences_for_people():
        if _is_new(name, now.classes[class_id]):
            album.rename_class(class_id, name)
            st.rerun()
        others = [one for one in now.classes if one != class_id]
        if others:
            merge_key = f"merge-{album.id}-{class_id}"
            hold(merge_key, others)
            into = st.selectbox(
                "Merge into",
                others,
                format_func=now.classes.__getitem__,
                key=merge_key,
                help="All its pictures become pictures of that class.",
            )
            if st.button(
                "Merge",
                key=f"merge-{class_id}-into-{into}",  # never another pair, where a class is gone meanwhile
                icon=":material/merge:",
                help="Moves all pictures, and forgets this class.",
            ):
                album.merge_classes(class_id, into)
                st.rerun()
        pictures = counted(len(now.members[class_id]), "picture")
        if st.button(
            f"Delete {plain(now.classes[class_id])}",
            icon=":material/delete:",
            help=f"With its {pictures}. Undo brings all back.",
        ):
            album.drop_class(class_id)
            st.rerun()
