"""A card for each class: some of its pictures, its name, how many there are."""

import numpy as np
import streamlit as st
from PIL import Image

from alexnet_core.data.album import THUMBNAIL, Album
from alexnet_core.data.journal import Contents
from alexnet_core.data.shapes import SILHOUETTES, shapes
from alexnet_core.errors import ExplorerError
from alexnet_core.images import decode
from alexnet_core.limits import CLASS_IMAGES
from app.collecting.chosen import counted, remembered
from app.figures.mosaic import GROUND
from app.figures.patchwork import patchwork
from app.sentences import plain

ON_A_CARD = 6
CARDS = 24
"""Classes that are shown at once."""
CLASS = "album_class"
"""In the session: the class whose pictures are shown below."""


def show(album: Album, now: Contents) -> None:
    """The cards of the classes by name, a page of them at a time, with a button that opens each."""
    order = sorted(now.classes, key=lambda class_id: now.classes[class_id].casefold())
    pages = -(-len(order) // CARDS)
    page = st.pagination(pages, key=f"cards-{album.id}") if pages > 1 else 1
    grid = st.grid(3, min_column_width=150)
    for class_id in order[(page - 1) * CARDS : page * CARDS]:
        keys = now.members[class_id]
        with grid.cell(), st.container(border=True, height="stretch"):
            st.image(
                remembered((album.id, tuple(keys[:ON_A_CARD])), lambda keys=keys: _patchwork(album, now, keys)),
                width="stretch",
                alt=f"Some of the pictures of the class {now.classes[class_id]}.",
            )
            name = plain(now.classes[class_id])
            few = "" if len(keys) >= CLASS_IMAGES else f" · :orange-badge[:material/hourglass: {CLASS_IMAGES} needed]"
            st.markdown(f"**{name}**")
            st.caption(f"{counted(len(keys), 'picture')}{few}")
            st.space("stretch")
            st.button(
                "Show all",
                key=f"open-{class_id}",
                icon=":material/grid_view:",
                disabled=not keys,
                width="stretch",
                help="Shows the pictures of this class below, to move or remove some.",
                on_click=st.session_state.__setitem__,
                args=(CLASS, class_id),
            )


def _patchwork(album: Album, now: Contents, keys: list[str]) -> Image.Image:
    tiles = [thumbnail(album, now, key) for key in keys[:ON_A_CARD]]
    return patchwork(tiles, ON_A_CARD, 3, THUMBNAIL)


def thumbnail(album: Album, now: Contents, key: str) -> np.ndarray:
    """The small picture, uint8 (S, S, 3); grey where the photograph is gone."""
    try:
        return np.asarray(decode(album.thumbnail(key, now.pictures[key].name)).resize((THUMBNAIL, THUMBNAIL)))
    except ExplorerError:
        return np.full((THUMBNAIL, THUMBNAIL, 3), GROUND, np.uint8)


EXAMPLES = ("star", "heart", "crescent")
"""Classes of the drawn data set, which stand for a person's own on the empty page."""


def show_examples() -> None:
    """What a data set is, for a page without one."""
    grid = st.grid(3, min_column_width=150)
    for name, card in _examples().items():
        with grid.cell(), st.container(border=True, height="stretch"):
            st.image(card, width="stretch", alt=f"Six drawn pictures of a {name}.")
            st.markdown(f"**{name}s**")
    st.caption(
        "An example: a class is a folder of pictures that show the same kind of thing. Two classes with five pictures "
        "each are enough to begin; fifty of each teach a network much more."
    )


@st.cache_data(show_spinner=False)
def _examples() -> dict[str, Image.Image]:
    drawn = shapes(THUMBNAIL, ON_A_CARD * len(SILHOUETTES))
    cards = {}
    for name in EXAMPLES:
        label = drawn.classes.index(name)
        tiles = [np.asarray(drawn.read(place)) for place, entry in enumerate(drawn.entries) if entry.label == label]
        cards[name] = patchwork(tiles, ON_A_CARD, 3, THUMBNAIL)
    return cards
