"""One map of a layer, enlarged over the picture: where it answers most, what it sees there, and how that number comes
about."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.arithmetic import Rule, Sum, arithmetic
from alexnet_core.insight.feature_maps import FeatureMaps
from app import answers
from app.figures.marked import LEGIBLE, framed, number_grids
from app.figures.mosaic import enlarged
from app.figures.palette import NO_TOOLBAR
from app.inside import map_steps
from app.inside.layers import field_of
from app.remembered import remembered
from app.session import Picture, SharedNetwork

SHOWN_CHANNELS = 3
"""Input channels whose patches are shown: all of the first layer's, the strongest of a deeper one's."""
PLANES = ("red", "green", "blue")


def sum_of(shared: SharedNetwork, picture: Picture, layer: str, unit: int, place: tuple[int, int]) -> Sum | Rule:
    """How one value comes about. Raises ExplorerError for layers that have no sum of few numbers."""

    def compute() -> Sum | Rule:
        with shared.lock:
            return arithmetic(shared.network, picture.image, layer, unit, *place)

    return remembered((shared.key, picture.key, layer, unit, place, "sum"), compute)


def choose_place(maps: FeatureMaps, unit: int) -> tuple[int, int]:
    """Row and column of a value, the strongest at first."""
    values = maps.values[unit]
    high, wide = values.shape
    row, column = divmod(int(values.argmax()), wide)
    with st.expander("Choose another place", icon=":material/my_location:"):
        left, right = st.columns(2, wrap=False)
        key = f"{maps.layer}-{unit}-{row}-{column}"
        chosen_row = left.number_input(
            "Row", 0, high - 1, row, key=f"row-{key}", help=f"Of the map, from the top; at first the strongest, {row}."
        )
        chosen_column = right.number_input(
            "Column", 0, wide - 1, column, key=f"column-{key}", help=f"From the left; at first the strongest, {column}."
        )
    return int(chosen_row), int(chosen_column)


def show_place(shared: SharedNetwork, picture: Picture, maps: FeatureMaps, unit: int, place: tuple[int, int]) -> None:
    """The picture with a frame round what the value sees, and that patch alone."""
    field = field_of(shared, maps.layer)
    preprocessing = shared.network.preprocessing
    box = field.box(*place)
    seen, patch = st.columns(2, wrap=False)
    seen.image(
        framed(answers.square(preprocessing, picture), box, preprocessing.size),
        width="stretch",
        alt=f"The picture with a frame round pixels {box[0]} to {box[2]} across and {box[1]} to {box[3]} down.",
    )
    pixels = np.asarray(preprocessing.crop(picture.image))[box[1] : box[3], box[0] : box[2]]
    patch.image(
        enlarged(pixels, max(1, answers.SHOWN_SIDE // max(pixels.shape[:2]))),
        width="stretch",
        alt="The patch of the picture inside the frame, pixel by pixel.",
    )
    value = float(maps.values[(unit, *place)])
    st.caption(
        f"The value of map {unit} at row {place[0]}, column {place[1]} is {value:.4g}. It depends on nothing but "
        f"{'the whole picture' if field.whole else 'the pixels in the frame'}: "
        f"{box[2] - box[0]} × {box[3] - box[1]} of them, beside them as the network gets them."
    )


def steps_to(
    shared: SharedNetwork, picture: Picture, layer: str, unit: int, place: tuple[int, int]
) -> list[tuple[str, Sum | Rule]]:
    """How a value comes about, from the convolution on: (layer, its arithmetic), as far back as layers form a row.

    Raises ExplorerError for layers that have no sum of few numbers.
    """
    found = sum_of(shared, picture, layer, unit, place)
    steps = [(layer, found)]
    for name in reversed(map_steps.group_of(shared, layer)[: map_steps.group_of(shared, layer).index(layer)]):
        if isinstance(found, Sum):
            break
        try:
            before = sum_of(shared, picture, name, unit, found.source)
        except ExplorerError:  # another number of maps: layers side by side come together here
            break
        if before.value != float(found.patch.max()):
            break
        steps.insert(0, (name, before))
        found = before
    return steps


def show_steps(shared: SharedNetwork, steps: Sequence[tuple[str, Sum | Rule]]) -> None:
    """The real numbers of one value, a step a layer."""
    first = next(iter(answers.layers(shared)[0]))
    for layer, found in steps:
        if isinstance(found, Sum):
            show_sum(found, layer == first)
        else:
            show_rule(found)


def show_rule(found: Rule) -> None:
    """A layer without a kernel, with its numbers."""
    st.markdown(rule(found))
    if found.patch.size > 1:
        st.plotly_chart(
            number_grids([found.patch], ["what went in"]),
            config=NO_TOOLBAR,
            alt=f"The {found.patch.size} numbers of which the largest is kept.",
        )


def show_sum(found: Sum, layer_is_first: bool) -> None:
    """A convolution's value with its patches and kernels."""
    strongest, rest = found.strongest(SHOWN_CHANNELS)
    if layer_is_first:
        strongest = tuple(sorted(strongest, key=lambda one: one.channel))
    names = [PLANES[one.channel] if layer_is_first else f"channel {one.channel}" for one in strongest]
    for title, grids in (("Patch", [one.patch for one in strongest]), ("Filter", [one.kernel for one in strongest])):
        st.plotly_chart(
            number_grids(grids, [f"{title}, {name}" for name in names]),
            config=NO_TOOLBAR,
            alt=f"{title} of {', '.join(names)} as tables of numbers.",
        )
    terms = [(one.product, name) for one, name in zip(strongest, names, strict=True)]
    others = len(found.contributions) - len(strongest)
    if others:
        terms.append((rest, f"the other {others} channels"))
    terms.append((found.bias, "bias" if found.bias else "no bias"))
    added = " ".join(f"{'−' if number < 0 else '+'} {written(abs(number))} ({name})" for number, name in terms)
    st.markdown(f"Patch × filter, added up: {added.removeprefix('+ ')} = **{written(found.value)}**")
    st.caption(
        "Each number of the patch is multiplied by the number at the same place of the filter; the products are added "
        "up. Zeros at an edge of the patch are the padding round the map."
        + (" Point at a square, or tap it, for its number." if strongest[0].patch.shape[1] > LEGIBLE else "")
        + (" The patch is the picture after its normalisation: 0 is the mean colour." if layer_is_first else "")
    )


def written(number: float) -> str:
    """With four decimals and a minus that is as long as a plus."""
    return f"{number:.4f}".replace("-", "−")


def rule(found: Rule) -> str:
    """A layer without a kernel, with its numbers put in."""
    taken = float(found.patch.flat[0])
    if found.kind == "ReLU":
        return f"The ReLU keeps what is above zero: max(0, {written(taken)}) = **{written(found.value)}**"
    if found.kind == "batch normalisation":
        n = {name: written(number) for name, number in found.numbers.items()}
        formula = f"({written(taken)} − {n['mean']}) ÷ {n['deviation']} × {n['stretch']} + {n['shift']}"
        return (
            "The normalisation subtracts the mean, divides by the standard deviation, stretches and shifts: "
            f"{formula.replace('− −', '+ ').replace('+ −', '− ')} = **{written(found.value)}**"
        )
    high, wide = found.patch.shape
    return f"The pooling keeps the largest of {high} × {wide} numbers: **{written(found.value)}**"
