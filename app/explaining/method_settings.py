"""The settings of an attribution method as controls, made from the method's own list of them."""

from typing import Any

import streamlit as st

from alexnet_core.insight.attribution import ATTRIBUTIONS, Setting
from app import answers, words
from app.session import SharedNetwork

Chosen = tuple[tuple[str, Any], ...]
"""(name, value) of the settings that are not the method's own."""

LAST = "the last one with a map"


def by_layer(method: str) -> Setting | None:
    """The setting of `method` that names a layer of the network; None where it has none."""
    return next((one for one in ATTRIBUTIONS[method].settings if one.choices_of is not None), None)


def ask(shared: SharedNetwork, method: str, without: str | None = None) -> Chosen:
    """A control for each setting of `method`, filled with its default; `without` leaves one out. They are kept while
    the session lasts, and are the same on every card of one method."""
    chosen = []
    for setting in ATTRIBUTIONS[method].settings:
        if setting.name != without:
            value = _control(shared, method, setting)
            if value != setting.default:
                chosen.append((setting.name, value))
    return tuple(chosen)


def _control(shared: SharedNetwork, method: str, setting: Setting) -> Any:
    key = f"setting-{method}-{setting.name}"
    if setting.choices_of is not None:
        layers = [LAST, *answers.choices_of(shared, method, setting)]
        if st.session_state.get(key) not in layers:  # it belonged to another network
            st.session_state.pop(key, None)
        # By its words: to Streamlit an option that is None, as the default is, is nothing chosen.
        chosen = st.selectbox(setting.title, layers, key=key, help=setting.help, persist_state="session")
        return setting.default if chosen == LAST else chosen
    if setting.choices is not None:
        return st.selectbox(
            setting.title,
            setting.choices,
            index=list(setting.choices).index(setting.default),
            format_func=words.option,
            key=key,
            help=setting.help,
            persist_state="session",
        )
    if isinstance(setting.default, bool):
        return st.toggle(setting.title, value=setting.default, key=key, help=setting.help, persist_state="session")
    kind = type(setting.default)  # the control wants its numbers to be of one type
    return st.number_input(
        setting.title,
        min_value=None if setting.least is None else kind(setting.least),
        max_value=None if setting.most is None else kind(setting.most),
        value=setting.default,
        step=1 if kind is int else None,
        key=key,
        help=setting.help,
        persist_state="session",
    )
