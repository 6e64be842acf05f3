"""Train: a new run, or one to watch."""

import streamlit as st

from alexnet_core.runs.states import LIVE
from app import address, interrupted, session
from app.choices import choose_in_address
from app.run_words import run_title
from app.training import linked_settings, new_run, watch_run

st.title("Train")
linked_settings.take()
runs = session.runs()
live = next((run_id for run_id, (_, status) in runs.items() if status in LIVE), address.NEW)
choice = choose_in_address(
    "Run",
    "run",
    {address.NEW: "Start a new run"} | {run_id: run_title(*run) for run_id, run in runs.items()},
    live,
    "Runs are processes of their own: they go on when this page is closed. The address names the run you look at.",
    announce=True,
)
if choice == address.NEW or runs[choice][1] == "interrupted":
    interrupted.show(st.container(), watched=choice)
if choice == address.NEW:
    new_run.show()
else:
    watch_run.show(choice)
