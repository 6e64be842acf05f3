"""What was found out about layers and units, kept for all sessions in bounded stores."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st

from alexnet_core.insight.feature_visualisation import Drawing
from app.store import Store


@st.cache_resource
def _store() -> Store:
    """Tables, patches and pictures of single units: at most about 2 MB each."""
    return Store(100)


@st.cache_resource
def _patients() -> Store:
    """Activations before a lesion, up to 128 MB each."""
    return Store(2)


@st.cache_resource
def _drawings() -> OrderedDict[Hashable, Drawing]:
    return OrderedDict()


DRAWINGS = 60
"""Grown pictures that are kept, 0.2 MB each at 224 pixels."""


def finished_drawing(key: Hashable) -> Drawing | None:
    """A picture that someone has grown to its end."""
    return _drawings().get(key)


def keep_drawing(key: Hashable, drawing: Drawing) -> None:
    """Keep a picture that has grown to its end, for all sessions; the oldest goes."""
    kept = _drawings()
    kept[key] = drawing
    while len(kept) > DRAWINGS:
        kept.popitem(last=False)


def remembered(key: Hashable, compute: Callable[[], Any]) -> Any:
    """What is kept under `key`, else what `compute` gives. Not to be asked while a network's lock is held."""
    return _store().get(key, compute)


def is_remembered(key: Hashable) -> bool:
    """Whether something is kept under `key`."""
    return _store().known(key) is not None


def remembered_patient(key: Hashable, compute: Callable[[], Any]) -> Any:
    """The same for what is large."""
    return _patients().get(key, compute)
