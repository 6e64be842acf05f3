"""Before and after: the layers between one convolution and the next as moments of the same maps."""

from collections.abc import Mapping

import streamlit as st

from app import answers, session
from app.session import SharedNetwork
from app.units import layers_of

WORDS = {
    "convolution": "Convolution",
    "batch normalisation": "after normalisation",
    "ReLU": "after ReLU",
    "max pooling": "after pooling",
    "average pooling": "after averaging",
}


def choose(shared: SharedNetwork, layer: str) -> None:
    """Step between the moments of the convolution that `layer` belongs to; nothing where there is only one."""
    kinds = {name: layers_of(shared)[name].kind for name in answers.layers(shared)[0]}
    group = of_one_convolution(kinds, layer)
    if len(group) < 2:
        return
    st.session_state["moment"] = layer
    st.segmented_control(
        "Before and after",
        group,
        required=True,
        format_func=lambda name: WORDS.get(kinds[name], kinds[name]),
        key="moment",
        on_change=_step,
        help="The same maps at each step: as the convolution puts them out, normalised, cut off below zero, pooled.",
        wrap=True,
    )


def of_one_convolution(kinds: Mapping[str, str], layer: str) -> list[str]:
    """The names from the convolution at or before `layer` up to the next one; `kinds` has all in order."""
    names = list(kinds)
    starts = [place for place, name in enumerate(names) if kinds[name] == "convolution"]
    at = names.index(layer)
    first = max((start for start in starts if start <= at), default=0)
    end = min((start for start in starts if start > at), default=len(names))
    return names[first:end]


def _step() -> None:
    st.session_state["layer"] = st.session_state["moment"]
    session.to_address("layer")
