"""Neighbours: which pictures a network finds alike, from the pixels to the last hidden layer."""

import streamlit as st

from app.choices import choose_network
from app.inside import neighbours
from app.inside.whose_neighbours import choose_question
from app.sentences import plain

st.title("Neighbours")
left, right = st.columns([3, 7], gap="large")
with left:
    shared = choose_network()
    choice = st.session_state["run"]
    question = choose_question(shared, choice)
    st.image(question.image, caption=plain(question.title), width=280, alt="The picture whose neighbours are shown.")
with right:
    st.subheader("What it looks like, from colour to content")
    gallery = neighbours.searched(choice, shared.network)
    index = neighbours.choose_index(shared, gallery)
    found = neighbours.found(shared, question, gallery, index)
    neighbours.show_depths(shared.network, question, gallery, found.near)
    st.caption(neighbours.what_stands_there(index, gallery, question))
    with st.expander("How distances are measured", icon=":material/straighten:"):
        st.markdown(neighbours.measured(index))
with left:
    st.subheader("How many are of its class")
    neighbours.show_shares(shared.network, question, gallery, found.near)

st.subheader("The last hidden layer as a plane")
neighbours.show_plane(shared, question, gallery, index, found.place)
