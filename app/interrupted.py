"""Runs that were training when the machine or their process died, and the one button with which they go on."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from alexnet_core.runs import launcher
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.listing import list_runs
from app import run_words

LEFT = "interrupted_left"
"""In the session: the ids of the runs that a person wants to leave as they are for now."""


def found() -> list[RunDirectory]:
    """All of them, the oldest first."""
    return [run for run in reversed(list_runs()) if not run.bundled and run.state().status == "interrupted"]


def show(place: DeltaGenerator, watched: str | None = None) -> None:
    """Say which there are, and let all go on at one click; nothing where there is none but the run `watched`, whose
    own page has a button."""
    runs = found()
    left: set[str] = st.session_state.setdefault(LEFT, set())
    if {run.id for run in runs} <= left | {watched}:
        return
    with place.container(border=True):
        st.markdown(f":material/power_off: {run_words.interrupted([run.title() for run in runs])}")
        with st.container(horizontal=True):
            if st.button(
                run_words.go_on(len(runs)),
                key="go_on",
                type="primary",
                icon=":material/play_arrow:",
                help=run_words.GO_ON,
            ):
                for run in runs:
                    launcher.resume(run)
                st.switch_page("views/train.py", query_params={"run": runs[0].id})
            if st.button("Not now", key="leave", type="tertiary", help="They stay in the list on the page Train."):
                left.update(run.id for run in runs)
                st.rerun()
