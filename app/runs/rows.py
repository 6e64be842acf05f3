"""The list of runs: searched, sorted, ten at a time; a box compares a run, a button opens it."""

from collections.abc import Sequence
from textwrap import shorten
from typing import Literal

import streamlit as st

from alexnet_core.runs.imports import IMPORTED
from alexnet_core.runs.listing import Summary
from app import run_words, words
from app.figures.overlay import MOST, SIGNS
from app.runs import compared, one_run
from app.runs.order import ORDERS, found, network_title, ordered
from app.sentences import plain

AT_A_TIME = 10
NOTE_SHOWN = 140
"""Letters of a note in the list."""
OPEN = "open"
"""In the address: the run whose row is open."""


def show(summaries: Sequence[Summary], chosen: Sequence[str]) -> None:
    """The list with its search."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search",
            key="runs_search",
            placeholder="Name, note, network, data, state",
            help="All words must occur somewhere in what is known about a run.",
            icon=":material/search:",
            persist_state="session",
        )
        order = st.selectbox(
            "Order",
            list(ORDERS),
            key="runs_order",
            format_func=lambda name: ORDERS[name][0],
            help="By test accuracy where there is one, else by validation accuracy.",
            persist_state="session",
            width=250,
        )
    listed = ordered(found(summaries, text), order)
    if not listed:
        st.info("No run holds all these words.", icon=":material/search_off:")
    shown = st.session_state.setdefault("runs_shown", AT_A_TIME)
    opened = st.query_params.get(OPEN)
    for place, one in enumerate(listed):
        # An open run is never hidden behind the end of the list.
        if place < shown or one.id == opened:
            _row(one, chosen, one.id == opened)
    left = len(listed) - shown
    if left > 0 and st.button(
        f"Show {min(left, AT_A_TIME)} more of {left}", icon=":material/expand_more:", help="The list goes on."
    ):
        st.session_state["runs_shown"] = shown + AT_A_TIME
        st.rerun()


def _row(one: Summary, chosen: Sequence[str], is_open: bool) -> None:
    with st.container(border=True, key=f"row-{one.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            is_compared = one.id in chosen
            st.session_state[compared.box(one.id)] = is_compared
            sign = f"{SIGNS[chosen.index(one.id)]} " if is_compared else ""
            st.checkbox(
                f"{sign}**{plain(one.title)}**",
                key=compared.box(one.id),
                help=f"Lay its curve over those of the others; at most {MOST}.",
                on_change=compared.switch,
                args=(one.id,),
                disabled=not is_compared and len(chosen) >= MOST,
                width="stretch",
            )
            look, icon, kind = _standing(one)
            st.badge(look, icon=icon, color=kind)
            if st.button(
                "Close" if is_open else "Details",
                key=f"open-{one.id}",
                icon=":material/expand_less:" if is_open else ":material/expand_more:",
                help="Name and note, start again, take home, delete.",
            ):
                _open(None if is_open else one.id)
        st.caption(said(one))
        if one.notes.note:
            st.caption(f":material/sticky_note_2: {plain(beginning(one.notes.note))}")
        if is_open:
            one_run.show(one)


def _standing(one: Summary) -> tuple[str, str, Literal["blue", "green", "orange", "red", "gray"]]:
    """Word, sign and colour: where it comes from, for what was not trained here, else how it stands."""
    if one.run.bundled:
        return "Comes with the program", ":material/inventory_2:", "gray"
    if one.config.data == IMPORTED:
        return "Imported", ":material/move_to_inbox:", "gray"
    return run_words.STANDING[one.state.status]


def said(one: Summary) -> str:
    """What the list says of a run in a line, as Markdown."""
    parts = []
    if one.test_top1 is not None:
        parts.append(f"**{words.percent(one.test_top1)}** of the test right")
    elif one.val_top1 is not None:
        parts.append(f"**{words.percent(one.val_top1)}** of the validation right")
    if one.epochs:
        parts.append(f"{one.epochs} of {one.config.settings.epochs} epochs")
    if one.seconds is not None:
        parts.append(words.duration(one.seconds))
    parts += [plain(network_title(one)), plain(one.config.data.title), plain(one.config.created[:16].replace("T", " "))]
    return " · ".join(parts)


def beginning(note: str) -> str:
    """As many whole words of a note as the list has room for; of a single endless one its first letters."""
    words_of_it = shorten(note, NOTE_SHOWN, placeholder=" …")
    return words_of_it if words_of_it != "…" else f"{note[:NOTE_SHOWN]}…"


def _open(run_id: str | None) -> None:
    if run_id is None:
        del st.query_params[OPEN]
    else:
        st.query_params[OPEN] = run_id
    st.rerun()
