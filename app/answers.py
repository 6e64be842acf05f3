"""What networks answered about pictures, remembered: predictions, feature maps, attributions, and the pictures of them.

A network computes only under its lock, and what several sessions ask at the same time is computed once (`app.store`).
"""

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.insight import attribution, colours, feature_maps, filters, prediction
from alexnet_core.insight.gallery import evenly_spread
from alexnet_core.insight.receptive_field import Field
from alexnet_core.preprocess import Preprocessing
from app.figures.mosaic import enlarged
from app.gallery import own_set
from app.memory import give_back
from app.session import Picture, SharedNetwork
from app.store import Store
from app.waiting import before_you

SHOWN_SIDE = 448
"""Pixels at which a picture is shown, about; the network's own 64 would be a blur."""


@st.cache_resource
def _small() -> Store:
    return Store(200)


@st.cache_resource
def _attributions() -> Store:
    """0.6 MB each at 224 pixels: 60 MB."""
    return Store(100)


@st.cache_resource
def _large() -> Store:
    """Maps of a large network take up to 13 MB a layer."""
    return Store(12)


def first_filters(shared: SharedNetwork) -> filters.FirstLayer:
    """The first layer's filters, from grey to coloured."""
    return _small().get((shared.key, "filters"), lambda: filters.first_layer_filters(shared.network, by_colour=True))


def top(shared: SharedNetwork, picture: Picture) -> list[prediction.ClassProbability]:
    """The five most probable classes."""

    def compute() -> list[prediction.ClassProbability]:
        with shared.lock:
            return prediction.predict(shared.network, [picture.image])[0]

    return _small().get((shared.key, picture.key, "top"), compute)


def layers(shared: SharedNetwork) -> tuple[dict[str, str], str]:
    """The label of each layer with maps, by its name; and the one to begin with, the first ReLU, whose zero is
    black."""

    def compute() -> tuple[dict[str, str], str]:
        with shared.lock:
            found = feature_maps.layers_with_maps(shared.network)
        first = next((layer.name for layer in found if layer.kind == "ReLU"), found[0].name)
        return {layer.name: layer.label for layer in found}, first

    return _small().get((shared.key, "layers"), compute)


def maps(shared: SharedNetwork, picture: Picture, layer: str) -> feature_maps.FeatureMaps:
    """The maps of `layer` for the picture."""

    def compute() -> feature_maps.FeatureMaps:
        with shared.lock:
            return feature_maps.feature_maps(shared.network, picture.image, layer)

    return _large().get((shared.key, picture.key, layer), compute)


@dataclass(frozen=True)
class Watching:
    """What the one who asked is told while a map is computed. Each call may raise, to go away."""

    progress: Callable[[float], object]
    """The share that is done, 0 to 1."""
    waiting: Callable[[str], object]
    """A sentence, while others come first."""
    sketch: Callable[[attribution.Attribution], object] = lambda _: None
    """A coarse map, where the method offers some on its way to the full one."""


UNWATCHED = Watching(lambda _: None, lambda _: None)
SAME_QUESTION = "Someone asked the same a moment ago: the answer will be shown here, too."


@dataclass(frozen=True)
class Asked:
    """A question for one attribution map."""

    shared: SharedNetwork
    picture: Picture
    method: str
    target: int
    against: int | None = None
    """The class that the target is told apart from; None for none."""
    settings: tuple[tuple[str, Any], ...] = ()
    """(name, value) of the settings that are not the method's own."""

    @property
    def target_name(self) -> str:
        """The class asked about, and the one it is told apart from; from strangers, so no Markdown."""
        classes = self.shared.network.classes
        name = classes[self.target]
        return name if self.against is None else f"{name} rather than {classes[self.against]}"

    @property
    def key(self) -> tuple[Hashable, ...]:
        """What the map depends on."""
        beside = self.compared
        kept = None if beside is None else beside.identity
        return (self.shared.key, self.picture.key, self.method, self.target, self.against, self.settings, kept)

    @property
    def compared(self) -> PreparedSet | None:
        """The set whose training pictures the method compares with: the network's own, where that is prepared on this
        computer. None where it is not, and for a method that compares with no others."""
        if not attribution.ATTRIBUTIONS[self.method].compares or not self.shared.choice:
            return None
        return own_set(self.shared.choice, self.shared.network)

    @property
    def references(self) -> np.ndarray | None:
        """Some of those pictures, uint8 (n, S, S, 3)."""
        beside = self.compared
        return None if beside is None else evenly_spread(beside.images("train"))


