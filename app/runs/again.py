"""A run started again: with one change, in the form, from a link or from a file."""

import dataclasses

import streamlit as st

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.models import MODELS, check_image_size
from alexnet_core.runs import launcher
from alexnet_core.runs.imports import IMPORTED
from alexnet_core.runs.listing import Summary
from alexnet_core.runs.settings_file import request_of, source_of, to_json, to_link
from alexnet_core.training.config import TrainConfig, label
from app.address import NEW
from app.sentences import plain
from app.training.run_settings import field, has


def show(one: Summary) -> None:
    """One change and a button; and below it the settings for elsewhere."""
    if one.config.data == IMPORTED:
        st.markdown(ELSEWHERE)
        st.page_link("views/train.py", label="Train", icon=":material/model_training:", query_params={"run": NEW})
        return
    config = one.config.settings
    names = [each.name for each in dataclasses.fields(TrainConfig) if _can_change(config, each.name)]
    st.markdown("The same pictures, the same settings, and **one change**. The run itself stays as it is.")
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        name = st.selectbox(
            "What to change",
            names,
            index=names.index("seed"),
            key=f"change-{one.id}",
            format_func=label,
            help="The one setting in which the new run differs, so that what differs in the curve has one reason.",
        )
    with right:
        value = field(name, getattr(config, name), f"changed-{one.id}-{name}")
    data = _data(one)
    if data is None:
        st.info(
            f"The pictures that it learned from ({plain(one.config.data.title)}) are not on this computer. Prepare "
            "them on the page Train, and start from there with these settings.",
            icon=":material/inventory_2:",
        )
    elif st.button("Start this run", key=f"again-{one.id}", type="primary", icon=":material/play_arrow:", help=START):
        settings = _settled(dataclasses.replace(config, **{name: value}), data)
        run = launcher.start(settings, data, processes=one.config.processes)
        st.switch_page("views/train.py", query_params={"run": run.id})
    request = request_of(one.run)
    link = to_link(request)
    st.markdown("**Elsewhere, or with more changes**")
    with st.container(horizontal=True):
        if st.button(
            "Open in the form",
            key=f"form-{one.id}",
            icon=":material/tune:",
            help="The page Train, filled in like this run.",
        ):
            st.switch_page("views/train.py", query_params={"settings": link})
        st.download_button(
            "Settings as a file",
            to_json(request),
            f"{one.id}-settings.json",
            "application/json",
            key=f"settings-{one.id}",
            icon=":material/download:",
            on_click="ignore",
            help="For the page Train of another computer, or for: alexnet train --settings FILE.",
        )
    st.caption("As a link. On another computer, put what stands from /train on behind the address of its own app:")
    here = (st.context.url or "").rstrip("/").removesuffix("/runs")
    st.code(f"{here}/train?settings={link}", language=None, wrap_lines=True)


ELSEWHERE = (
    "It was trained elsewhere, with settings that nobody told. To teach it your own classes, start a new run and "
    "choose it there under **Start from**."
)
START = "Queued behind the runs before it; its page opens."


def _can_change(config: TrainConfig, name: str) -> bool:
    """Whether a run of these settings may differ in the one called `name` and still be a run of its network, from its
    beginning; what it begins with is chosen in the form."""
    if name in ("model", "recipe", "start_from") or (name == "learn" and not config.start_from):
        return False
    return config.model not in MODELS or has(config.as_dict(), name)


def _settled(config: TrainConfig, data: PreparedSet) -> TrainConfig:
    """`config` as the form would start it on `data`: what is 0 is chosen from the pictures. Raises ExplorerError for
    what no run of them can have."""
    check_image_size(config.model, data.image_size)
    explicit = config.as_dict()
    if "batch_norm" not in MODELS[config.model].settings:
        del explicit["batch_norm"]  # every run has a value for it, also where it means nothing
    return launcher.settled(explicit, data)


def _data(one: Summary) -> PreparedSet | None:
    """The very pictures of the run, where it left them or anywhere in this computer's home; None where they are not."""
    try:
        return one.config.data.opened()
    except ExplorerError:
        pass
    request = request_of(one.run)
    try:
        return PreparedSet.open(source_of(dataclasses.replace(request, data="")))
    except ExplorerError:
        return None
