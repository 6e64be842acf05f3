"""The first look at a data set: pictures of every class, how many there are, and what the doctor says of it all."""

import numpy as np
import streamlit as st

from alexnet_core.data.doctor import Findings
from alexnet_core.data.prepared import PreparedSet
from app.doctor import acting
from app.doctor.patients import Patient
from app.figures.balance import class_balance
from app.figures.mosaic import mosaic
from app.figures.palette import NO_TOOLBAR
from app.sentences import plain

COLUMNS, MOST_CLASSES = 12, 12
"""Thumbnails of a class, and classes shown."""
UNEVEN = 1.5
"""The largest class over the smallest, from which on a balance is offered."""


def pictures(prepared: PreparedSet) -> None:
    """The first training pictures of every class, as they came: there before anything is examined."""
    labels, images = prepared.labels("train"), prepared.images("train")
    counts = np.sum([prepared.class_counts(split) for split in prepared.splits], axis=0)
    for label, name in enumerate(prepared.classes[:MOST_CLASSES]):
        rows = np.flatnonzero(labels == label)[:COLUMNS]
        if not len(rows):
            continue
        with st.container(gap="xxsmall"):
            st.caption(f"**{plain(name)}** · {counts[label]:,}")
            st.image(
                mosaic(images[rows], COLUMNS, 64),
                width="stretch",
                alt=f"The first {len(rows)} training pictures of {name}.",
            )
    if len(prepared.classes) > MOST_CLASSES:
        st.caption(f"And {len(prepared.classes) - MOST_CLASSES:,} more classes.")


def verdict(patient: Patient) -> None:
    """What the doctor says of it all, the balance, and what can be done about that."""
    found = patient.findings
    _verdict(found)
    st.plotly_chart(
        class_balance(found.classes, found.counts("train")),
        key="doctor_balance",
        config=NO_TOOLBAR,
        alt=f"Training pictures of each of the {len(found.classes)} classes.",
    )
    st.caption(_counts(found))
    if found.imbalance >= UNEVEN:
        _offer_balance(patient)


def _verdict(found: Findings) -> None:
    kinds = {
        "in more than one copy": len(found.groups),
        "blurred": len(found.blurred),
        "tiny": len(found.tiny),
        "very long": len(found.stretched),
        "that cannot be used": len(found.broken),
    }
    named = [f"{count:,} {kind}" for kind, count in kinds.items() if count]
    if named:
        st.warning(
            f"{len(found.files):,} pictures examined. Worth a look: {', '.join(named)}.", icon=":material/search:"
        )
    else:
        st.success(f"{len(found.files):,} pictures examined, nothing found.", icon=":material/check_circle:")


def _counts(found: Findings) -> str:
    names = {"train": "to train on", "val": "to validate on", "test": "for the test"}
    counts = ", ".join(f"{sum(found.counts(split)):,} {name}" for split, name in names.items() if split in found.splits)
    return f"Training pictures of each class. In all {counts}."


def _offer_balance(patient: Patient) -> None:
    found = patient.findings
    counts = found.counts("train")
    large, small = int(np.argmax(counts)), min((c, n) for n, c in enumerate(counts) if c)[1]
    st.info(
        f"**{plain(found.classes[large])}** has {found.imbalance:.1f} times as many pictures as "
        f"**{plain(found.classes[small])}**. A network can be right often by guessing the large class.",
        icon=":material/balance:",
    )
    with st.container(horizontal=True):
        if st.button(
            "Train, rare classes count for more",
            icon=":material/fitness_center:",
            help="A mistake in a rare class weighs more in the loss. No picture is shown more often.",
        ):
            acting.to_training(patient, balance="loss")
        if st.button(
            "Train, classes equally often",
            icon=":material/shuffle:",
            help="Pictures of rare classes come again in each epoch, changed anew each time.",
        ):
            acting.to_training(patient, balance="sampling")
