"""The first part of the page How sure is it: the present picture, asked about many times."""

import streamlit as st

from alexnet_core.insight.certainty import Spread
from app import words
from app.doubting import sureness
from app.figures.mosaic import mosaic
from app.figures.palette import NO_TOOLBAR
from app.figures.spread import spread
from app.sentences import plain
from app.session import Picture, SharedNetwork

CLASSES = 4
"""Rows of the figure."""


def show_crops(shared: SharedNetwork, picture: Picture) -> None:
    """The answers to several cuts of the picture."""
    cut, answers = sureness.crops(shared, picture)
    _figure(shared, picture, answers, "crops")
    _says(shared, answers, "cuts")
    mirrored = len(cut) > 5
    with st.expander(f"The {'ten' if mirrored else 'five'} cuts", icon=":material/crop:"):
        st.image(
            mosaic(cut, 5, 120),
            width="stretch",
            alt="The four corners and the middle of the picture"
            + (", and below them their mirror images." if mirrored else "."),
        )
    st.caption(
        f"Four corners{', the middle, and all five mirrored' if mirrored else ' and the middle'}: to a person the same "
        "picture. The 2012 paper (section 4.1) answers with the mean of ten, mirrored ones among them, which is right "
        "more often than one look. Dots far apart: the answer hangs on where one cuts."
    )


def show_samples(shared: SharedNetwork, picture: Picture) -> None:
    """The answers of the network with other units switched off each time."""
    answers = sureness.samples(shared, picture)
    if answers is None:
        st.info(
            f"{shared.network.title} has no dropout, the layer that switches off units at random, so it has only one "
            "answer. Choose a network with dropout, such as AlexNet.",
            icon=":material/info:",
        )
        return
    _figure(shared, picture, answers, "samples")
    _says(shared, answers, "samples")
    st.caption(
        f"{len(answers.probabilities)} times, dropout switches off other units of the linear layers, as it does during "
        "training. Where all these networks agree, the answer hangs on many units; where they quarrel, on a few. "
        "*Gal and Ghahramani 2016, arXiv:1506.02142*"
    )


def _figure(shared: SharedNetwork, picture: Picture, answers: Spread, key: str) -> None:
    alone = sureness.alone(shared, picture)
    shown = answers.mean.argsort()[::-1][:CLASSES].tolist()
    names = [shared.network.classes[index] for index in shown]
    st.plotly_chart(
        spread(names, answers.probabilities[:, shown], alone[shown].tolist()),
        config=NO_TOOLBAR,
        key=f"spread-{key}",
        alt=f"The probabilities of {', '.join(names)} in {len(answers.probabilities)} answers.",
    )


def _says(shared: SharedNetwork, answers: Spread, what: str) -> None:
    best = int(answers.mean.argmax())
    low, high = answers.range(best)
    st.markdown(
        f"**{plain(shared.network.classes[best])}** comes first in {words.percent(answers.agreement)} of the {what}; "
        f"nine tenths of its probabilities lie between {words.percent(low)} and {words.percent(high)}."
    )
