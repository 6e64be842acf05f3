"""Before and after: the layers from one convolution to the next as steps of the same maps."""

from collections.abc import Mapping

import streamlit as st

from app import address, answers
from app.inside.layers import layers_of
from app.session import SharedNetwork

WORDS = {
    "convolution": "Convolution",
    "batch normalisation": "after normalisation",
    "ReLU": "after ReLU",
    "max pooling": "after pooling",
    "average pooling": "after averaging",
}


def choose(shared: SharedNetwork, layer: str) -> None:
    """Go between the steps of the convolution that `layer` belongs to; nothing where there is only one."""
    kinds = _kinds(shared)
    group = of_one_convolution(kinds, layer)
    if len(group) < 2:
        return
    st.session_state["step"] = layer
    st.segmented_control(
        "Before and after",
        group,
        required=True,
        format_func=lambda name: WORDS.get(kinds[name], kinds[name]),
        key="step",
        on_change=_gone,
        help="The same maps at each step: as the convolution puts them out, normalised, cut off below zero, pooled.",
        wrap=True,
    )


def group_of(shared: SharedNetwork, layer: str) -> list[str]:
    """The layers with maps from the convolution at or before `layer` up to the next convolution."""
    return of_one_convolution(_kinds(shared), layer)


def _kinds(shared: SharedNetwork) -> dict[str, str]:
    return {name: layers_of(shared)[name].kind for name in answers.layers(shared)[0]}


def of_one_convolution(kinds: Mapping[str, str], layer: str) -> list[str]:
    """The names from the convolution at or before `layer` up to the next one; `kinds` has all in order."""
    names = list(kinds)
    starts = [place for place, name in enumerate(names) if kinds[name] == "convolution"]
    at = names.index(layer)
    first = max((start for start in starts if start <= at), default=0)
    end = min((start for start in starts if start > at), default=len(names))
    return names[first:end]


def _gone() -> None:
    st.session_state["layer"] = st.session_state["step"]
    address.write("layer")
