"""Transferability: how many of a network's layers are of use for classes that it has never seen."""

import streamlit as st

from app.transferring import study

st.title("How transferable is each layer?")
st.markdown(
    "The first filters of all networks look alike, whatever they have learned; the last layers know only their own "
    "classes. Where does the one become the other? Copy the first layers of a network into another one, and see."
)
asked = study.choose()
if asked is None:
    study.show_plan()
    study.ask()
else:
    study.show(asked)
    with st.expander("What was copied", icon=":material/layers:"):
        study.show_plan()
