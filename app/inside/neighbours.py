"""What the page Neighbours shows: where likes are looked for, which are found, and where all lies on a plane."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from alexnet_core.insight import embedding, neighbours
from alexnet_core.insight.gallery import Gallery, evenly
from alexnet_core.insight.neighbours import Index, Neighbours
from alexnet_core.models import Network
from app.figures.by_depth import shares_by_depth
from app.figures.embedding import Point, plane
from app.figures.framed import framed
from app.figures.palette import NO_TOOLBAR
from app.gallery import galleries
from app.inside.whose_neighbours import Question
from app.sentences import plain
from app.session import SharedNetwork
from app.store import Store
from app.unfinished import going_on
from app.words import memory, percent

AT_FIRST = 1_000
"""Pictures that are looked through before one asks for all."""
SHOWN = 8
COUNTED = 50
"""Neighbours whose classes are counted: eight are too few for a percentage."""
TILE = 92
"""Pixels."""
SPACES = {"pca": "Principal components", "tsne": "t-SNE"}


@st.cache_resource
def _small() -> Store:
    """Indexes of a thousand pictures, 4 MB each."""
    return Store(12)


@st.cache_resource
def _whole() -> Store:
    """Indexes of all pictures, at most 200 MB each."""
    return Store(2)


@st.cache_resource
def _planes() -> Store:
    return Store(24)


# -- among which pictures ------------------------------------------------------------------------------------------


def searched(choice: str, network: Network) -> Gallery:
    """The pictures among which neighbours are looked for: those the network learned from, as in the paper."""
    found = galleries(choice, network)
    return found.get("train", found["builtin"])


# -- the index -----------------------------------------------------------------------------------------------------


def choose_index(shared: SharedNetwork, gallery: Gallery) -> Index:
    """The index of the gallery: of a thousand pictures at once, of all of them when it is asked for. Shows how far it
    is, and can be stopped."""
    key = f"all-{gallery.key}"
    wanted = len(gallery) > AT_FIRST and st.toggle(
        f"Look through all {min(len(gallery), neighbours.MOST):,} pictures",
        key=key,
        help=f"Otherwise {AT_FIRST:,}, evenly chosen. The network looks at each picture once; what it saw is kept.",
        persist_state="session",
    )
    most = neighbours.MOST if wanted else AT_FIRST
    place = st.empty()

    def stop() -> None:
        st.session_state[key] = False

    index = (_whole() if wanted else _small()).get(
        (shared.key, gallery.key, most),
        lambda: _built(shared, gallery, most, place, stop if wanted else None),
        lambda: place.info("The same pictures are being looked through for someone else; please wait."),
    )
    place.empty()
    return index


def _built(
    shared: SharedNetwork, gallery: Gallery, most: int, place: DeltaGenerator, stop: Callable[[], None] | None
) -> Index:
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, "Looking at the pictures")
        if stop is not None:
            st.button(
                "Stop",
                icon=":material/stop:",
                on_click=stop,
                help="Go back to fewer pictures. Asked for again, it goes on from there.",
            )
    key = ("index", shared.lock, gallery.key, most)
    building = going_on(key, lambda: neighbours.indexing(shared.network, gallery, most))
    index: Index | None = None
    while index is None:
        with shared.lock:  # for one batch: others may look at theirs in between
            step = next(building)
        index = step.index
        if index is None:  # after the last step, which comes once, nothing that may end this run of the page
            bar.progress(step.done / step.total, f"Looked at {step.done:,} of {step.total:,} pictures")
    deque(building, maxlen=0)  # to its end: nothing of it is kept
    return index


@dataclass(frozen=True)
class Found:
    """The neighbours of one picture."""

    near: list[Neighbours]
    """A depth each, `COUNTED` of them where there are so many."""
    place: torch.Tensor
    """(k,): where the picture lies at the last depth of the index."""


def found(shared: SharedNetwork, question: Question, gallery: Gallery, index: Index) -> Found:
    """The neighbours at every depth."""

    def compute() -> Found:
        with shared.lock:
            places = neighbours.located(shared.network, index, question.tensor())
        return Found(neighbours.nearest(index, places, COUNTED), places[-1][0])

    return _planes().get((shared.key, gallery.key, len(index.rows), question.key), compute)


# -- on the screen -------------------------------------------------------------------------------------------------


def show_depths(network: Network, question: Question, gallery: Gallery, near: list[Neighbours]) -> None:
    """A row a depth: the nearest pictures, framed where they have the class of the one asked about."""
    for level in near:
        rows = level.rows[:SHOWN]
        order = np.argsort(rows)  # read in the order of the disk
        tiles = np.empty((len(rows), *gallery.images.shape[1:]), np.uint8)
        tiles[order] = gallery.images[rows[order]]
        same = [gallery.labels is not None and gallery.labels[row] == question.label for row in rows]
        names = [_class_of(network, gallery, int(row)) for row in rows]
        st.markdown(f"**{level.depth.title}**")
        st.image(
            [framed(tile, TILE, alike) for tile, alike in zip(tiles, same, strict=True)],
            caption=[
                f"{plain(name)} {distance:.2f}" for name, distance in zip(names, level.distances[:SHOWN], strict=True)
            ],
            alt=[f"Neighbour by {level.depth.title}: {name}" for name in names],
            width=TILE,
        )


def what_stands_there(index: Index, gallery: Gallery, question: Question) -> str:
    """What the rows of neighbours show, as Markdown."""
    compared = min(len(index.rows), neighbours.SAMPLE)
    whose = "" if question.is_true else ", as the network says it"
    return (
        f"The nearest of {len(index.rows):,} pictures ({plain(gallery.title)}) at each depth, the nearest first, as in "
        f"figure 4 of the 2012 paper. Beside the class: the Euclidean distance, 1 being the median over {compared:,} "
        f"of them. A frame: the same class as the picture's{whose}."
    )


def measured(index: Index) -> str:
    """How distances come about, with what was lost on the way, as Markdown."""
    kept = "\n".join(
        f"* {depth.title}: {axes.directions.shape[1]:,} numbers, of which {axes.directions.shape[0]} coordinates keep "
        f"{percent(axes.kept)} of the differences"
        for depth, axes in zip(index.depths, index.axes, strict=True)
    )
    return (
        f"Pixels are averaged to at most {neighbours.PIXEL_PLACES} × {neighbours.PIXEL_PLACES} places, maps to at most "
        f"{neighbours.PLACES} × {neighbours.PLACES}. Of these numbers, the coordinates along the directions in which "
        f"the pictures differ most are kept in memory ({memory(index.bytes)} now), and distances are measured between "
        f"them. Of a network with more than {neighbours.MOST_LAYERS} hidden layers or blocks, {neighbours.MOST_LAYERS} "
        f"evenly chosen ones are shown, the last among them.\n\n{kept}"
    )


def _class_of(network: Network, gallery: Gallery, row: int) -> str:
    return network.classes[gallery.labels[row]] if gallery.labels is not None else ""


def show_shares(network: Network, question: Question, gallery: Gallery, near: list[Neighbours]) -> None:
    """How many of the neighbours have the class of the picture, by depth."""
    if gallery.labels is None or question.label is None:
        st.caption("These pictures have no classes of this network, so no share of right ones can be counted.")
        return
    labels, label = gallery.labels, question.label
    chance = float((labels == label).mean())
    shares = [neighbours.share_of_class(level, labels, label) for level in near]
    name = network.classes[label]
    whose = "its true class" if question.is_true else "the network's answer"
    st.plotly_chart(
        shares_by_depth([level.depth.title.split(",")[0] for level in near], shares, chance),
        config=NO_TOOLBAR,
        alt=f"Share of neighbours that are {name} at each depth: from {shares[0]:.0%} to {shares[-1]:.0%}.",
    )
    st.caption(
        f"Of the {len(near[0].rows)} nearest pictures at each depth, the share that is {plain(name)} ({whose}). The "
        f"dashed line is what chance gives: {percent(chance)} of all pictures are."
    )


def show_plane(shared: SharedNetwork, question: Question, gallery: Gallery, index: Index, place: torch.Tensor) -> None:
    """The last hidden layer as a plane to wander over."""
    network = shared.network
    switches = st.container(horizontal=True, vertical_alignment="bottom")
    way = switches.segmented_control(
        "Arranged by",
        list(SPACES),
        default="pca",
        required=True,
        format_func=SPACES.__getitem__,
        key="space",
        help=(
            "Principal components: the plane along which the features differ most; distances can be believed as far "
            "as two directions hold them. t-SNE keeps neighbours together; distances between groups, and the sizes of "
            "groups, mean nothing."
        ),
        persist_state="session",
    )
    thumbnails = switches.toggle(
        "Pictures", value=True, key="thumbnails", help="Off: only the marks of the classes.", persist_state="session"
    )
    rows = index.rows[_shown(index)]
    places, asked, how = _arranged(shared, gallery, way, index, place)
    order = np.argsort(rows)
    tiles = np.empty((len(rows), *gallery.images.shape[1:]), np.uint8)
    tiles[order] = gallery.images[rows[order]]
    points = [
        Point(int(row), gallery.files[row], None if gallery.labels is None else int(gallery.labels[row]))
        for row in rows
    ]
    chart, aside = st.columns([3, 1], gap="large")
    with chart:
        event = st.plotly_chart(
            plane(places, points, network.classes, asked, tiles if thumbnails else None),
            key="plane",
            on_select="rerun",
            selection_mode="points",
            config=NO_TOOLBAR | {"scrollZoom": True},
            alt=f"{len(rows)} pictures as points; those that the network finds alike lie close together.",
        )
        way_of_arranging = SPACES[way][0].lower() + SPACES[way][1:]
        st.caption(f"{len(rows):,} pictures by {way_of_arranging} of the last hidden layer. {how}")
    with aside:
        chosen = [point["customdata"] for point in event.selection.points if "customdata" in point]
        if chosen:
            row = int(chosen[0])
            name = _class_of(network, gallery, row)
            st.image(
                framed(gallery.images[row : row + 1][0], 320, True),
                caption=f"{plain(gallery.files[row])} {plain(name)}",
                width="stretch",
                alt=f"The chosen picture: {gallery.files[row]}.",
            )
        else:
            st.image(question.image, caption=plain(question.title), width="stretch", alt="The picture asked about.")
            st.caption("The star. Choose a point to see its picture here; drag to move the plane, zoom by the wheel.")


def _shown(index: Index) -> np.ndarray:
    """Which of the pictures of an index are on the map: evenly chosen ones of those that it begins with, which are
    evenly chosen themselves."""
    return evenly(min(len(index.rows), neighbours.SAMPLE), embedding.MOST // 2)


def _arranged(
    shared: SharedNetwork, gallery: Gallery, way: str, index: Index, place: torch.Tensor
) -> tuple[np.ndarray, np.ndarray, str]:
    """(places, the present picture's place, how it came there)."""
    features = index.points[-1][torch.from_numpy(_shown(index))]
    # An index of all pictures begins with other ones than an index of some, and has directions of its own.
    key = (shared.key, gallery.key, len(index.rows), way)
    if way == "pca":
        axes, places = _planes().get(key, lambda: embedding.pca(features))
        share = percent(axes.kept * index.axes[-1].kept)  # the index itself keeps some of the directions
        kept = f"The two directions hold {share} of all differences. The star is placed exactly."
        return places, embedding.on_plane(axes, place[None])[0], kept
    with st.spinner(f"Arranging {len(features):,} pictures; takes some seconds", show_time=True):
        places = _planes().get(key, lambda: embedding.tsne(features))
    placed = embedding.among(features, places, place)
    how = (
        f"t-SNE cannot place a new picture: the star is at the mean place of its {len(placed.among)} nearest pictures."
    )
    return places, placed.place, how
