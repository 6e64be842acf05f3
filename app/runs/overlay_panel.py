"""The curves of the compared runs, and what differs between them."""

from collections.abc import Sequence

import streamlit as st

from alexnet_core.runs.listing import Summary
from alexnet_core.runs.states import LIVE
from app.figures.overlay import SIGNS, overlay
from app.figures.palette import NO_TOOLBAR
from app.runs import compared
from app.runs.differences import differences
from app.sentences import sentences_for_people

TICK = 2.0
"""Seconds between two looks at runs that go on."""
SMOOTHING = {0.0: "None", 0.6: "Some", 0.9: "Strong"}
"""The share of the running mean that is kept at each point."""


def show(summaries: Sequence[Summary], chosen: Sequence[str]) -> None:
    """The chart with its choices, and the table of differences."""
    if not chosen:
        st.info(
            "Tick runs in the list below to lay their curves over each other.", icon=":material/stacked_line_chart:"
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = st.selectbox(
            "Curve",
            list(compared.MEASURES),
            key="overlay_measure",
            format_func=lambda name: compared.MEASURES[name].title,
            help="What is drawn. Validation is measured after each epoch, the training loss many times in one.",
            persist_state="session",
            width=230,
        )
        axis = st.segmented_control(
            "Along",
            list(compared.AXES),
            default="epoch",
            required=True,
            format_func=lambda name: compared.AXES[name][0],
            key="overlay_axis",
            help="Epochs compare what was seen, steps what was computed, time what was waited for (without pauses).",
            persist_state="session",
        )
        smoothing = st.segmented_control(
            "Smoothed line beside the raw one",
            list(SMOOTHING),
            default=0.0,
            required=True,
            format_func=SMOOTHING.__getitem__,
            key="overlay_smoothing",
            help="A running mean. The raw values stay visible: a smooth curve alone can hide that a run is shaky.",
            persist_state="session",
        )
    by_id = {one.id: one for one in summaries}
    live = any(by_id[run_id].state.status in LIVE for run_id in chosen)
    # The timer lives in the browser; without a time it is off.
    st.fragment(_chart, run_every=TICK if live else None)(summaries, chosen, measure, axis, smoothing)
    table = differences([by_id[run_id] for run_id in chosen])
    with st.expander("What differs between them", icon=":material/difference:", expanded=len(chosen) > 1):
        if len(chosen) < 2:
            st.caption("Tick a second run to see how their settings differ.")
            return
        heads = [compared.legend(by_id[run_id], SIGNS[place]) for place, run_id in enumerate(chosen)]
        # No two heads are alike, for each begins with the sign of its run.
        columns = {head: [row[place] for row in table.values()] for place, head in enumerate(heads)}
        st.table({"": list(table), **columns}, border="horizontal")
        st.caption("Results first, then only those settings in which they are not all alike.")


def _chart(summaries: Sequence[Summary], chosen: Sequence[str], measure: str, axis: str, smoothing: float) -> None:
    """The curves as they are now."""
    with sentences_for_people():
        about = compared.MEASURES[measure]
        courses = compared.courses(summaries, chosen, measure, axis)
        if not courses:
            st.info("The chosen runs have no such curve: they have not got so far, or came in as a file.")
            return
        st.plotly_chart(
            overlay(courses, about.title, compared.AXES[axis][1], about.percent, smoothing),
            key="overlay",
            config=NO_TOOLBAR,
            alt=f"{about.title} of {len(courses)} runs over the {compared.AXES[axis][1]}.",
        )
        st.caption(f"{about.about} Each run has a colour, a dash and a sign. Click a name in the legend to hide it.")
        was_live = [one for one in summaries if one.id in chosen and one.state.status in LIVE]
        if any(one.run.state().status != one.state.status for one in was_live):
            st.rerun()
