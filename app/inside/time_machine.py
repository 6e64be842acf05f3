"""What the time machine moves: what the network of each snapshot of a run makes of a picture and of many.

A snapshot is loaded, asked everything, and let go: nobody else has that network, so it needs no lock. What it answered
is kept in bounded stores that all sessions share, and so are the drawings: a step of the slider computes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO

import numpy as np
import streamlit as st
from PIL import Image

from alexnet_core.insight import attribution, colours, embedding, neighbours, training_history
from alexnet_core.insight.feature_maps import FeatureMaps, feature_maps
from alexnet_core.insight.filters import FirstLayer
from alexnet_core.insight.gallery import Gallery, evenly
from alexnet_core.insight.neighbours import Axes, Depth
from alexnet_core.insight.prediction import ClassProbability, predict
from alexnet_core.models import Network
from alexnet_core.models.weights import load_network
from app import answers
from app.figures import moments
from app.figures.ink import Paper
from app.figures.mosaic import columns_for, mosaic
from app.figures.timeline import timeline
from app.inside.run_history import History
from app.session import Picture, SharedNetwork
from app.store import Store
from app.words import percent

PICTURES = 200
"""Of the data set, at every moment: enough for a confusion matrix of ten classes, and read in milliseconds."""
MAPS = 24
"""Of one layer: those that are the strongest in the end."""
FILTER, MAP = 66, 70
"""Pixels of a tile, about."""

Tell = Callable[[float, str], None]
"""Called with the share that is done and a sentence; may raise, to stop."""


@st.cache_resource
def _crowds() -> Store:
    return Store(8)


@st.cache_resource
def _moments() -> Store:
    """Some 100 kB each: 40 MB."""
    return Store(400)


@st.cache_resource
def _films() -> Store:
    """Some 10 MB of PNGs each."""
    return Store(8)


@dataclass(frozen=True)
class Crowd:
    """Many pictures that are looked at in every moment, and the plane they move on."""

    gallery: Gallery
    rows: np.ndarray
    labels: np.ndarray | None
    depth: Depth
    plane: Axes
    """Of the network at the end, so that the points of all moments lie on the same one."""


def crowd(shared: SharedNetwork, gallery: Gallery) -> Crowd:
    """The pictures of a gallery that move on the plane."""

    def compute() -> Crowd:
        rows = evenly(len(gallery), PICTURES)
        with shared.lock:
            depth = neighbours.depths(shared.network)[-1]
            found = training_history.answers(shared.network, gallery, rows, depth)
        labels = None if gallery.labels is None else gallery.labels[rows]
        return Crowd(gallery, rows, labels, depth, embedding.pca(found.features)[0])

    return _crowds().get((shared.key, gallery.key, "crowd"), compute)


@dataclass(frozen=True)
class Watched:
    """What is looked at through all moments."""

    picture: Picture
    layer: str
    maps: np.ndarray
    """int (n,): the numbers of the maps that are shown."""
    method: str
    target: int
    crowd: Crowd | None
    """None where there is nothing but first layers."""


@dataclass(frozen=True)
class Moment:
    """What the network of one moment says."""

    maps: np.ndarray
    """uint8 (n, h, w)."""
    says: ClassProbability | None = None
    target: float = 0.0
    """The probability of the class that is explained."""
    why: Image.Image | None = None
    places: np.ndarray | None = None
    """float32 (n, 2): of the crowd."""
    place: np.ndarray | None = None
    """float32 (2,): of the picture."""
    counts: np.ndarray | None = None
    """int (true, predicted), where the crowd has classes."""


@dataclass(frozen=True)
class Drawn:
    """One moment as PNG files."""

    filters: bytes
    maps: bytes
    courses: tuple[bytes, ...]
    says: str = ""
    why: bytes | None = None
    plane: bytes | None = None
    matrix: bytes | None = None


def strongest(shared: SharedNetwork, picture: Picture, layer: str) -> np.ndarray:
    """The numbers of the maps that are strongest in the end."""
    return answers.maps(shared, picture, layer).strongest()[:MAPS]


def film(past: History, shared: SharedNetwork, watched: Watched, paper: Paper, tell: Tell) -> list[Drawn]:
    """Every moment, drawn. The first time it computes for some seconds, and tells how far it is."""
    place = watched.crowd.gallery.key if watched.crowd else ""
    question = (watched.picture.key, watched.layer, watched.method, watched.target, place)

    def compute() -> list[Drawn]:
        found = []
        for number, step in enumerate(past.steps):
            tell(number / len(past.steps), f"Asking the network of step {step:,}")
            found.append(_moment(past, shared, number, watched))
        lines = [
            timeline(course.series, course.title, past.steps[-1], paper, course.percent) for course in past.courses
        ]
        bounds = _bounds([moment.places for moment in found if moment.places is not None])
        drawn = []
        for number, moment in enumerate(found):
            tell(1.0, f"Drawing moment {number + 1} of {len(found)}")
            courses = tuple(_png(line.at(past.steps[number])) for line in lines)
            drawn.append(_draw(past.filters[number], moment, shared.network, watched, bounds, paper, courses))
        return drawn

    waiting = partial(tell, 0.0, "The same film is being made for someone else; please wait")
    return _films().get((past.key, shared.key, question, paper), compute, waiting)


def _moment(past: History, shared: SharedNetwork, number: int, watched: Watched) -> Moment:
    """Each part is kept alone, so that another method does not ask for the maps again."""
    step = past.steps[number]
    if not past.whole:
        weights = past.filters[number].weights
        with shared.lock:
            values = training_history.first_answers(shared.network, watched.picture.image, weights)
        return Moment(FeatureMaps(watched.layer, values, None).tiles()[watched.maps])
    path = past.run.snapshot_path(step)
    network = cache(lambda: load_network(path))  # read only where an answer is not known yet
    picture = watched.picture
    crowd = watched.crowd
    assert crowd is not None

    # By its own file: a moment stays what it was when later ones are added to a training that goes on.
    moment = (past.run.id, step, path.stat().st_mtime_ns)

    def kept(*key: object, compute: Callable[[], object]) -> object:
        return _moments().get((*moment, picture.key, *key), compute)

    # Which maps they are depends on the network at the end, which a running training moves between two snapshots.
    maps = kept(watched.layer, tuple(watched.maps.tolist()), compute=lambda: _maps(network(), watched))
    says, target, why = kept(watched.method, watched.target, compute=lambda: _explained(network(), watched))
    together = kept(crowd.gallery.key, crowd.depth, shared.key, compute=lambda: _together(network(), picture, crowd))
    return Moment(maps, says, target, why, *together)


def _maps(network: Network, watched: Watched) -> np.ndarray:
    return feature_maps(network, watched.picture.image, watched.layer).tiles()[watched.maps]


def _explained(network: Network, watched: Watched) -> tuple[ClassProbability, float, Image.Image]:
    every = predict(network, [watched.picture.image], top=len(network.classes))[0]
    found = attribution.attribute(network, watched.picture.image, watched.method, watched.target)
    ground = answers.square(network.preprocessing, watched.picture)
    signed = attribution.ATTRIBUTIONS[watched.method].signed
    target = next(one.probability for one in every if one.index == watched.target)
    return every[0], target, colours.draw(ground, found.values, signed)


def _together(network: Network, picture: Picture, crowd: Crowd) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The places of the crowd, that of the picture, and the confusion matrix."""
    found = training_history.answers(network, crowd.gallery, crowd.rows, crowd.depth)
    own = neighbours.features(network, network.preprocessing.tensor(picture.image), [crowd.depth])[0]
    counts = None
    if crowd.labels is not None:
        counts = training_history.confusion(crowd.labels, found.predictions, network.classes)
    return embedding.on_plane(crowd.plane, found.features), embedding.on_plane(crowd.plane, own)[0], counts


