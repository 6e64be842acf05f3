"""Which labels a finished network doubts, remembered for all sessions."""

from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st

from alexnet_core.insight.gallery import Gallery
from alexnet_core.insight.suspicious_labels import Suspect, held_out, looking, suspects
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.listing import list_runs
from app.datasets import is_collected
from app.doctor.patients import Patient, all_rows
from app.session import SharedNetwork
from app.store import Store
from app.unfinished import going_on
from app.words import distinct

KEPT = "label"
"""What a picture is suspected of whose label is doubted, as corrections name it."""


def fitting_runs(patient: Patient) -> dict[str, str]:
    """The title of each run that learned from this set, corrected or not, and has a network, by its id."""
    prepared, fitting = patient.prepared, {}
    # A collection may have grown since a network learned from it: then only the end of the folder's name differs.
    name = prepared.directory.name
    beginning = name.rpartition("-")[0] if is_collected(patient.source) else name
    for run in list_runs():
        data = run.config().data
        same = data.identity == prepared.identity or Path(data.directory).name.startswith(beginning)
        if same and run.latest_network_path() is not None:
            fitting[run.id] = run.title()
    return distinct(fitting)


def again(run_id: str) -> RunDirectory:
    """The run that is to be repeated."""
    return RunDirectory.find(run_id)


@st.cache_resource
def _looked() -> Store:
    """Up to 1 kB a picture each."""
    return Store(3)


@st.cache_resource
def _doubted() -> Store:
    return Store(16)


def known(shared: SharedNetwork, patient: Patient) -> bool:
    """Whether the network has seen the pictures already."""
    return _looked().known((shared.key, patient.prepared.identity)) is not None


def doubted(shared: SharedNetwork, patient: Patient, progress: Callable[[float], object]) -> list[Suspect]:
    """The suspects among all pictures that are still in the set, with the classes they have by now; rows are those of
    the set as it came, classes those of the set."""
    features = _looked().get((shared.key, patient.prepared.identity), lambda: _features(shared, patient, progress))
    key = (shared.key, patient.prepared.identity, patient.corrections.key)
    found: list[Suspect] = _doubted().get(key, lambda: _suspects(patient, features))
    kept = patient.corrections.kept(KEPT)
    names = {row: file for file, row in patient.rows.items()}
    return [one for one in found if names[one.row] not in kept]


def _features(shared: SharedNetwork, patient: Patient, progress: Callable[[float], object]) -> np.ndarray:
    prepared = patient.prepared
    images = all_rows(prepared)
    gallery = Gallery(prepared.identity, prepared.title, images, None, list(patient.rows))
    steps = going_on(("looking", shared.lock, prepared.identity), lambda: looking(shared.network, gallery))
    features: np.ndarray | None = None
    while features is None:
        with shared.lock:  # for one batch: others may look at theirs in between
            step = next(steps)
        features = step.features
        if features is None:  # after the last step, which comes once, nothing that may end this run of the page
            progress(step.done / step.total)
    deque(steps, maxlen=0)  # to its end: nothing of it is kept
    return features


def _suspects(patient: Patient, features: np.ndarray) -> list[Suspect]:
    found = patient.findings
    rows = np.array([patient.rows[file] for file in found.files])
    doubtful = suspects(held_out(features[rows], found.labels, len(found.classes)), found.labels)
    return [Suspect(int(rows[one.row]), one.label, one.likely, one.probability, one.of_label) for one in doubtful]
