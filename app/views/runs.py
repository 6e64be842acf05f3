"""Runs: all of them, their curves over each other, and the ways out and in."""

import streamlit as st

from alexnet_core.runs.listing import summaries
from app.runs import bring_in, compared, overlay_panel, rows, trash_panel

st.title("Runs")
runs = summaries()
trash_panel.undo()
if not runs:
    st.info("There is no run on this computer yet. The first takes a minute or two.", icon=":material/info:")
    if st.button("Train a network", type="primary", icon=":material/model_training:", help="Opens the page Train."):
        st.switch_page("views/train.py")
else:
    chosen = compared.choose(runs)
    overlay_panel.show(runs, chosen)
    st.subheader("All runs")
    rows.show(runs, chosen)
bring_in.show()
trash_panel.show()