def explained(asked: Asked, watching: Watching | None = None) -> attribution.Attribution:
    """The attribution map that answers the question. Who gives no `watching` is told of waits by the page's own
    line."""
    turn: AbstractContextManager[None] = asked.shared.lock
    meanwhile: Callable[[], object] | None = None
    if watching is not None:
        waiting = watching.waiting
        turn = asked.shared.lock.turn(lambda before: waiting(before_you(before)))
        meanwhile = partial(waiting, SAME_QUESTION)
    slow = attribution.ATTRIBUTIONS[asked.method].slow

    def compute() -> attribution.Attribution:
        with turn:
            if slow:
                give_back()  # else what quick maps have left in the heaps would lie beside what this one takes
            try:
                return _attributed(asked, watching or UNWATCHED)
            finally:
                if slow:
                    give_back()

    return _attributions().get(asked.key, compute, meanwhile)


def known(asked: Asked) -> attribution.Attribution | None:
    """The map where it was computed before."""
    return _attributions().known(asked.key)


def _attributed(asked: Asked, watching: Watching) -> attribution.Attribution:
    network, image, settings = asked.shared.network, asked.picture.image, dict(asked.settings)
    if asked.method != "occlusion":
        return attribution.attribute(
            network,
            image,
            asked.method,
            asked.target,
            watching.progress,
            against=asked.against,
            settings=settings,
            references=asked.references,
        )
    growing = attribution.refine_occlusion(
        network, image, asked.target, watching.progress, against=asked.against, settings=settings
    )
    with closing(growing):  # also when who asked goes away in the middle
        for answer in growing:
            watching.sketch(answer)
    return answer


def why_not(shared: SharedNetwork, method: str) -> str | None:
    """Why `method` cannot work on this network, in a sentence; None where it can."""

    def compute() -> str | None:
        with shared.lock:
            return attribution.why_not(shared.network, method)

    return _small().get((shared.key, "why not", method), compute)


def choices_of(shared: SharedNetwork, method: str, setting: attribution.Setting) -> tuple[str, ...]:
    """What the network offers for a setting of `method` that depends on it: its layers with maps."""
    assert setting.choices_of is not None

    def compute() -> tuple[str, ...]:
        with shared.lock:
            return setting.choices_of(shared.network)

    return _small().get((shared.key, "choices", method, setting.name), compute)


# -- as pictures ---------------------------------------------------------------------------------------------------


def square(preprocessing: Preprocessing, picture: Picture) -> Image.Image:
    """The square of the picture that the network looks at, sharp enough for the screen."""
    zoom = max(1, round(SHOWN_SIDE / preprocessing.size))
    sharper = replace(preprocessing, size=preprocessing.size * zoom, resize=preprocessing.resize * zoom)
    return sharper.crop(picture.image)


def as_seen(preprocessing: Preprocessing, picture: Picture) -> Image.Image:
    """The very pixels that the network gets, enlarged so that each is a visible square where there are few."""
    seen = preprocessing.crop(picture.image)
    zoom = max(1, round(SHOWN_SIDE / preprocessing.size))
    return seen.resize((seen.width * zoom, seen.height * zoom), Image.Resampling.NEAREST)


def laid_over(shared: SharedNetwork, picture: Picture, answer: attribution.Attribution, opacity: float) -> Image.Image:
    """The attribution in colour over the picture."""
    signed = attribution.ATTRIBUTIONS[answer.method].signed
    return colours.draw(square(shared.network.preprocessing, picture), answer.values, signed, opacity)


def map_alone(found: feature_maps.FeatureMaps, number: int, own_scale: bool) -> Image.Image:
    """One feature map as brightness, as it stands among the others, enlarged."""
    tile = found.tiles(not own_scale)[number]
    return enlarged(tile, max(1, round(SHOWN_SIDE / max(tile.shape))))


def map_over(
    shared: SharedNetwork, picture: Picture, found: feature_maps.FeatureMaps, number: int, field: Field
) -> Image.Image:
    """One feature map in colour over the picture, on its own scale, each value round the middle of what it sees; where
    the map is zero, the picture shows."""
    values = found.values[number]
    scale = float(abs(values).max()) or 1.0
    ground = square(shared.network.preprocessing, picture)
    heat = colours.signed(values, scale) if found.signed else colours.magnitude(values, scale)
    heat, strength = (field.laid_out(part, ground.width) for part in (heat, colours.strength(values, scale)))
    return colours.overlay(ground, heat, 0.9, strength)


def png(picture: Image.Image) -> bytes:
    """The picture as a PNG file."""
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
