"""Train: a new run, or one to watch."""

import streamlit as st

from alexnet_core.runs.states import LIVE
from app import interrupted, session
from app.run_words import run_title
from app.training import linked_settings, new_run, watch_run

st.title("Train")
linked_settings.take()
runs = session.runs()
live = next((run_id for run_id, (_, status) in runs.items() if status in LIVE), session.NEW)
choice = session.from_address("run", [session.NEW, *runs], live, announce=True)
st.selectbox(
    "Run",
    [session.NEW, *runs],
    key="run",
    format_func=lambda run_id: "Start a new run" if run_id == session.NEW else run_title(*runs[run_id]),
    help="Runs are processes of their own: they go on when this page is closed. The address names the run you look at.",
    on_change=session.to_address,
    args=("run",),
    persist_state="session",
)
if choice == session.NEW or runs[choice][1] == "interrupted":
    interrupted.show(st.container(), watched=choice)
if choice == session.NEW:
    new_run.show()
else:
    watch_run.show(choice)
