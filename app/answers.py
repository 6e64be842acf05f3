"""What networks answered about pictures, remembered: predictions, feature maps, attributions, and the pictures of them.

Streamlit's own cache cannot report progress from inside, so answers are kept here, in a bounded store that all sessions
share. A network computes only under its lock.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from io import BytesIO
from threading import Lock
from typing import Any

import streamlit as st
from PIL import Image

from alexnet_core.insight import attribution, colours, feature_maps, filters, prediction
from alexnet_core.preprocess import Preprocessing
from app.figures.mosaic import enlarged
from app.session import Picture, SharedNetwork

SLOW = ("integrated_gradients", "occlusion")
"""Methods that take up to seconds; they wait to be asked for."""
SHOWN_SIDE = 448
"""Pixels at which a picture is shown, about; the network's own 64 would be a blur."""


class Answers:
    """The last `limit` answers."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """What is remembered under `key`, else what `compute` gives."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        answer = compute()
        with self._lock:
            self._kept[key] = answer
            while len(self._kept) > self.limit:
                self._kept.popitem(last=False)
        return answer


@st.cache_resource
def _small() -> Answers:
    return Answers(200)


@st.cache_resource
def _large() -> Answers:
    """Maps of a large network take up to 13 MB a layer."""
    return Answers(12)


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


def explained(
    shared: SharedNetwork,
    picture: Picture,
    method: str,
    target: int,
    progress: Callable[[float], None] | None = None,
) -> attribution.Attribution:
    """The attribution map by `method` for the class numbered `target`."""

    def compute() -> attribution.Attribution:
        with shared.lock:
            return attribution.attribute(shared.network, picture.image, method, target, progress)

    return _small().get((shared.key, picture.key, method, target), compute)


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


def map_over(shared: SharedNetwork, picture: Picture, found: feature_maps.FeatureMaps, number: int) -> Image.Image:
    """One feature map in colour over the picture, on its own scale; where the map is zero, the picture shows."""
    values = found.values[number]
    scale = float(abs(values).max()) or 1.0
    ground = square(shared.network.preprocessing, picture)
    heat = colours.signed(values, scale) if found.signed else colours.magnitude(values, scale)
    return colours.overlay(ground, heat, 0.9, colours.strength(values, scale))


def fraction(percent: int) -> float:
    """A slider's percent as a fraction."""
    return percent / 100


def png(picture: Image.Image) -> bytes:
    """The picture as a PNG file."""
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
