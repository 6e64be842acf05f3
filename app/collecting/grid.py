"""All pictures of a class, page by page: choose some, then move or remove them."""

import streamlit as st

from alexnet_core.data.album import Album
from alexnet_core.data.journal import Contents
from alexnet_core.errors import ExplorerError
from alexnet_core.images import clean_name
from app.address import hold
from app.collecting.cards import CLASS
from app.collecting.chosen import counted
from app.sentences import plain, sentences_for_people

PAGE = 36
"""Pictures a page: they are drawn, and can be chosen, in a moment."""

LETTERS = 9
"""Of the name under a thumbnail."""


def show(album: Album, now: Contents) -> None:
    """The class that was opened, else the first one; nothing where there are no pictures."""
    filled = [class_id for class_id, keys in now.members.items() if keys]
    if not filled:
        return
    filled.sort(key=lambda class_id: now.classes[class_id].casefold())
    hold(CLASS, filled)
    class_id = st.selectbox(
        "Pictures of the class",
        filled,
        key=CLASS,
        format_func=lambda one: f"{now.classes[one]} · {counted(len(now.members[one]), 'picture')}",
        help="Choose pictures with the boxes under them, then move or remove them. Everything can be undone.",
        persist_state="session",
    )
    st.fragment(_page)(album, now, class_id)


def _page(album: Album, now: Contents, class_id: int) -> None:
    keys = now.members[class_id]
    pages = -(-len(keys) // PAGE)
    page = st.pagination(pages, key=f"page-{album.id}-{class_id}") if pages > 1 else 1
    shown = keys[(page - 1) * PAGE : page * PAGE]
    chosen = [key for key in shown if st.session_state.get(_box(key))]
    _actions(album, now, class_id, shown, chosen)
    grid = st.grid("auto", min_column_width=104)
    for key in shown:
        name = clean_name(now.pictures[key].name)
        with grid.cell():
            try:
                st.image(album.thumbnail(key, name), width="stretch", alt=f"The picture {name}.")
            except ExplorerError as error:
                st.caption(f":material/broken_image: {plain(str(error))}")
            st.checkbox(plain(_short(name)), key=_box(key))


def _actions(album: Album, now: Contents, class_id: int, shown: list[str], chosen: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Choose none" if chosen else "Choose all",
            key="choose_all",
            icon=":material/deselect:" if chosen else ":material/select_all:",
            help="Of the pictures that are shown.",
            on_click=st.session_state.update,
            args=({_box(key): not chosen for key in shown},),
        )
        others = [one for one in now.classes if one != class_id]
        key = f"into-{album.id}-{class_id}"
        hold(key, others)
        into = st.selectbox(
            "Move to",
            others,
            index=0 if others else None,
            format_func=lambda one: now.classes[one],
            key=key,
            label_visibility="collapsed",
            placeholder="No other class",
            width=180,
        )
        moving = st.button(
            "Move",
            key="move",
            icon=":material/drive_file_move:",
            disabled=not chosen or into is None,
            help="Puts the chosen pictures into the class beside the button.",
        )
        removing = st.button(
            "Remove",
            key="remove",
            icon=":material/delete:",
            disabled=not chosen,
            help="Takes the chosen pictures out of the data set. Undo brings them back.",
        )
        st.caption(
            f"{counted(len(chosen), 'picture')} chosen" if chosen else "Choose pictures below to move or remove."
        )
    with sentences_for_people():
        if moving and into is not None:
            album.move(chosen, into)
        if removing:
            album.remove(chosen)
        if moving or removing:  # and it was done: else the sentence would be gone at once
            for key in chosen:
                del st.session_state[_box(key)]
            st.rerun()


def _box(key: str) -> str:
    return f"pick-{key[:16]}"


def _short(name: str) -> str:
    """The name under a thumbnail, as much as there is room for: its end says more than its beginning."""
    stem = name.rpartition(".")[0] or name
    return stem if len(stem) <= LETTERS else "…" + stem[1 - LETTERS :]
