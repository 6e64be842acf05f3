"""The second part of the page How sure is it: whether 90 % means nine of ten, over many pictures."""

import numpy as np
import streamlit as st

from alexnet_core.insight.calibration import Reliability
from app import words
from app.doubting import sureness
from app.doubting.sureness import Calibration
from app.figures.palette import NO_TOOLBAR
from app.figures.reliability import reliability_diagram
from app.sentences import plain
from app.session import Picture, SharedNetwork

SPLITS = {"test": "test", "val": "validation"}
OFTEN = {"mirrored": ", each seen in two views", "ten": ", each seen in ten views"}
WARM, COOL = 1.05, 0.95
"""Temperatures between which a network is about as sure as it should be."""


def show(shared: SharedNetwork, picture: Picture, choice: str) -> None:
    """The reliability diagram: of what the run wrote down, and after a press of the button with a temperature."""
    splits = sureness.splits(shared, choice)
    chart, beside = st.columns([3, 2], gap="large")
    with beside:
        if splits is None:
            st.info(
                "The data set of this network is not prepared on this computer: no temperature can be fitted. Prepare "
                "it on the page Train.",
                icon=":material/info:",
            )
        elif _wanted(shared):
            bar = st.empty()
            found = sureness.fitted(shared, *splits, lambda share: bar.progress(share, "Asking about many pictures"))
            bar.empty()
            _temperature(found, sureness.alone(shared, picture))
            with chart:
                _diagram(
                    {"as it is": found.before, f"divided by {found.temperature:.2f}": found.after},
                    f"Judged on {plain(found.judged_on)}.",
                )
            return
    recorded = sureness.recorded(choice)
    with chart:
        if recorded is None:
            st.caption("There is nothing to judge its probabilities by yet.")
            return
        _diagram(
            {"as it is": recorded.reliability},
            f"From the run's own last examination, on its {recorded.count:,} "
            f"{SPLITS.get(recorded.split, recorded.split)} pictures{OFTEN.get(recorded.views, '')}.",
        )
    with beside:
        _error("Calibration error", recorded.reliability)


def _wanted(shared: SharedNetwork) -> bool:
    """Whether a temperature was asked for; draws the button until it is."""
    asked: set[str] = st.session_state.setdefault("calibrated", set())
    place = st.empty()
    if shared.key not in asked and place.button(
        "Fit a temperature",
        icon=":material/thermostat:",
        help=f"Asks the network about up to {2 * sureness.PICTURES:,} pictures that it has not learned from; some "
        "seconds for a small network, a minute for a large one.",
    ):
        asked.add(shared.key)
        place.empty()
    return shared.key in asked


def _diagram(lines: dict[str, Reliability], source: str) -> None:
    st.plotly_chart(
        reliability_diagram([(name, found.probability, found.accuracy, found.counts) for name, found in lines.items()]),
        config=NO_TOOLBAR,
        key="reliability",
        alt="How often answers of each certainty are right. "
        + "; ".join(f"calibration error {name}: {words.percent(found.error)}" for name, found in lines.items())
        + ".",
    )
    st.caption(
        f"{source} Answers are gathered by how sure they are; larger marks hold more of them. Below the dashed line "
        "the network is too sure of itself, above it not sure enough."
    )


def _error(label: str, found: Reliability) -> None:
    st.metric(
        label,
        words.percent(found.error),
        help="The expected calibration error: the mean gap between what it says and how often it is right, over all "
        "answers.",
    )


def _temperature(found: Calibration, alone: np.ndarray) -> None:
    st.metric(
        "Temperature",
        f"{found.temperature:.2f}",
        help="All logits, the scores of the classes, are divided by it before they become probabilities. No answer "
        "changes, only how sure it is.",
    )
    _error("Calibration error, as it is", found.before)
    _error("Calibration error, with the temperature", found.after)
    if found.temperature > WARM:
        text = "Above 1: the network was **too sure** of itself, and dividing makes it less sure."
    elif found.temperature < COOL:
        text = "Below 1: the network was **not sure enough**, as after training with smoothed labels or much dropout."
    else:
        text = "Near 1: the network is **about as sure as it should be**."
    st.markdown(text)
    if found.after.error > found.before.error:
        st.markdown(
            "On the pictures that it is judged on it **did not help**: where they are few, or the network was nearly "
            "as sure as it should be, chance is larger than what is to be mended."
        )
    mended = float(sureness.tempered(alone, found.temperature).max())
    st.markdown(f"For the present picture, {words.percent(float(alone.max()))} becomes **{words.percent(mended)}**.")
    st.caption(
        f"Fitted on {plain(found.fitted_on)}: the one number that makes their true classes most probable. Judged on "
        "others. *Guo et al. 2017, arXiv:1706.04599*"
    )
