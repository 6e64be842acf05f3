"""Predict and explain: what a network says about a picture, and many ways to ask why, side by side."""

import streamlit as st

from app import answers, words
from app.choices import choose_network, choose_picture, show_square
from app.explaining import compare, map_grid, map_look, one_map
from app.sentences import plain

st.title("Predict and explain")
left, right = st.columns([1, 2], gap="large")
with right:
    shared = choose_network()
with left:
    picture = choose_picture(shared.network)
with right:
    found = answers.top(shared, picture)
with left:
    show_square(shared.network, picture)
with right:
    st.subheader(f"It says {plain(found[0].name)}")
    for one in found:
        st.progress(one.probability, text=words.answer(one.name, one.probability))
    st.caption(
        f"The {len(found)} most probable of {len(shared.network.classes):,} classes. The probabilities of all "
        "classes add up to 100 %, also for a picture that shows none of them."
    )

st.subheader("Why?")
way, questions = compare.choose(st.session_state["run"], shared, picture, [one.index for one in found])
row = st.container(horizontal=True)
with row:
    look = map_look.choose()
maps = map_grid.show(questions, look, way, row)

if maps:
    st.subheader("One map in full")
    st.fragment(one_map.show)(maps, found, look)
