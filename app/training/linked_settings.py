"""Settings that came with a link or a file: the form for a new run, filled in as somebody else's."""

from typing import Any

import streamlit as st

from alexnet_core.data.sources import available
from alexnet_core.errors import ExplorerError
from alexnet_core.models import MODELS
from alexnet_core.runs.settings_file import LARGEST_FILE, Request, from_json, from_link, source_of
from alexnet_core.runs.starting import IMAGENET
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.recipes import RECIPES, TRANSFER
from app import address, session
from app.sentences import plain, sentences_for_people
from app.training.run_settings import size_key

ADDRESS = "settings"
LINKED = "linked_settings"
"""In the session: the settings that came."""
WAITING = "linked_waiting"
"""In the session: what a file asks for, until the form is drawn anew."""
TOLD = "linked_told"
"""In the session: what is said about where the settings came from, and whether that is a warning."""


def take() -> None:
    """Fill in the form where the address brings settings; then they are taken out of it, for they are in the form."""
    text = st.query_params.get(ADDRESS)
    if text is None:
        return
    del st.query_params[ADDRESS]
    st.query_params["run"] = address.NEW
    with sentences_for_people():
        fill_in(from_link(text))


def fill_in(request: Request) -> None:
    """Set all fields of the form as `request` has them. Raises ExplorerError for a network or a recipe that this
    version does not have."""
    settings = TrainConfig.from_dict(request.settings)
    if settings.model not in MODELS or settings.recipe not in RECIPES:
        unknown = settings.recipe if settings.model in MODELS else settings.model
        raise ExplorerError(f"The settings ask for {unknown!r:.60}, which this version of the program does not have.")
    told = f"Filled in like a run of **{MODELS[settings.model].title}** on {plain(request.data_title or request.data)}."
    state: dict[str, Any] = {LINKED: request.settings, "new_start": settings.start_from}
    if not settings.start_from:
        state |= {"new_recipe": settings.recipe, "new_model": settings.model}
        state["brought_by_recipe"] = RECIPES[settings.recipe].settings.get("model")
    elif settings.start_from == IMAGENET:
        state["new_imagenet"] = settings.model
    elif settings.start_from not in session.networks(imagenet=False):
        raise ExplorerError(
            "The settings begin with a network that is not on this computer; bring it in on the page Runs, and choose "
            "it under Start from."
        )
    if settings.start_from:
        state[LINKED] = _by_its_way(request.settings, settings)
        state["new_way"] = state[LINKED]["recipe"]
    try:
        source = _offered(source_of(request))
        state["new_data"] = source
        if request.image_size is not None:
            state[size_key(source)] = request.image_size
    except ExplorerError as error:
        told = f"{told} {plain(str(error))}"
    st.session_state.update(state | {TOLD: told})


def _by_its_way(came: dict[str, Any], settings: TrainConfig) -> dict[str, Any]:
    """What came for a run that begins with a trained network, by the name of one of the three ways that the form offers
    for it. A run of another recipe, such as those of the page Transferability, has nothing of the way but its name: so
    all is said that was left out because it is usual."""
    if settings.recipe in TRANSFER:
        return {**came, "recipe": settings.recipe}
    left_out = {"threads"} if "batch_norm" in MODELS[settings.model].settings else {"threads", "batch_norm"}
    usual = {name: value for name, value in settings.as_dict().items() if name not in left_out}
    return {**usual, **came, "recipe": settings.learn}


def _offered(source: str) -> str:
    """How the form calls the data set that `prepare` gets from `source`. Raises ExplorerError where it does not offer
    it."""
    for one in available():
        if source in (one.source, *(str(prepared.directory) for prepared in one.prepared)):
            return one.source
    raise ExplorerError("Choose its pictures below; they lie outside the program's home folder.")


def joined(given: dict[str, Any]) -> dict[str, Any]:
    """What the form has decided, with the settings that came, as long as network, recipe and beginning are theirs."""
    came = st.session_state.get(LINKED, {})
    same = all(given.get(name, "") == came.get(name, "") for name in ("model", "recipe", "start_from"))
    return came | given if came and same else given


def show() -> None:
    """Where the settings came from, and a way to be rid of them; nothing where none came."""
    with sentences_for_people():
        if WAITING in st.session_state:
            fill_in(st.session_state.pop(WAITING))
    told = st.session_state.get(TOLD)
    if told is not None:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/link: {told}", width="stretch")
            st.button("Forget them", key="forget_linked", help="Back to the recipe's own settings.", on_click=_forget)


def ask() -> None:
    """A way to bring settings in a file, where none came; for the end of the form."""
    if TOLD in st.session_state:
        return
    with st.expander("Settings from a file", icon=":material/upload_file:"), sentences_for_people():
        file = st.file_uploader(
            "Settings file",
            type="json",
            max_upload_size=1,
            key=f"settings_file-{st.session_state.setdefault('settings_files', 0)}",
            help="Saved on the page Runs of any computer, or a run's config.json.",
        )
        if file is not None:
            # The fields of the form stand already; they are filled in before they stand again.
            st.session_state[WAITING] = from_json(file.read(LARGEST_FILE + 1), file.name)
            st.session_state["settings_files"] += 1
            st.rerun()


def _forget() -> None:
    for key in (LINKED, TOLD):
        st.session_state.pop(key, None)
