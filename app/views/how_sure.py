"""How sure is it: one picture asked about many times, many pictures asked about once, and pictures of nothing."""

import streamlit as st

from app import answers, words
from app.choices import choose_network, choose_picture, show_square
from app.doubting import calibration_panel, spread_panel, strangers_panel
from app.sentences import plain

WAYS = {"crops": ":material/crop: Cuts", "samples": ":material/blur_circular: Dropout"}

st.title("How sure is it")
left, right = st.columns([1, 2], gap="large")
with right:
    shared = choose_network()
with left:
    picture = choose_picture(shared.network)
    show_square(shared.network, picture)
with right:
    first = answers.top(shared, picture)[0]
    st.subheader(f"It says {plain(first.name)}, with {plain(words.percent(first.probability))}")
    way = st.segmented_control(
        "Ask many times",
        list(WAYS),
        default="crops",
        required=True,
        format_func=WAYS.__getitem__,
        key="way_to_ask",
        help="Each time the picture or the network differs a little. The spread shows what one answer hides.",
        persist_state="session",
    )
    panels = {"crops": spread_panel.show_crops, "samples": spread_panel.show_samples}
    panels[way](shared, picture)

st.subheader("Is 90 % nine of ten?")
calibration_panel.show(shared, picture, st.session_state["run"])

st.subheader("And if it is none of them?")
strangers_panel.show(shared)
