"""After a training: the labels that the network doubts, each with what to do about it, and a training without them."""

import streamlit as st

from alexnet_core.data.corrections import corrected
from alexnet_core.errors import ExplorerError
from alexnet_core.insight.suspicious_labels import Suspect
from alexnet_core.runs import launcher
from app import session, words
from app.doctor import acting, suspects
from app.doctor.patients import Patient
from app.figures.mosaic import mosaic
from app.sentences import plain
from app.unfinished import offer_stop

ROWS, COLUMNS = 2, 4
"""Suspects shown at a time: as many as one looks at before the next click."""


def show(patient: Patient) -> None:
    """The run that judges, its suspects, and the way to a new run."""
    st.subheader("Suspicious labels", anchor=False)
    runs = suspects.fitting_runs(patient)
    if not runs:
        st.info(
            "Once a network has learned from these pictures, it can say which labels it doubts.",
            icon=":material/model_training:",
        )
        if st.button("Train a network on them", help="Opens the page Train with this data set."):
            acting.to_training(patient)
        return
    run_id = st.selectbox(
        "Judged by",
        list(runs),
        format_func=runs.__getitem__,
        key=f"judge-{patient.prepared.identity[:8]}",
        help="A run that learned from this data set. A better network doubts less and is right more often.",
        persist_state="session",
    )
    shared = session.load(run_id)
    asked: set[tuple[str, str]] = st.session_state.setdefault("suspects_wanted", set())
    question = (shared.key, patient.prepared.identity)
    place = st.empty()
    if question not in asked and not suspects.known(shared, patient):
        if not place.button(
            "Look for suspicious labels",
            icon=":material/policy:",
            help="Every picture passes the network once: a few seconds for a thousand small pictures.",
        ):
            return
        place.empty()
    asked.add(question)  # at once: a click elsewhere on the page lets it go on
    bar, stop = st.empty(), st.empty()
    if not suspects.known(shared, patient):
        with stop:
            offer_stop(asked, question, "stop_looking", "seen")
    try:
        found = suspects.doubted(shared, patient, lambda share: bar.progress(share, "Letting all pictures pass"))
    except ExplorerError:  # it does not come again by itself
        asked.discard(question)
        raise
    bar.empty()
    stop.empty()
    _verdict(patient, found)
    shown = found[: ROWS * COLUMNS]
    for first in range(0, len(shown), COLUMNS):
        for column, one in zip(st.columns(COLUMNS, gap="medium"), shown[first : first + COLUMNS], strict=False):
            with column:
                _suspect(patient, one)
    if len(found) > len(shown):
        st.caption(f"The {len(shown)} most suspicious of {len(found):,}; others come up as these are dealt with.")
    if patient.corrections.changes:
        _train_again(patient, run_id)


def _verdict(patient: Patient, found: list[Suspect]) -> None:
    total = len(patient.findings.files)
    if not found:
        st.success(f"No label among {total:,} pictures is doubted.", icon=":material/check_circle:")
        return
    count = "One label is" if len(found) == 1 else f"{len(found):,} labels are"
    st.markdown(
        f"{count} **suspicious, not wrong** ({words.percent(len(found) / total)} of the pictures). A rare view is "
        "doubted like a mistake, and only you can tell them apart.",
        help="Confident learning (Northcutt et al. 2021): another class gets as much as its own pictures usually get, "
        "or more than the label. "
        "Each picture is judged by a classifier on the network's last hidden layer that has learned from all pictures "
        "but this one, for what a network knows by heart it does not doubt.",
    )


def _suspect(patient: Patient, one: Suspect) -> None:
    classes = patient.findings.classes
    file = next(file for file, row in patient.rows.items() if row == one.row)
    label, likely = classes[one.label], classes[one.likely]
    st.image(
        mosaic(patient.images[[one.row]], 1, 192),
        width="content",
        alt=f"A picture labelled {label} that the network takes for {likely}.",
    )
    st.markdown(
        f"Labelled **{plain(label)}** ({words.percent(one.of_label)}), looks like **{plain(likely)}** "
        f"({words.percent(one.probability)})"
    )
    st.caption(plain(file))
    acting.button("Keep the label", patient, "keep", {file: suspects.KEPT}, f"label-{one.row}", width="stretch")
    acting.button(f"It is {plain(likely)}", patient, "relabel", {file: likely}, f"label-{one.row}", width="stretch")
    acting.button("Leave it out", patient, "drop", {file: ""}, f"label-{one.row}", width="stretch")


def _train_again(patient: Patient, run_id: str) -> None:
    if not st.button(
        "Train again with the corrections",
        type="primary",
        icon=":material/restart_alt:",
        help="A new run with the same settings on the corrected set; the page Runs compares the two.",
    ):
        return
    bar = st.empty()
    data = corrected(patient.prepared, lambda *at: bar.progress(*words.progress(*at)))
    old = suspects.again(run_id).config()
    run = launcher.start(old.settings, data, processes=old.processes)
    st.switch_page("views/train.py", query_params={"run": run.id})