def _bounds(places: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The corners of the plane, the same for all moments; the outermost hundredth may lie at the edge."""
    if not places:
        return np.zeros(2), np.ones(2)
    together = np.vstack(places)
    return np.percentile(together, 1, axis=0), np.percentile(together, 99, axis=0)


def _draw(
    filters: FirstLayer,
    moment: Moment,
    network: Network,
    watched: Watched,
    bounds: tuple[np.ndarray, np.ndarray],
    paper: Paper,
    courses: tuple[bytes, ...],
) -> Drawn:
    sheet = _png(drawn_filters(filters))
    maps = _png(mosaic(moment.maps, 6, MAP))
    if moment.says is None or moment.why is None:
        return Drawn(sheet, maps, courses)
    assert watched.crowd is not None
    assert moment.places is not None
    assert moment.place is not None
    plane = moments.scatter(moment.places, watched.crowd.labels, network.classes, moment.place, bounds, paper)
    matrix = None if moment.counts is None else _png(moments.matrix(moment.counts, network.classes, paper))
    says = f"{moment.says.name}, {percent(moment.says.probability)}"
    return Drawn(sheet, maps, courses, says, _png(moment.why), _png(plane), matrix)


def drawn_filters(filters: FirstLayer) -> Image.Image:
    """The first filters of one moment."""
    return mosaic(filters.tiles, columns_for(len(filters.tiles)), FILTER)


def _png(picture: Image.Image) -> bytes:
    """Compressed lightly: there are two hundred drawings in a film, and they go no further than to the browser."""
    file = BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()
