"""Which data set the page Your pictures shows, and what is in it."""

from collections.abc import Hashable
from typing import Any

import streamlit as st

from alexnet_core.data import album as stored
from alexnet_core.data.album import Album
from alexnet_core.data.journal import Contents
from alexnet_core.errors import ExplorerError
from alexnet_core.limits import CLASS_IMAGES, CLASSES
from app.choices import choose_in_address
from app.store import Store
from app.words import distinct

NEW = "new"
"""In the place of an album's id: one to be made."""
FIRST_TITLE = "My pictures"


@st.cache_resource
def _cards() -> Store:
    """Pictures of a few thumbnails, 300 kB each, and titles."""
    return Store(200)


def remembered(key: Hashable, compute: Any) -> Any:
    """A card that was drawn before, else what `compute` gives."""
    return _cards().get(key, compute)


def choose() -> Album | None:
    """The data set to work on, kept in the address; None for a new one."""
    titles = _titles()
    if not titles:
        return None
    choice = choose_in_address(
        "Data set",
        "album",
        titles | {NEW: "Make a new one"},
        next(iter(titles)),
        "What you collect stays on this computer, also when the page is closed. The address names the choice.",
        announce=True,
    )
    return None if choice == NEW else stored.find(choice)


def _titles() -> dict[str, str]:
    """The title and size of each data set by its id."""
    titles = {}
    for album in stored.albums():
        try:
            titles[album.id] = remembered(("title", album.version()), lambda album=album: _title(album.contents()))
        except ExplorerError:  # deleted in this moment
            continue
    return distinct(titles)


def _title(now: Contents) -> str:
    return f"{now.title} · {counted(len(now.pictures), 'picture')}"


def make(title: str) -> Album:
    """A new data set, which the page then shows."""
    album = stored.create(title)
    open_next(album.id)
    return album


def open_next(choice: str | None) -> None:
    """Let the next run of the page show the data set with this id, or NEW; None for the first one."""
    # By the address, which the list goes by: the list itself may stand on the page already.
    if choice is None:
        del st.query_params["album"]
    else:
        st.query_params["album"] = choice


def counted(count: int, one: str, several: str | None = None) -> str:
    """1 picture, 2 pictures."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def missing(now: Contents) -> str | None:
    """What a training still needs, as a sentence; None where there is enough."""
    large = sum(len(keys) >= CLASS_IMAGES for keys in now.members.values())
    if large >= CLASSES:
        return None
    return (
        f"A training needs at least {CLASSES} classes with {CLASS_IMAGES} pictures each; until now "
        f"{large or 'none'} {'has' if large <= 1 else 'have'} as many."
    )


def show_damage(now: Contents) -> None:
    """Which files could not be taken, and whether the journal was damaged; nothing where all is well."""
    if now.passed_over:
        st.warning(
            f"{counted(now.passed_over, 'line')} of what was done to this data set cannot be read and "
            f"{'was' if now.passed_over == 1 else 'were'} passed over; all else is here.",
            icon=":material/warning:",
        )
    if now.broken:
        with st.expander(f"{counted(len(now.broken), 'file')} could not be taken", icon=":material/broken_image:"):
            st.dataframe({"File": list(now.broken), "Reason": list(now.broken.values())}, hide_index=True)
