"""The first layer's filters as the page Look inside shows them: in any order, with the dead ones and the two groups of
colour named."""

import numpy as np
import streamlit as st

from alexnet_core.insight import filters
from alexnet_core.insight.filters import ORIENTED, FirstLayer, Order, Split, Traits
from alexnet_core.insight.units import Survey
from app.figures.colour_split import colour_split
from app.figures.mosaic import columns_for, mosaic
from app.figures.palette import NO_TOOLBAR
from app.inside import map_words
from app.remembered import remembered
from app.session import SharedNetwork

ORDERS: dict[Order, str] = {
    "colour": "From grey to coloured",
    "number": "As the network has them",
    "orientation": "By direction",
    "frequency": "From coarse to fine",
}
EXPLAINED: dict[Order, str] = {
    "colour": "from grey to coloured",
    "number": "in the order in which the network has them",
    "orientation": "by the direction of their stripes or edge, those without one at the end",
    "frequency": "from coarse to fine, by the strongest frequency of their Fourier transform",
}


def show(shared: SharedNetwork) -> None:
    """The filters, how to sort them, and what they divide into."""
    layer, traits = described(shared)
    place = st.container()
    by = st.segmented_control(
        "Order",
        list(ORDERS),
        default="colour",
        required=True,
        format_func=ORDERS.__getitem__,
        key="filter_order",
        help="The same filters, arranged by what is measured on their weights.",
        persist_state="session",
        wrap=True,
    )
    order = traits.order(by)
    numbers = st.toggle(
        "Numbers", key="filter_numbers", persist_state="session", help="The number each filter has in the network."
    )
    place.image(
        mosaic(layer.tiles[order], columns_for(len(order)), 88, [str(n) for n in order] if numbers else None),
        width="stretch",
        alt=f"The {len(order)} filters of the first layer as small colour pictures, {EXPLAINED[by]}.",
    )
    place.caption(
        f"The {len(order)} filters of `{layer.name}`, {map_words.window(layer)} pixels each, {EXPLAINED[by]}. Grey is "
        "a weight of zero, brighter is positive, darker negative, in each of the three colours; each filter is "
        f"stretched by its own largest weight. {faint(traits)}"
    )
    with st.expander("Colour-blind and colour-selective filters", icon=":material/palette:"):
        split = filters.split_by_colour(traits.colourfulness)
        st.plotly_chart(
            colour_split(traits.colourfulness.tolist(), split.threshold),
            config=NO_TOOLBAR,
            alt=f"How colourful the filters are: {split.grey} lie below {split.threshold:.2f}, {split.coloured} above.",
        )
        st.caption(groups(split))


def described(shared: SharedNetwork) -> tuple[FirstLayer, Traits]:
    """The filters as the network has them, and what they are like."""

    def compute() -> tuple[FirstLayer, Traits]:
        layer = filters.first_layer_filters(shared.network)
        return layer, filters.traits(layer.weights)

    return remembered((shared.key, "described filters"), compute)


def faint(traits: Traits) -> str:
    """Which filters are next to nothing."""
    dead = np.flatnonzero(traits.faint)
    if not len(dead):
        return "None of them is dead: each weighs more than a fiftieth of the strongest tenth."
    numbers = ", ".join(map(str, dead[:12])) + (", ..." if len(dead) > 12 else "")
    return f"{len(dead)} of them hardly weigh anything, beside the strongest (dead filters): {numbers}."


def silent(survey: Survey) -> str:
    """Which units never fire for any picture of a gallery."""
    dead = np.flatnonzero(survey.silent)
    if not len(dead):
        return f"Each unit of this layer is above zero for at least one of {survey.pictures:,} pictures: none is dead."
    numbers = ", ".join(map(str, dead[:12])) + (", ..." if len(dead) > 12 else "")
    return f"Never above zero for any of {survey.pictures:,} pictures, dead for them: {numbers}."


def groups(split: Split) -> str:
    """What the histogram says."""
    clear = (
        "That is a clear division"
        if split.explained > CLEAR
        else "That is hardly more than an even spread would give: there is no clear division"
    )
    return (
        f"{split.grey} filters are colour-blind, {split.coloured} colour-selective; the threshold is where the two "
        f"groups differ most (Otsu 1979). {split.explained:.0%} of the variance lies between them. "
        f"{clear} (values spread evenly would give 75 %). In the 2012 paper (section 6.1), where the layer was "
        "divided between two graphics cards, the one half became colour-agnostic and the other colour-specific."
    ).replace("% of", " % of")


CLEAR = 0.8
"""A little more than the 0.75 of an even spread."""


BLOB = 0.5
"""Cycles along the filter below which there is no stripe beside another."""


def filter_facts(traits: Traits, unit: int) -> str:
    """One filter in a sentence."""
    colour = f"colourfulness {traits.colourfulness[unit]:.2f} (0 grey, 1 compares colours only)"
    if traits.frequency[unit] < BLOB:
        return f"A blob without stripes, {colour}."
    cycles = f"{traits.frequency[unit]:.1f} cycles along the filter"
    if traits.oriented[unit] < ORIENTED:
        return f"No clear direction, {cycles}, {colour}."
    return f"Stripes at {traits.angle[unit]:.0f}° (0° lying, 90° upright), {cycles}, {colour}."
