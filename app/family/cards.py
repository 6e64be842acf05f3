"""The ideas on cards: a drawing, what changed, and which weakness of AlexNet that answers."""

import streamlit as st

from alexnet_core.models import MODELS
from alexnet_core.models.family import IDEAS, Idea
from app.figures.idea_drawings import drawing, in_words
from app.sentences import plain


def show() -> None:
    """All cards, in the order of their papers."""
    with st.grid(3, min_column_width=290, border=True):
        for key, idea in IDEAS.items():
            with st.container():
                st.markdown(f"#### {plain(idea.title)}, {idea.year}")
                st.image(drawing(key), width="stretch", alt=in_words(key))
                st.markdown(f"**What it changed.** {plain(idea.changed)}")
                weakness = "What it answers." if idea.parents else "Where it began."
                st.markdown(f"**{weakness}** {plain(idea.answers)}")
                st.caption(f"{plain(idea.paper)}. Here: {plain(_networks(idea))}.")
    st.caption(
        "Blue: filters that look at places. Orange: what mixes maps. Green: what is done to maps otherwise. A picture "
        "comes in from below."
    )


def _networks(idea: Idea) -> str:
    return ", ".join(MODELS[name].title for name in idea.networks)
