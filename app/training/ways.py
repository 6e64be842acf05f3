"""The three ways of going on from what another network has learned, as cards with what each costs."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.runs import launcher
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.cost import Cost, cost
from alexnet_core.training.recipes import TRANSFER
from app import words
from app.training import estimates

CARDS = {
    "head": (":material/bolt:", "A new last layer learns, from what the others answer to each picture."),
    "last_layers": (":material/stacks:", "The first layers stay as they are, the last third learns on."),
    "everything": (":material/all_inclusive:", "All layers learn on, the first ones slowest."),
}
"""A sign and a short sentence for each way."""
ASK = "ask"
"""The place of the button that times all three."""


def choose(given: dict[str, Any], prepared: PreparedSet | None) -> tuple[str, dict[str, DeltaGenerator]]:
    """Which way (a key of TRANSFER), and the places that `tell_times` fills. Costs are shown once the pictures are
    prepared."""
    st.session_state.setdefault("new_way", next(iter(TRANSFER)))
    places: dict[str, DeltaGenerator] = {}
    with st.grid("auto", min_column_width=155):
        for name, recipe in TRANSFER.items():
            sign, sentence = CARDS[name]
            chosen = st.session_state.new_way == name
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{sign} {recipe.title}**", help=recipe.about)
                st.caption(sentence)
                if prepared is not None:
                    _cost(given | {"recipe": name}, prepared)
                places[name] = st.empty()
                st.button(
                    "Chosen" if chosen else "Take",
                    key=f"way-{name}",
                    type="primary" if chosen else "secondary",
                    icon=":material/check:" if chosen else None,
                    width="stretch",
                    help=f"Sets the recipe “{recipe.title}”; each of its settings can be changed below.",
                    on_click=lambda name=name: st.session_state.update(new_way=name),
                )
    places[ASK] = st.empty()
    return st.session_state.new_way, places


def _cost(explicit: dict[str, Any], prepared: PreparedSet) -> None:
    try:
        found = _counted(explicit, prepared)
    except ExplorerError:
        return  # the same sentence stands beside the Start button
    share = found.learning / found.parameters
    st.markdown(f"**{words.percent(share)}** of the weights" if share < 1 else "**All** weights")
    st.caption(
        f"{words.amount(found.multiply_adds)} multiply-adds, {words.memory(found.memory_bytes)} beside the pictures",
        help=(
            f"{found.learning:,} of {found.parameters:,} weights learn. Multiply-adds: over the whole run, forwards "
            "and backwards; a laptop does some ten to a hundred billion a second. Memory: weights, gradients and what "
            "a step keeps."
        ),
    )


def _counted(explicit: dict[str, Any], prepared: PreparedSet) -> Cost:
    settings = launcher.settled(explicit, prepared)
    return cost(settings, len(prepared.classes), prepared.image_size, prepared.count("train"))


def tell_times(
    places: dict[str, DeltaGenerator], given: dict[str, Any], chosen: TrainConfig, prepared: PreparedSet
) -> None:
    """How long each way takes, once a person asks: the chosen one as Start begins it (`chosen`), the others as their
    recipes have them. Timed last, so that nobody has to wait for it to press Start."""
    asked = f"ways-timed-{prepared.identity}-{given['model']}"
    if not st.session_state.get(asked):
        if not places[ASK].button(
            "Estimate the times",
            key="time_ways",
            icon=":material/timer:",
            help="Times a few real steps of each way on this computer: seconds, for large networks a minute or two.",
        ):
            return
        st.session_state[asked] = True
        places[ASK].empty()
    for name in TRANSFER:
        place = places[name]
        settings = chosen if name == chosen.recipe else launcher.settled(given | {"recipe": name}, prepared)
        with place:
            seconds = estimates.seconds(settings, prepared.identity, prepared)
        place.markdown(f":material/timer: about **{words.duration(seconds)}**")
