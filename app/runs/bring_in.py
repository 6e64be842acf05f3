"""A network from elsewhere, brought in on the page."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st
from streamlit.typing import UploadedFile

from alexnet_core.files import make_folder, write_whole
from alexnet_core.images import clean_name
from alexnet_core.models import MODELS
from alexnet_core.models.class_names import class_names
from alexnet_core.models.importing import Found, look, network_of
from alexnet_core.places import uploads_home
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.imports import import_network
from app import spool
from app.sentences import plain, sentences_for_people

HELP = (
    "safetensors, ONNX that this program wrote, or the zip of a folder with predict.py; at most 200 MB. Larger files, "
    "and .pt or .pth, which can carry programs: alexnet import FILE."
)


FOUND = "brought_found"
"""In the session: (the upload's own id, what is in it), so that a click does not read the file again."""
CLASSES, TITLE = TYPED = ("brought_classes", "brought_title")
"""In the session: what a person types about the file."""


def show() -> None:
    """Choose a file, see what it is, say what it does not say, keep it."""
    with st.expander("Bring in a network", icon=":material/upload:"), sentences_for_people():
        spool.begin()
        file = st.file_uploader(
            "Network file",
            type=["safetensors", "onnx", "zip", "pt", "pth"],
            key=f"brought_network-{st.session_state.setdefault('networks_brought', 0)}",
            help=HELP,
        )
        if file is None:
            st.session_state.pop(FOUND, None)  # up to 200 MB of a file that was taken away again
            st.caption(
                "From another computer, or from other programs. It is looked at within limits, nothing in it is run, "
                "and it then stands in the list like a run of your own."
            )
            return
        known, found = st.session_state.get(FOUND, (None, None))
        if known != file.file_id:
            found = _look(file)
            st.session_state[FOUND] = (file.file_id, found)
            # Names that were typed for the file before would be given to this one.
            st.session_state.update(dict.fromkeys(TYPED, ""))
        _ask(found)


def _look(file: UploadedFile) -> Found:
    """What is in an upload, which lies on disk meanwhile, under a name of our own."""
    make_folder(uploads_home())
    with TemporaryDirectory(dir=uploads_home(), ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "network"
        with spool.opened(file) as arrived:
            write_whole(path, arrived)
        return _apart(look(path, owner=False, name=clean_name(file.name)))


def _apart(found: Found) -> Found:
    """`found` without its file, in which the tensors may lie and which Windows does not remove while they are in use.
    Where there is a network, it has copies of its own."""
    state = {} if found.network is not None else {key: value.clone() for key, value in found.state.items()}
    return replace(found, state=state)


def _ask(found: Found) -> None:
    """What the file says, fields for what it does not, and the button."""
    model, text, name = None, "", found.name
    if found.network is not None:
        known = found.network
        first = ", ".join(map(plain, known.classes[:5])) + ", …" * (len(known.classes) > 5)
        st.success(
            f"{plain(name)} is {found.kind}: **{known.title}**, {len(known.classes):,} classes ({first}), "
            f"{known.preprocessing.size} pixels.",
            icon=":material/check:",
        )
    else:
        fits = {fit.model: fit for fit in found.fits}
        if not fits:
            network_of(found)  # says what is nearest
        if len(fits) > 1:
            model = st.selectbox(
                "Network", list(fits), format_func=lambda one: MODELS[one].title, help="The weights fit all of these."
            )
        fit = fits[model] if model else found.fits[0]
        st.info(
            f"{plain(name)} is {found.kind}. The weights fit **{fit.words}**. {found.assumed}", icon=":material/info:"
        )
        if fit.classes != 1000 or MODELS[fit.model].imagenet_weights is None:
            text = st.text_area(
                "Class names",
                key=CLASSES,
                placeholder="cat\ndog",
                help=f"One a line, in the order of the outputs: {fit.classes:,} of them. JSON is understood, too.",
            )
            if not text.strip():
                st.caption(f"The file does not say what its {fit.classes:,} classes are called; the network needs it.")
                return
    title = st.text_input("Name", key=TITLE, placeholder=f"{name}, imported", help="For people; can be changed.")
    if st.button("Keep it", type="primary", icon=":material/save:", help="It gets a place among the runs."):
        network = network_of(found, model, class_names(text) if text.strip() else None)
        _kept(import_network(network, name, title, found.assumed))


def _kept(run: RunDirectory) -> None:
    """Clear the form and open the new run's row."""
    del st.session_state[FOUND]
    st.session_state["networks_brought"] += 1
    st.query_params["open"] = run.id
    st.toast(f"{plain(run.title())} stands among the runs.", icon=":material/check:")
    st.rerun()
