"""How fast the networks are on this machine: measured when someone asks, and kept for all sessions and later starts."""

from datetime import datetime

import streamlit as st
import torch

from alexnet_core.models import MODELS, latencies_file
from alexnet_core.models.latencies_file import Measurement
from alexnet_core.models.measuring import BATCH, Measured, measure
from app.memory import give_back
from app.sentences import plain
from app.waiting import FairLock


@st.cache_resource
def _turns() -> FairLock:
    """One measurement at a time: two would measure each other."""
    return FairLock()


def known() -> dict[str, Measured]:
    """What was measured last, by network; empty before."""
    last = latencies_file.read(_device())
    return {} if last is None else dict(last.networks)


def panel() -> None:
    """The button that measures, with its progress; and when and how it was measured."""
    last = latencies_file.read(_device())
    row = st.container(horizontal=True, vertical_alignment="center")
    clicked = row.button(
        "Measure again" if last else "Measure on this machine",
        type="secondary" if last else "primary",
        icon=":material/speed:",
        help="Passes one picture and a batch through every network, in turns; at most a minute for all.",
    )
    if last and not clicked:
        row.caption(_said(last))
    if clicked:
        _measure()
        st.rerun(scope="app")


def _measure() -> None:
    bar = st.progress(0.0, "Measuring")
    st.button("Stop", icon=":material/stop:", help="Gives up; what was measured before stays.", key="stop_measuring")
    device = _device()
    try:
        with _turns().turn(lambda before: bar.progress(0.0, "Waiting: someone else is measuring")):
            found = measure(
                list(MODELS),
                device,
                # Drawing the bar is where a page that was left, or Stop, ends this.
                lambda done, total, title: bar.progress(done / total, f"Measuring {plain(title)}"),
            )
            latencies_file.write(device, found)
    finally:
        give_back()


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _said(last: Measurement) -> str:
    """When and how it was measured."""
    rounds = next(iter(last.networks.values())).latency_ms.rounds
    how = "one round" if rounds == 1 else f"the median of {rounds} rounds in turns, and the least and the largest"
    day = "" if last.created.date() == datetime.now().date() else f"on {last.created:%Y-%m-%d} "
    return (
        f"Measured {day}at {last.created:%H:%M} on the {_words(last.threads)}, in 32 bits: {how}. Batches of {BATCH}."
    )


def _words(threads: int) -> str:
    device = _device()
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"processor with {threads} {'thread' if threads == 1 else 'threads'}"
