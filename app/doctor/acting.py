"""What a person does about findings: every action is written down, and can be undone."""

from collections.abc import Mapping

import streamlit as st

from alexnet_core.data import corrections
from alexnet_core.data.album import find
from alexnet_core.data.collecting import picture_behind
from alexnet_core.data.corrections import Corrections, Kind
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.recipes import TRANSFER
from app import address
from app.datasets import is_collected
from app.doctor.patients import Patient
from app.sentences import plain
from app.training import run_settings

DONE: dict[Kind, str] = {
    "drop": "left out",
    "relabel": "given another class",
    "split": "moved to another split",
    "keep": "kept as they are",
}


HELP: dict[Kind, str] = {
    "drop": "Trainings go without them from now on; your own files stay.",
    "relabel": "Trainings take them for this class from now on; your own files stay.",
    "split": "Trainings learn from, validate on and test with them as divided then.",
    "keep": "They stay in the set and are not shown here again.",
}


def act(patient: Patient, kind: Kind, files: Mapping[str, str]) -> None:
    """Do it, and look at the page anew."""
    st.toast(f"{_of(len(files))} {DONE[kind]}. The top of the page can undo it.", icon=":material/undo:")
    _keep(patient, patient.corrections.then(kind, files))


def button(label: str, patient: Patient, kind: Kind, files: Mapping[str, str], key: str, **about: str) -> None:
    """A button that does it, with HELP unless `about` says more of it. Its `key` is the finding's, so that the next
    finding in its place gets another one."""
    icons = {"drop": "delete", "relabel": "label", "split": "call_merge", "keep": "check"}
    if st.button(label, key=f"{kind}-{key}", icon=f":material/{icons[kind]}:", **{"help": HELP[kind], **about}):
        act(patient, kind, files)


def show(patient: Patient) -> None:
    """What was done so far, the way back, and the way on."""
    done = patient.corrections
    if not done.actions:
        return
    last = done.actions[-1]
    counts = [
        f"{len(done.dropped):,} left out" if done.dropped else "",
        f"{len(done.relabelled):,} with another class" if done.relabelled else "",
        f"{len(done.moved):,} in another split" if done.moved else "",
    ]
    said = ", ".join(filter(None, counts)) or "nothing changed, some found to be in order"
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/healing: **Your corrections:** {said}. Your own files stay as they are.")
        if st.button(
            "Undo the last",
            key=f"undo-{len(done.actions)}-{hash((last.kind, *last.files))}",  # never what another window did meanwhile
            icon=":material/undo:",
            help=f"{_of(len(last.files))} {DONE[last.kind]}, such as {plain(next(iter(last.files)))}.",
        ):
            _keep(patient, done.undone())
        can_be_carried_out = is_collected(patient.source) and bool(done.dropped or done.relabelled)
        if can_be_carried_out and st.button(
            "Carry out in Your pictures",
            icon=":material/done_all:",
            help="Removes what is left out from the data set on the page Your pictures, and puts pictures into their "
            "new classes there. That page can undo it, too.",
        ):
            _carry_out(patient)
        if done.changes and st.button(
            "Train with them",
            icon=":material/model_training:",
            type="primary",
            help="Opens the page Train with this data set; from now on, trainings use it as you corrected it.",
        ):
            to_training(patient)


def _carry_out(patient: Patient) -> None:
    """Do in the collection itself what the corrections say; what it has no word for stays with them."""
    album, done = find(patient.source), patient.corrections
    now = album.contents()
    behind = {file: picture_behind(now, file) for file in (*done.dropped, *done.relabelled)}
    gone = [picture.key for file in sorted(done.dropped) if (picture := behind[file])]
    if gone:
        album.remove(gone)
    number_of = {name: class_id for class_id, name in now.classes.items()}
    for name in sorted(set(done.relabelled.values()) & set(number_of)):
        files = [file for file, wanted in done.relabelled.items() if wanted == name and file not in done.dropped]
        moved = [picture.key for file in files if (picture := behind[file])]
        if moved:
            album.move(moved, number_of[name])
    kept = Corrections(tuple(action for action in done.actions if action.kind in ("split", "keep")))
    waiting = {
        file: name
        for file, name in done.relabelled.items()
        if name not in number_of and file not in done.dropped and behind[file]
    }
    if waiting:
        names = ", ".join(map(plain, sorted(set(waiting.values()))))
        st.toast(f"{_of(len(waiting))} not moved: no class is called {names} any more.", icon=":material/label_off:")
    _keep(patient, kept.then("relabel", waiting))


def to_training(patient: Patient, **settings: str) -> None:
    """The page Train, with this data set and these settings filled in."""
    st.session_state["new_data"] = patient.source
    if st.session_state.get("new_start"):  # the form begins with a trained network, whose way of going on is its recipe
        recipe = st.session_state.get("new_way", next(iter(TRANSFER)))
    else:
        recipe = st.session_state.get("new_recipe", TrainConfig.recipe)
    for name, value in settings.items():
        st.session_state[run_settings.field_key(name, recipe, getattr(TrainConfig, name))] = value
    st.switch_page("views/train.py", query_params={"run": address.NEW})


def _of(count: int) -> str:
    return "One picture" if count == 1 else f"{count:,} pictures"


def _keep(patient: Patient, changed: Corrections) -> None:
    corrections.keep(patient.prepared, changed)
    st.rerun()
