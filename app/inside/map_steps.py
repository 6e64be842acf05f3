"""Before and after: the layers that pass the maps of one convolution on, as steps of the same maps."""

from collections.abc import Sequence

import streamlit as st

from alexnet_core.insight.feature_maps import steps_of_maps
from app import address, answers
from app.inside.layers import layers_of
from app.remembered import remembered
from app.session import Picture, SharedNetwork

WORDS = {
    "convolution": "Convolution",
    "batch normalisation": "after normalisation",
    "ReLU": "after ReLU",
    "max pooling": "after pooling",
    "average pooling": "after averaging",
}


def choose(shared: SharedNetwork, layer: str) -> None:
    """Go between the steps of the convolution that `layer` belongs to; nothing where there is only one."""
    group = group_of(shared, layer)
    if len(group) < 2:
        return
    kinds = {name: layers_of(shared)[name].kind for name in group}
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


def choose_map(shared: SharedNetwork, picture: Picture, layer: str, order: Sequence[int]) -> int:
    """One map of the layer, offered in this `order`: at each step of a convolution the same one; of another
    convolution, or another picture, the first."""
    return st.selectbox(
        "Map to enlarge",
        order,
        # Without its rank: a browser knows a choice by its text alone, and the rank is another at each step.
        format_func=lambda number: f"Map {number}",
        key=f"map-{shared.key}-{picture.key}-{group_of(shared, layer)[0]}",
        help="Strongest first: by the mean over the map. The numbers stand under the maps; before and after keep the "
        "map.",
    )


def group_of(shared: SharedNetwork, layer: str) -> list[str]:
    """The layers that pass the maps of one convolution on, `layer` among them; `layer` alone where it passes on other
    maps: several that were added, or lie side by side."""

    def compute() -> list[list[str]]:
        with shared.lock:
            return steps_of_maps(shared.network)

    offered = answers.layers(shared)[0]
    rows = remembered((shared.key, "steps of maps"), compute)
    return next(([name for name in row if name in offered] for row in rows if layer in row), [layer])


def _gone() -> None:
    st.session_state["layer"] = st.session_state["step"]
    address.write("layer")
