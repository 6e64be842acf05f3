"""How fast the networks are on this machine, measured when someone asks, and kept for all sessions."""

from dataclasses import dataclass, field
from datetime import datetime

import streamlit as st
import torch

from alexnet_core.models import MODELS
from alexnet_core.models.measuring import BATCH, Measured, measure
from app.memory import give_back
from app.sentences import plain
from app.waiting import FairLock


@dataclass
class _Board:
    """The newest measurement."""

    found: dict[str, Measured] = field(default_factory=dict)
    said: str = ""
    lock: FairLock = field(default_factory=FairLock)
    """One measurement at a time: two would measure each other."""


@st.cache_resource
def _board() -> _Board:
    return _Board()


def known() -> dict[str, Measured]:
    """What was measured last, by network; empty before."""
    return _board().found


def panel() -> None:
    """The button that measures, with its progress; and when and how it was measured."""
    board = _board()
    row = st.container(horizontal=True, vertical_alignment="center")
    label = "Measure again" if board.found else "Measure on this machine"
    clicked = row.button(
        label,
        type="secondary" if board.found else "primary",
        icon=":material/speed:",
        help="Passes one picture and a batch through every network, in turns; at most a minute for all.",
    )
    if board.said and not clicked:
        row.caption(board.said)
    if clicked:
        _measure(board)
        st.rerun(scope="app")


def _measure(board: _Board) -> None:
    bar = st.progress(0.0, "Measuring")
    st.button("Stop", icon=":material/stop:", help="Gives up; what was measured before stays.", key="stop_measuring")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        with board.lock.turn(lambda before: bar.progress(0.0, "Waiting: someone else is measuring")):
            found = measure(
                list(MODELS),
                device,
                # Drawing the bar is where a page that was left, or Stop, ends this.
                lambda done, total, title: bar.progress(done / total, f"Measuring {plain(title)}"),
            )
            board.found = {one.name: one for one in found}
            rounds = found[0].latency_ms.rounds
            how = (
                "one round" if rounds == 1 else f"the median of {rounds} rounds in turns, and the least and the largest"
            )
            board.said = (
                f"Measured at {datetime.now():%H:%M} on the {_words(device)}, in 32 bits: {how}. Batches of {BATCH}."
            )
    finally:
        give_back()


def _words(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"processor with {threads} {'thread' if threads == 1 else 'threads'}"
