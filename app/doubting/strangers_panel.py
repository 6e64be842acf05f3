"""The third part of the page How sure is it: pictures that show nothing the network knows."""

import streamlit as st

from app import words
from app.answers import SHOWN_SIDE
from app.doubting import sureness
from app.sentences import plain
from app.session import SharedNetwork


def show(shared: SharedNetwork) -> None:
    """A card a picture with the answer and its probability, and what they teach."""
    found = sureness.strange(shared)
    grid = st.grid(6, min_column_width=150)
    for one in found:
        with grid.cell(), st.container(border=True, height="stretch"):
            st.image(
                one.picture.resize((SHOWN_SIDE, SHOWN_SIDE), resample=0),
                width="stretch",
                alt=f"{one.title}, as the network sees it.",
            )
            st.markdown(f"**{plain(one.title)}**")
            st.progress(one.probability, text=words.answer(one.answer, one.probability))
    surest = max(found, key=lambda one: one.probability)
    classes = len(shared.network.classes)
    st.markdown(
        f"It has to choose among its {classes:,} classes, and the probabilities add up to 100 % whatever it sees: "
        f"there is no “none of these”. “{plain(surest.title)}” is **{plain(surest.answer)}** to it, with "
        f"{words.percent(surest.probability)}; an open mind would say {words.percent(1 / classes)}. A high probability "
        "says which of the classes fits best, not that any fits. A photograph may of course show one of them after "
        "all: judge for yourself."
    )
    st.caption(
        "The largest probability is still a first hint that a picture belongs to none of the classes, for on the whole "
        "it is lower there. *Hendrycks and Gimpel 2017, arXiv:1610.02136*"
    )
