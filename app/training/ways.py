"""The three ways of going on from what another network has learned, as cards with what each costs."""

from typing import Any

import streamlit as st

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.runs import launcher
from alexnet_core.training.cost import cost
from alexnet_core.training.recipes import TRANSFER
from app import words
from app.training import estimates

ICONS = {
    "head": ":material/bolt:",
    "last_layers": ":material/stacks:",
    "everything": ":material/all_inclusive:",
}


def choose(given: dict[str, Any], prepared: PreparedSet | None) -> str:
    """Which way; the key of TRANSFER. Costs are shown once the pictures are prepared."""
    st.session_state.setdefault("new_way", next(iter(TRANSFER)))
    timed = _ask_for_time(prepared)
    with st.grid("auto", min_column_width=210):
        for name, recipe in TRANSFER.items():
            chosen = st.session_state.new_way == name
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{ICONS[name]} {recipe.title}**")
                st.caption(recipe.about)
                if prepared is not None:
                    _cost(given | {"recipe": name}, prepared, timed)
                st.button(
                    "Chosen" if chosen else "Take this way",
                    key=f"way-{name}",
                    type="primary" if chosen else "secondary",
                    icon=":material/check:" if chosen else None,
                    width="stretch",
                    help=f"Sets the recipe “{recipe.title}”; each of its settings can be changed below.",
                    on_click=lambda name=name: st.session_state.update(new_way=name),
                )
    return st.session_state.new_way


def _ask_for_time(prepared: PreparedSet | None) -> bool:
    """Whether the times of all three are to be shown."""
    if prepared is None:
        return False
    key = f"ways-timed-{prepared.identity}"
    if not st.session_state.get(key) and st.button(
        "Estimate the times",
        key="time_ways",
        icon=":material/timer:",
        help="Times a few real steps of each way on this computer: seconds, for large networks a minute or two.",
    ):
        st.session_state[key] = True
    return bool(st.session_state.get(key))


def _cost(explicit: dict[str, Any], prepared: PreparedSet, timed: bool) -> None:
    try:
        settings = launcher.settled(explicit, prepared)
        found = cost(settings, len(prepared.classes), prepared.image_size, prepared.count("train"))
        time = f" · **{words.duration(estimates.seconds(settings, prepared.identity, prepared))}**" if timed else ""
    except ExplorerError:
        return  # the same sentence stands beside the Start button
    st.markdown(f"{found.learning / found.parameters:.0%} of the weights learn{time}")
    st.caption(
        f"{words.amount(found.learning)} of {words.amount(found.parameters)} weights · "
        f"{words.amount(found.multiply_adds)} multiply-adds · {words.memory(found.memory_bytes)} of memory beside the "
        "pictures",
        help=(
            "Weights: numbers that this training adjusts. Multiply-adds: over the whole run, forwards and backwards; a "
            "laptop does some ten to a hundred billion a second. Memory: weights, gradients and what a step keeps."
        ),
    )
