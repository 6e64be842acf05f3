"""What a training begins with, as the page Train offers it: nothing, a network of this computer, or ImageNet's."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import streamlit as st

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import DATASETS
from alexnet_core.errors import ExplorerError
from alexnet_core.models import MODELS, Network
from alexnet_core.models.fetching import imagenet_is_here
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.starting import IMAGENET, check_fit, source_of
from alexnet_core.training.config import TrainConfig
from app import session, words
from app.fetching import fetch_with_bar
from app.sentences import plain

NOTHING = ""
IMAGENET_DEFAULT = "squeezenet1_1"
"""The smallest to fetch and the fastest here."""


def choose(size_key: Callable[[str], str]) -> str:
    """What to begin with, as `TrainConfig.start_from` has it; `size_key` names the field with the side of a data set's
    pictures, which follows the network that is chosen."""
    titles = {NOTHING: "Nothing: learn from scratch", **session.networks(imagenet=False)}
    titles[IMAGENET] = "ImageNet: 1.3 million photographs, 1000 classes"

    def take_size() -> None:
        source, begin = st.session_state.get("new_data"), st.session_state.new_start
        if source in DATASETS and begin:
            with suppress(ExplorerError):  # gone or damaged: the form says so, where it can be a sentence
                st.session_state[size_key(source)] = usual_side(begin, st.session_state.get("new_imagenet"))

    begin = st.selectbox(
        "Start from",
        list(titles),
        key="new_start",
        format_func=titles.__getitem__,
        on_change=take_size,
        help=(
            "A network that has learned to see something sees other things sooner: its first layers fit nearly all "
            "pictures. This is transfer learning: it needs fewer pictures and less time than learning from scratch."
        ),
        persist_state="session",
    )
    if begin and begin != IMAGENET:
        st.caption(_about(session.load(begin).network))
    return begin


def title_of(begin: str) -> str:
    """A name for a run that begins so."""
    return "ImageNet" if begin == IMAGENET else RunDirectory.find(begin).title()


def usual_side(begin: str, model: str | None) -> int:
    """The side in pixels of the pictures that the chosen network has learned from."""
    if begin == IMAGENET:
        return MODELS[model or IMAGENET_DEFAULT].image_size
    return session.load(begin).network.preprocessing.size


def _about(network: Network) -> str:
    names = ", ".join(plain(name) for name in network.classes[:5])
    more = f" and {len(network.classes) - 5} more" if len(network.classes) > 5 else ""
    return (
        f"{network.title}, trained on pictures of {words.pixels(network.preprocessing.size)}; it knows {names}{more}. "
        "Its classes are replaced by yours."
    )


def model_of(begin: str) -> dict[str, Any]:
    """What the beginning decides: the network that is trained, and whether it has batch normalisation."""
    if begin != IMAGENET:
        network = session.load(begin).network
        decided = {name: value for name, value in network.settings.items() if name == "batch_norm"}
        return {"start_from": begin, "model": network.name, **decided}
    having = [name for name, entry in MODELS.items() if entry.imagenet_weights]
    st.session_state.setdefault("new_imagenet", IMAGENET_DEFAULT)
    model = st.selectbox(
        "Network",
        having,
        key="new_imagenet",
        format_func=lambda name: MODELS[name].title,
        help="Those with published ImageNet weights. SqueezeNet is the smallest (5 MB) and the fastest on a laptop.",
        persist_state="session",
    )
    here = (
        "Its weights are on this computer."
        if imagenet_is_here(model)
        else "Its weights are fetched once, at the start."
    )
    st.caption(f"{MODELS[model].about} {here}")
    return {"start_from": begin, "model": model}


def say_size(begin: str, model: str, side: int, key: str) -> None:
    """Where the network has learned from pictures of another size than `side`: that, and a button that takes it; `key`
    names the field."""
    wanted = usual_side(begin, model)
    if wanted == side:
        return
    st.info(
        f"This network has learned from pictures of {words.pixels(wanted)}; yours are prepared in "
        f"{words.pixels(side)}. It answers best to its own size.",
        icon=":material/aspect_ratio:",
    )
    st.button(
        f"Take {words.pixels(wanted)}",
        icon=":material/photo_size_select_large:",
        help="Sets the side of the pictures to what the network has learned from.",
        on_click=lambda: st.session_state.update({key: wanted}),
    )


def see_to(settings: TrainConfig, prepared: PreparedSet) -> None:
    """Before a run of `settings` (settled ones) is queued: its weights are here, fetched with a bar where need be, and
    fit. Raises ExplorerError where they cannot be had or do not."""
    if settings.start_from == IMAGENET:
        fetch_with_bar(settings.model)
    source = source_of(settings.start_from, settings.model)
    check_fit(settings, source, prepared.classes, prepared.image_size)
