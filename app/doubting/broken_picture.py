"""The parts that both halves of the page Break it share: a picture, what is said about it, and its map."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from alexnet_core.insight.attribution import ATTRIBUTIONS
from app import answers, words
from app.session import SharedNetwork

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
