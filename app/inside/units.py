"""What the page Units shows of one unit: the pictures that excite it most and least, classes, views of a patch."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from PIL import Image

from alexnet_core.insight import feature_maps, unit_views, units
from alexnet_core.insight.gallery import Gallery, numbers
from alexnet_core.insight.units import Patch, Survey, UnitLayer
from app import answers
from app.figures.bars import MOST, bars
from app.figures.marked import framed
from app.figures.mosaic import mosaic
from app.figures.palette import NO_TOOLBAR
from app.inside.first_layer import described
from app.inside.layers import field_of, layers_of
from app.remembered import remembered
from app.sentences import plain
from app.session import Picture, SharedNetwork
from app.words import percent

MOST_PICTURES = 10_000
"""Looked through, evenly spaced: enough for nine extreme ones of each unit, and seconds of work."""
TILE = 110
"""Pixels of a patch on the screen."""


def first_layer_shown(layers: dict[str, UnitLayer]) -> str:
    """A layer to begin with: before the ReLU in the middle, deep enough to be interesting, early enough for small
    patches, and with what its units dislike not cut off yet."""
    found = list(layers.values())
    rectified = [place for place, layer in enumerate(found) if layer.kind == "ReLU" and layer.side]
    return found[max(0, rectified[len(rectified) // 2] - 1)].name if rectified else found[0].name


def surveyed(
    shared: SharedNetwork, gallery: Gallery, layer: str, progress: Callable[[float, str], object] | None = None
) -> Survey:
    """How all units of the layer answer to the gallery."""

    def compute() -> Survey:
        def told(share: float) -> None:
            if progress is not None:
                progress(share, f"Looking through {min(MOST_PICTURES, len(gallery)):,} pictures")

        return units.survey(shared.network, gallery, layer, told, MOST_PICTURES, shared.lock)

    return remembered((shared.key, gallery.key, layer, "survey"), compute)


def patches(shared: SharedNetwork, gallery: Gallery, layer: str, unit: int, strongest: bool) -> list[Patch]:
    """The nine patches at one end."""
    found, field = surveyed(shared, gallery, layer), field_of(shared, layer)

    def compute() -> list[Patch]:
        with shared.lock:
            return units.patches(shared.network, gallery, found, field, unit, strongest)

    return remembered((shared.key, gallery.key, layer, unit, strongest, "patches"), compute)


def nine(found: Sequence[Patch]) -> Image.Image:
    """Patches with their values, three in a row."""
    return mosaic(np.stack([patch.pixels for patch in found]), 3, TILE, [number(patch.value) for patch in found])


def number(value: float) -> str:
    """An answer with three digits, never as a power of ten."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def default_unit(survey: Survey) -> int:
    """The unit to begin with: the most selective one that fires now and then, else the most excited one."""
    if survey.class_means is None:
        return int(survey.strongest.values[:, 0].argmax())
    scores = [
        (survey.selectivity(unit) or 0.0) if survey.excited[unit] >= OFTEN else -1.0
        for unit in range(len(survey.excited))
    ]
    return int(np.argmax(scores))


OFTEN = 0.01
"""Share of the pictures; a unit that fires for fewer is selective by chance."""


def numbers_of(shared: SharedNetwork, gallery: Gallery, layer: str, unit: int) -> list[tuple[str, str, str]]:
    """(label, value, explanation) of what is measured about the unit."""
    survey, strongest = surveyed(shared, gallery, layer), patches(shared, gallery, layer, unit, True)[0]
    classes = shared.network.classes
    rows = [
        (
            "Above zero",
            percent(float(survey.excited[unit])),
            f"The share of the {survey.pictures:,} pictures in which it answers above zero anywhere. "
            "A unit that never does is dead for these pictures.",
        ),
        (
            "Strongest answer",
            number(strongest.value),
            f"To {plain(gallery.files[strongest.row])}, of all the pictures.",
        ),
    ]
    selectivity = survey.selectivity(unit)
    if selectivity is not None and survey.class_means is not None:
        rows.append(
            (
                "Selectivity",
                f"{selectivity:.2f}",
                "How far its favourite class excites it more than the others do: (m − r) ÷ (m + r), with m its largest "
                "mean over a class and r the mean of the other classes'. 0: all alike; 1: one class alone "
                "(Morcos et al. 2018, section 2.3). Selective units are not the most important ones, they found.",
            )
        )
        favourite = classes[int(np.nanargmax(survey.class_means[unit]))]
        rows.append(("Favourite class", plain(favourite), "The class whose pictures excite it most on average."))
    return rows


def show_classes(survey: Survey, classes: Sequence[str], unit: int) -> None:
    """The mean answer to each class as bars, the largest first."""
    if survey.class_means is None:
        return
    means = survey.class_means[unit]
    order = [int(place) for place in np.argsort(-np.nan_to_num(means, nan=-1.0), kind="stable")[:MOST]]
    st.plotly_chart(
        bars([classes[place] for place in order], [float(means[place]) for place in order], "mean answer"),
        config=NO_TOOLBAR,
        alt=f"The mean answer of unit {unit} by class; the largest is {classes[order[0]]}.",
    )
    st.caption(
        "Its mean over all places and over all pictures of a class, values below zero counted as zero, as the next "
        "ReLU would pass them on."
    )


