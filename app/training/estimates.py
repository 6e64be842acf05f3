"""How long a run will take, timed on this computer and remembered."""

import streamlit as st

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.runs import launcher
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.estimate import estimate_seconds
from app.datasets import PREPARED_UNASKED


def unasked(settings: TrainConfig, data: PreparedSet) -> bool:
    """Whether this is what the page opens with: timed once for all sessions, in a second. The rest is asked for."""
    return data.name in PREPARED_UNASKED and settings == launcher.settled({}, data)


@st.cache_data(max_entries=64, show_spinner="Timing a few steps")
def seconds(settings: TrainConfig, identity: str, _data: PreparedSet) -> float:
    """Of the whole run, if the computer stays as busy as it is now; `identity` is that of the data."""
    return estimate_seconds(settings, _data)
