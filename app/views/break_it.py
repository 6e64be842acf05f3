"""Break it: how much worse may a picture get, and how little is enough to fool the network on purpose?"""

import streamlit as st

from app.choices import choose_network, choose_picture
from app.doubting import attack_panel, distortion_panel

WAYS = {
    "distort": ":material/blur_on: Make it worse",
    "attack": ":material/bolt: Attack it",
}

st.title("Break it")
left, right = st.columns(2, gap="large")
with left:
    shared = choose_network()
    way = st.segmented_control(
        "How",
        list(WAYS),
        default="distort",
        required=True,
        format_func=WAYS.__getitem__,
        key="way_to_break",
        help=(
            "Worse as a camera, a file or a hand in the picture makes it; or changed on purpose, so little that nobody "
            "sees it."
        ),
        persist_state="session",
    )
with right:
    picture = choose_picture(shared.network)
panels = {"distort": distortion_panel.show, "attack": attack_panel.show}
panels[way](shared, picture)
