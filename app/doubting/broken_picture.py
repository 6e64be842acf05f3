"""What both halves of the page Break it share: a picture, what is said about it, its map, and many pictures."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from alexnet_core.insight.attribution import ATTRIBUTIONS
from alexnet_core.insight.gallery import Gallery
from app import answers, words
from app.doubting import breaking
from app.doubting.breaking import PICTURES, Progress
from app.sentences import plain
from app.session import SharedNetwork
from app.unfinished import offer_stop

FIRST_METHOD = "saliency"
MOST = 3
"""Answers shown under a picture."""


def choose_method(shared: SharedNetwork) -> str:
    """The map that follows the picture, one of those that are there at once."""
    quick = [name for name, method in ATTRIBUTIONS.items() if not method.slow and answers.why_not(shared, name) is None]
    if st.session_state.get("broken_method") not in quick:
        st.session_state["broken_method"] = FIRST_METHOD
    return st.selectbox(
        "Map that follows",
        quick,
        format_func=lambda name: ATTRIBUTIONS[name].title,
        key="broken_method",
        help="It explains, on the changed picture, the class that the network saw in the untouched one.",
        persist_state="session",
    )


def says(classes: Sequence[str], probabilities: np.ndarray) -> None:
    """The most probable classes as bars."""
    for index in probabilities.argsort()[::-1][:MOST].tolist():
        st.progress(float(probabilities[index]), text=words.answer(classes[index], float(probabilities[index])))


def first(probabilities: np.ndarray) -> int:
    """The most probable class."""
    return int(probabilities.argmax())


def show_accuracy(
    shared: SharedNetwork,
    question: tuple[object, ...],
    explanation: str,
    measure: Callable[[Gallery, Progress, int], list[float]],
    draw: Callable[[list[float]], object],
) -> None:
    """How many pictures of the data set are still right at each strength, measured once that was asked for."""
    gallery = breaking.labelled(shared, st.session_state["run"])
    if gallery is None:
        st.info(
            "The data set of this network is not prepared on this computer, so nobody knows how many of its pictures "
            "would still be right. Prepare it on the page Train.",
            icon=":material/info:",
        )
        return
    count = _how_many(gallery)
    question = (shared.key, gallery.key, count, *question)
    asked: set[tuple[object, ...]] = st.session_state.setdefault("broken_accuracy", set())
    if not _wanted(asked, question, count, explanation):
        st.caption(f"How many of the pictures ({plain(gallery.title)}) are still right at each strength?")
        return
    place = st.empty()
    bars: list[DeltaGenerator] = []

    def tell(share: float) -> None:
        if not bars:  # there is something to wait for, and to stop
            with place.container():
                bars.append(st.progress(share))
                offer_stop(asked, question, "stop_measuring_accuracy", "counted")
        bars[0].progress(share, "Changing pictures and asking")

    shares = measure(gallery, tell, count)
    place.empty()
    draw(shares)
    st.caption(
        f"{count:,} pictures of {plain(gallery.title)}, spread evenly; by chance alone a point may be off by "
        f"{50 / count**0.5:.1f} percentage points."
    )


def _how_many(gallery: Gallery) -> int:
    """How many pictures are asked about: some, or all of them."""
    every = len(gallery)
    if every <= PICTURES:
        return every
    wanted = st.toggle(
        f"All {every:,} pictures",
        key="broken_all",
        help=f"Otherwise {PICTURES}, spread evenly. All of them tell more and take {every / PICTURES:.0f} times as "
        "long.",
        persist_state="session",
    )
    return every if wanted else PICTURES


def _wanted(asked: set[tuple[object, ...]], question: tuple[object, ...], count: int, explanation: str) -> bool:
    """Whether the accuracy was asked for; draws the button until it is."""
    place = st.empty()
    if question not in asked and place.button(
        f"Measure on {count:,} pictures", icon=":material/speed:", help=explanation
    ):
        asked.add(question)
        place.empty()
    return question in asked