def live(shared: SharedNetwork, picture: Picture, layer: UnitLayer, unit: int) -> tuple[Image.Image, str]:
    """The unit's answer to the present picture, and the sentence about it."""
    if layer.side is None:
        value = single_number(shared, picture, layer.name, unit)
        return answers.square(
            shared.network.preprocessing, picture
        ), f"It answers to the present picture: {number(value)}."
    maps = answers.maps(shared, picture, layer.name)
    values = maps.values[unit]
    above = "orange above zero, blue below" if maps.signed else "yellow is strong, violet weak"
    if not values.any():
        return answers.square(shared.network.preprocessing, picture), "It answers zero everywhere in this picture."
    return (
        answers.map_over(shared, picture, maps, unit, field_of(shared, layer.name)),
        f"Where it answers to the present picture ({above}); at most {number(values.max())}, "
        f"at least {number(values.min())}.",
    )


def single_number(shared: SharedNetwork, picture: Picture, layer: str, unit: int) -> float:
    """What a unit without a map answers to a picture."""

    def compute() -> np.ndarray:
        with shared.lock:
            return feature_maps.numbers_of_layer(shared.network, picture.image, layer)

    return float(remembered((shared.key, picture.key, layer, "numbers"), compute)[unit])


def why_no_passes(shared: SharedNetwork) -> str | None:
    """Why the two ways back cannot be drawn for this network, in a sentence; None where they can."""
    return next((reason for method in PASSES.values() if (reason := answers.why_not(shared, method))), None)


def drawn_back(shared: SharedNetwork, gallery: Gallery, layer: str, unit: int) -> dict[str, Image.Image]:
    """The strongest patch, and where the network allows them the two backward passes to it, by what they are called on
    the screen."""
    patch = patches(shared, gallery, layer, unit, True)[0]
    left, top, right, bottom = patch.box
    ways = {} if why_no_passes(shared) else PASSES

    def compute() -> dict[str, Image.Image]:
        with shared.lock:
            images = numbers(shared.network, gallery, np.array([patch.row]))
            passes = {
                title: unit_views.drawn_back(shared.network, images, layer, unit, patch.place, method)
                for title, method in ways.items()
            }
        pixels = gallery.images[np.array([patch.row])][0]
        views = {
            "Picture": framed(enlarge(pixels), patch.box, images.shape[-1]),
            "What the unit sees": enlarge(pixels[top:bottom, left:right]),
        }
        for title, values in passes.items():
            cut = values[:, top:bottom, left:right]
            views[title] = enlarge(unit_views.as_picture(cut))
        return views

    return remembered((shared.key, gallery.key, layer, unit, "drawn back"), compute)


PASSES: dict[str, unit_views.BackwardPass] = {
    "Guided backpropagation": "guided_backprop",
    "Deconvolution": "deconvolution",
}


def enlarge(pixels: np.ndarray) -> Image.Image:
    """A small picture, uint8 (h, w, 3), as large as it is shown, every pixel a square."""
    zoom = max(1, answers.SHOWN_SIDE // max(pixels.shape[:2]))
    return Image.fromarray(pixels.repeat(zoom, axis=0).repeat(zoom, axis=1))


def filter_of(shared: SharedNetwork, layer: str, unit: int) -> np.ndarray | None:
    """The filter as a picture, uint8 (k, k, 3), of the first convolution and what follows it; else None."""
    first, _ = described(shared)
    names = list(layers_of(shared))
    kinds = {name: one.kind for name, one in layers_of(shared).items()}
    if first.name not in names or layer not in names:
        return None
    behind = names[names.index(first.name) + 1 : names.index(layer) + 1]
    if names.index(layer) < names.index(first.name) or any(kinds[name] in ("convolution", "linear") for name in behind):
        return None
    return first.tiles[unit] if unit < len(first.tiles) else None


def last_unit(layer: UnitLayer) -> int:
    """The largest number a unit of the layer can have."""
    return layer.units - 1


def about_least(layer: UnitLayer, found: Sequence[Patch]) -> str:
    """What the weakest answers are."""
    if layer.kind == "ReLU" and not any(patch.value for patch in found):
        return (
            "Here the unit answers nothing at all: behind a ReLU nothing is below zero, and many pictures have such "
            "places. What it dislikes shows in the layer before the ReLU."
        )
    return "The nine pictures with the weakest answers anywhere in them, cut to what the unit sees there."


ABOUT_MOST = (
    "The nine pictures with the strongest answers, cut to what the unit sees there; grey lies outside of the picture. "
    "The number is the answer."
)
ABOUT_PASSES = (
    "The frame is what the unit sees where it answers most; beside it that patch, and two ways back from the unit to "
    "these pixels, cut to the frame. Middle grey is zero. Guided backpropagation (Springenberg et al. 2014) and the "
    "deconvolutional network (Zeiler and Fergus 2013) both draw clean edges, also for a network with scrambled "
    "weights: they show what is there to be seen, less what the unit makes of it."
)
ABOUT_PATCH = "The frame is what the unit sees where it answers most; beside it that patch."
