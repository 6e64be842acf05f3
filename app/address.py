"""What a page shows stands in its address: a link to a run or a layer can be shared."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.sentences import plain

NEW = "new"
"""In the place of a run's id: the form for a new one."""


def wanted(name: str, options: Sequence[str], default: str | None, announce: bool = False) -> Any:
    """The option that the address asks for under `name`, else the last one chosen, else `default`.

    Call it before the widget with key `name`, and give the widget `on_change=address.write`. With `announce` a value
    that is not there is mentioned. (Streamlit's own binding would put the long title into the address; navigation
    drops both.)
    """
    asked = st.query_params.get(name)
    if announce and asked is not None and asked not in options:
        st.toast(f"{plain(asked[:80])} is not here any more.", icon=":material/link_off:")
    choice = next((value for value in (asked, st.session_state.get(name)) if value in options), default)
    st.session_state[name] = choice
    if choice is not None:
        st.query_params[name] = choice
    return choice


def hold(key: str, options: Sequence[Any]) -> None:
    """Let a list that has no place in the address, the one called `key`, keep its choice while what its options are
    called changes: a browser knows a choice by its text alone. To be called before the list is drawn."""
    held = st.session_state.get(key)
    st.session_state[key] = held if held in options else next(iter(options), None)


def write(name: str) -> None:
    """Write the widget's new value into the address."""
    st.query_params[name] = st.session_state[name]
