"""Where to go from a data set: to the data doctor, to a training."""

import streamlit as st

from alexnet_core.data.album import Album
from alexnet_core.data.journal import Contents
from app.collecting.chosen import missing


def show(album: Album, now: Contents) -> None:
    """Two buttons, and what a training still needs."""
    lacking = missing(now)
    with st.container(horizontal=True):
        if st.button(
            "Train on these",
            key="train_on_these",
            type="primary",
            icon=":material/model_training:",
            disabled=lacking is not None,
            help=lacking or "Opens the page Train with this data set chosen.",
        ):
            st.session_state["new_data"] = album.id
            st.switch_page("views/train.py", query_params={"run": "new"})
        if st.button(
            "Look it over",
            key="look_it_over",
            icon=":material/stethoscope:",
            disabled=not now.pictures,
            help="Opens the data doctor: copies, pictures in two classes, tiny and blurred ones, imbalance.",
        ):
            st.switch_page("views/doctor.py", query_params={"data": album.id})
    if lacking:
        st.caption(lacking)
