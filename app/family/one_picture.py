"""One picture through all networks that are here: what each says, and which region speaks for it."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.prediction import ClassProbability
from alexnet_core.models import MODELS, Network
from alexnet_core.models.family import costs
from alexnet_core.runs.listing import summaries
from app import answers, session, words
from app.choices import choose_picture
from app.fetching import fetch_with_bar
from app.remembered import remembered
from app.sentences import plain, sentences_for_people
from app.session import IMAGENET, Picture
from app.words import memory

EVERYTHING = "Everything here"
MOST = 6
"""Networks in the row, each of which has to be loaded."""
ROW = 3
"""Cards beside each other."""
SHOWN = 3
"""Answers of each."""


@dataclass(frozen=True)
class Look:
    """What one network made of the picture."""

    top: list[ClassProbability]
    png: bytes
    """Grad-CAM over the picture, or the picture alone where there is none."""
    why_not: str | None
    """Why there is no map."""


def show() -> None:
    """The picture, the networks, and the row."""
    groups = _groups()
    here = groups[EVERYTHING]
    if not here:
        st.info("No network is here yet: train one on the page Train, or fetch one below.", icon=":material/info:")
        _others()
        return
    left, right = st.columns([1, 2], gap="large")
    with right:
        group = st.segmented_control(
            "Networks that learned from",
            list(groups),
            default=_first(groups),
            required=True,
            format_func=lambda name: f"{plain(name)} ({len(groups[name])})",
            key="family_group",
            help="Networks that know the same classes can be compared; others answer with what they know.",
            persist_state="session",
        )
        titles = groups[group]
        chosen = st.multiselect(
            "Networks",
            list(titles),
            default=list(titles)[:ROW],
            format_func=here.__getitem__,
            max_selections=MOST,
            key=f"family_networks-{group}",
            help="Up to six, each on a card.",
            persist_state="session",
        )
    with left:
        network = _first_whole(titles)
        picture = choose_picture(network)
        st.image(
            answers.square(network.preprocessing, picture),
            caption=plain(picture.name),
            width="stretch",
            alt=f"The centre square of the picture {picture.name}.",
        )
    with right:
        _row(chosen, here, picture)
    _others()


def _row(chosen: list[str], titles: dict[str, str], picture: Picture) -> None:
    bar = st.empty()
    with st.grid(ROW, min_column_width=150, border=True):
        for place, choice in enumerate(chosen):
            with st.container():
                bar.progress(place / len(chosen), f"Asking {plain(titles[choice])}")
                st.markdown(f"**{plain(titles[choice])}**")
                # One that is damaged, or gone, says so on its own card.
                with sentences_for_people():
                    _card(_look(choice, picture))
    bar.empty()
    st.caption(
        "Under each network: its three most probable answers. Yellow in the picture: where its last maps found what "
        "speaks for the first answer (Grad-CAM). Each cuts and shrinks the picture as it was trained to."
    )


def _card(look: Look) -> None:
    st.image(
        look.png, width="stretch", alt=f"The picture, coloured by how much each region speaks for {look.top[0].name}."
    )
    if look.why_not is not None:
        st.caption(plain(look.why_not))
    for one in look.top:
        st.progress(one.probability, text=words.answer(one.name, one.probability))


def _look(choice: str, picture: Picture) -> Look:
    """Remembered by the network's file, so that one that was asked before is not loaded again."""
    return remembered((session.key_of(choice), picture.key, "family"), lambda: _asked(choice, picture))


def _asked(choice: str, picture: Picture) -> Look:
    shared = session.load(choice)
    top = answers.top(shared, picture)[:SHOWN]
    why_not = answers.why_not(shared, "grad_cam")
    if why_not is not None:
        return Look(top, answers.png(answers.square(shared.network.preprocessing, picture)), why_not)
    map_ = answers.explained(answers.Asked(shared, picture, "grad_cam", top[0].index))
    return Look(top, answers.png(answers.laid_over(shared, picture, map_, 0.6)), None)


def _groups() -> dict[str, dict[str, str]]:
    """The networks that are here, by what they learned from; groups of one are left to the first, which has all."""
    titles = {
        name: title
        for name, title in session.networks().items()
        if not name.startswith(IMAGENET) or session.imagenet_is_here(name)
    }
    groups: dict[str, dict[str, str]] = {}
    learned = {one.id: one.config.data.title for one in summaries(with_results=False)}
    for name, title in titles.items():
        groups.setdefault(learned.get(name, "ImageNet"), {})[name] = title
    return {EVERYTHING: titles} | {name: group for name, group in groups.items() if len(group) > 1}


def _first(groups: dict[str, dict[str, str]]) -> str:
    """What the page begins with: the largest group of one data set, where that fills a row, else everything."""
    largest = max(groups, key=lambda name: (name != EVERYTHING, len(groups[name])))
    return largest if len(groups[largest]) >= ROW else EVERYTHING


def _first_whole(titles: Iterable[str]) -> Network:
    """The first network whose file can be read: a sample is chosen to suit it."""
    *others, last = titles
    for name in others:
        with suppress(ExplorerError):
            return session.load(name).network
    return session.load(last).network


def _others() -> None:
    """The networks that are not here, and how to get them."""
    missing = [
        name
        for name, entry in MODELS.items()
        if entry.imagenet_weights and not session.imagenet_is_here(IMAGENET + name)
    ]
    if not missing:
        return
    with st.expander(f"{len(missing)} networks of the family are not here", icon=":material/cloud_download:"):
        st.markdown(
            "ImageNet's weights are fetched once, from PyTorch's own server, and are then known to every page. "
            "Without a connection, bring a file to the page Runs, or train a network on the page Train."
        )
        name = st.selectbox(
            "Network to fetch",
            missing,
            format_func=lambda name: f"{MODELS[name].title} ({memory(costs(name).file_bytes)})",
            help="It knows ImageNet's 1,000 classes.",
        )
        if st.button(
            "Fetch the weights",
            icon=":material/download:",
            help="Leaving the page breaks it off; the next fetch goes on from there.",
        ):
            fetch_with_bar(name)
            st.rerun()
