"""A run's network and curves as files for other programs.

ONNX and the folder are made by a process of their own: their tools change PyTorch for all threads while they work.
"""

import subprocess
import sys
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from alexnet_core.errors import ExplorerError
from alexnet_core.files import zipped
from alexnet_core.models.export import FORMATS
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.listing import Summary
from alexnet_core.runs.logs import LOGS
from app.words import memory


@dataclass(frozen=True)
class Form:
    """One way in which a run leaves."""

    title: str
    about: str
    suffix: str
    apart: bool = False
    """Made by a process of its own."""


FORMS: dict[str, Form] = {
    "safetensors": Form(
        "Network file (safetensors)", "The weights with class names and preparation, for AlexNet Explorer elsewhere.",
        ".safetensors",
    ),
    "folder": Form(
        "Folder with predict.py", "Weights, class names, a plain definition and a short script: needs PyTorch, and "
        "Pillow to read pictures.", ".zip", True,
    ),
    "state_dict": Form(
        "State dict for PyTorch", "The weights alone; torchvision's network of that name takes them strictly.", ".pt",
    ),
    "onnx": Form(
        "ONNX", "For other programs and languages; any number of pictures at once. Takes some seconds.", ".onnx", True
    ),
    "csv": Form("Curves as a table (CSV)", "All measured values with their times, for a spreadsheet.", ".csv"),
    "tensorboard": Form("Curves for TensorBoard", "An event file: unpack it, then tensorboard --logdir.", ".zip"),
}  # fmt: skip
LONGEST = 300
"""Seconds that the making of a file may take."""


def show(one: Summary) -> None:
    """A form to choose, a button that makes the file, and one that brings it."""
    has_network, has_curve = one.run.latest_network_path() is not None, one.run.metrics_size() > 0
    offered = [name for name in FORMS if (has_curve if name in LOGS else has_network)]
    if not offered:
        st.caption("There is nothing to take home yet; let the run train for a moment.")
        return
    name = st.selectbox(
        "As", offered, key=f"form-of-{one.id}", format_func=lambda name: FORMS[name].title, help="What is to use it?"
    )
    form = FORMS[name]
    st.caption(form.about)
    key = (one.id, one.title, name, one.run.metrics_size())
    made = _made().get(key)
    if made is None:
        if st.button("Make the file", key=f"make-{one.id}", icon=":material/build:", help="From the last whole epoch."):
            with st.spinner("Making the file"):
                _keep(key, file_of(one.run, name))
            st.rerun()
        return
    st.download_button(
        f"Download, {memory(len(made))}",
        lambda: made,  # by a function, so that it is looked at only when it is fetched
        f"{one.id}{'-' + name if form.suffix == '.zip' else ''}{form.suffix}",
        key=f"download-{one.id}",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
        help="Saves it where your browser saves files.",
    )


@st.cache_resource
def _made() -> OrderedDict[Hashable, bytes]:
    return OrderedDict()


MOST_BYTES = 600_000_000
"""Of files that were made and may be fetched, over all sessions: two of AlexNet's, or all that a class makes of small
networks."""


def _keep(key: Hashable, data: bytes) -> None:
    """Keep a file for all sessions; the oldest goes."""
    made = _made()
    made[key] = data
    while len(made) > 1 and sum(map(len, list(made.values()))) > MOST_BYTES:
        made.popitem(last=False)


def file_of(run: RunDirectory, name: str) -> bytes:
    """The file of one of FORMS. Raises ExplorerError where it cannot be made."""
    if name in LOGS:
        files = LOGS[name](run)
        return (
            zipped({f"{run.id}/{file}": data for file, data in files.items()})
            if len(files) > 1 or (FORMS[name].suffix == ".zip")
            else next(iter(files.values()))
        )
    return _made_apart(run, name) if FORMS[name].apart else FORMATS[name](run.network())


def _made_apart(run: RunDirectory, name: str) -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{run.id}{FORMS[name].suffix}"
        command = [sys.executable, "-m", "alexnet_core", "export", str(run.path), "--format", name, "--out", str(file)]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=LONGEST
            )
        except subprocess.TimeoutExpired as error:
            raise ExplorerError("Making the file took too long; try again when this computer is less busy.") from error
        if done.returncode == 2:
            raise ExplorerError(done.stderr.strip().removeprefix("alexnet: "))
        if done.returncode:
            raise RuntimeError(f"The export ended with {done.returncode}:\n{done.stderr}")
        return file.read_bytes()
