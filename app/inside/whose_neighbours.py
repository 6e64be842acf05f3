"""Whose neighbours are looked for on the page Neighbours: one's own picture, or one of the data set."""

from collections.abc import Callable
from dataclasses import dataclass
from random import randrange

import numpy as np
import streamlit as st
import torch
from PIL import Image

from alexnet_core.insight.gallery import Gallery, numbers
from alexnet_core.models import Network
from app import answers
from app.choices import choose_picture
from app.gallery import galleries
from app.sentences import plain
from app.session import SharedNetwork
from app.words import percent

OWN, FROM_GALLERY = "own", "gallery"


@dataclass(frozen=True)
class Question:
    """Whose neighbours are looked for."""

    key: str
    title: str
    image: Image.Image
    """The square that the network sees, or a picture that will be cut to it."""
    label: int | None
    """Its class: the true one of a picture of the data set, else the network's answer."""
    is_true: bool
    """Whether `label` is the true class."""
    tensor: Callable[[], torch.Tensor]
    """(1, 3, S, S), as the network reads it."""


def unseen(choice: str, network: Network) -> Gallery | None:
    """Pictures with a true class that the network has not learned from; None where there are none here."""
    found = galleries(choice, network)
    return found.get("test", found.get("val"))


def choose_question(shared: SharedNetwork, choice: str) -> Question:
    """One's own picture, or one of the data set with its true class."""
    from_set = unseen(choice, shared.network)
    source = OWN
    if from_set is not None:
        source = st.segmented_control(
            "Whose neighbours",
            [OWN, FROM_GALLERY],
            default=OWN,
            required=True,
            format_func={OWN: "My picture", FROM_GALLERY: "One of the data set"}.__getitem__,
            key="whose",
            help="Pictures of the data set have a true class; these are ones that the network has not learned from.",
            persist_state="session",
        )
    if from_set is None or source == OWN:
        picture = choose_picture(shared.network)
        top = answers.top(shared, picture)[0]
        return Question(
            picture.key,
            f"{picture.name}. The network says {top.name}, {percent(top.probability)}",
            answers.as_seen(shared.network.preprocessing, picture),
            top.index,
            False,
            lambda: shared.network.preprocessing.tensor(picture.image),
        )
    return _from(shared.network, from_set)


def _from(network: Network, gallery: Gallery) -> Question:
    """A picture of the data set, by its number or by chance."""
    last = len(gallery) - 1
    key = f"number-{gallery.key}"
    st.session_state[key] = min(st.session_state.get(key, 0), last)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        row = st.number_input(
            "Number", 0, last, key=key, help=f"Of {plain(gallery.title)}: 0 to {last:,}.", persist_state="session"
        )
        st.button(
            "Another",
            icon=":material/casino:",
            on_click=lambda: st.session_state.update({key: randrange(last + 1)}),
            help="A picture by chance.",
        )
    return of_row(network, gallery, row)


def of_row(network: Network, gallery: Gallery, row: int) -> Question:
    """A picture of a gallery with classes, with its true one."""
    assert gallery.labels is not None
    label = int(gallery.labels[row])
    pixels = gallery.images[row : row + 1][0]
    return Question(
        f"{gallery.key}-{row}",
        f"{gallery.files[row]}. It is {network.classes[label]}",
        Image.fromarray(pixels).resize((answers.SHOWN_SIDE,) * 2, Image.Resampling.NEAREST),
        label,
        True,
        lambda: numbers(network, gallery, np.array([row])),
    )
