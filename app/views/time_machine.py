"""The time machine: a training, moment by moment, on one slider."""

import streamlit as st

from app.choices import choose_network, choose_picture
from app.inside import playing

st.title("Time machine")
left, right = st.columns([3, 2], gap="large")
with left:
    shared = choose_network()
    choice = st.session_state["run"]
    past = playing.choose_history(choice)
with right:
    picture = choose_picture(shared.network)
with left:
    watched = playing.choose_watched(past, shared, picture, choice)
playing.show(past, shared, watched)
