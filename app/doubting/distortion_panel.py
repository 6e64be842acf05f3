"""The first half of the page Break it: one distortion, its strength, and what becomes of the answer."""

from dataclasses import replace
from functools import partial

import streamlit as st

from alexnet_core.insight.distortions import DISTORTIONS, Box, find_distortion
from alexnet_core.insight.gallery import Gallery
from app import answers, words
from app.doubting import breaking
from app.doubting.broken_picture import choose_method, first, says, show_accuracy
from app.figures.against_strength import Shares, against_strength
from app.figures.box import picture_to_box
from app.figures.palette import NO_TOOLBAR
from app.sentences import plain
from app.session import Picture, SharedNetwork

AT_FIRST = 5
"""The level in the middle: something has happened, and something is left. A box begins at its full size."""


def show(shared: SharedNetwork, picture: Picture) -> None:
    """Choices on top, then three pictures, then the curves."""
    choice, how_much, map_choice = st.columns([2, 3, 2], gap="large")
    with choice:
        name = st.selectbox(
            "Distortion",
            list(DISTORTIONS),
            format_func=lambda name: DISTORTIONS[name].title,
            key="distortion",
            help="One way of making a picture worse. All work on the square that the network looks at.",
            persist_state="session",
        )
    distortion = find_distortion(name)
    with how_much:
        level = st.select_slider(
            "Strength",
            range(len(distortion.levels)),
            value=AT_FIRST if name != "box" else len(distortion.levels) - 1,
            format_func=lambda place: distortion.level_text.format(distortion.levels[place]),
            key=f"strength-{name}",
            help="From the untouched picture to the strongest. The curve below has a point for each.",
            persist_state="session",
        )
    with map_choice:
        method = choose_method(shared)
    st.caption(distortion.does)
    box = _choose_box(shared, picture) if name == "box" else Box()
    found = breaking.series(shared, picture, name, box)
    classes, before = shared.network.classes, first(found.probabilities[0])
    untouched, worse, why = st.columns(3, gap="large")
    with untouched:
        st.image(breaking.shown(found.squares[0]), caption="Untouched", width="stretch", alt="The picture as it was.")
        says(classes, found.probabilities[0])
    with worse:
        text = distortion.level_text.format(distortion.levels[level])
        st.image(
            breaking.shown(found.squares[level]),
            caption=f"{distortion.title}: {text}",
            width="stretch",
            alt=f"The picture after this distortion: {distortion.title}, {text}.",
        )
        says(classes, found.probabilities[level])
    with why:
        explained = breaking.explained(shared, found.squares[level], (picture.key, name, level, box), method, before)
        st.image(
            breaking.laid_over(found.squares[level], explained),
            caption=f"Where it now finds {plain(classes[before])}",
            width="stretch",
            alt=f"The changed picture, coloured by how its places speak for {classes[before]}.",
        )
        st.caption(_verdict(classes, before, first(found.probabilities[level])))
    _curves(shared, found, name, level, box)
    st.download_button(
        "Download the changed picture",
        partial(answers.png, breaking.whole_file(shared, found.squares[level])),
        file_name="changed.png",
        mime="image/png",
        icon=":material/download:",
        help="A PNG of the square that the network got: upload it on another page, and it gets the same.",
        on_click="ignore",
    )


def _verdict(classes: tuple[str, ...], before: int, now: int) -> str:
    if before == now:
        return f"It still says {plain(classes[before])}."
    return f"It no longer says {plain(classes[before])}; it says {plain(classes[now])}."


def _choose_box(shared: SharedNetwork, picture: Picture) -> Box:
    """The box as it was dragged, or as the sliders have it: each sets the other."""
    state = st.session_state
    for name, value in (("box_x", 50), ("box_y", 50), ("box_width", 40), ("box_height", 40)):
        state.setdefault(name, value)
    drawn, sliders = st.columns(2, gap="large")
    with sliders:
        st.caption("Drag over the picture to draw the box, or move it here.")
        for name, label, least in (
            ("box_x", "From left to right", 0),
            ("box_y", "From top to bottom", 0),
            ("box_width", "Width", 5),
            ("box_height", "Height", 5),
        ):
            st.slider(
                label,
                least,
                100,
                step=1,
                format="%d %%",
                key=name,
                help="In percent of the picture's side. The first two say where the middle of the box lies.",
                persist_state="session",
            )
    box = Box(*(state[name] / 100 for name in ("box_x", "box_y", "box_width", "box_height")))
    with drawn:
        st.plotly_chart(
            picture_to_box(breaking.shown(breaking.seen(shared, picture)), _edges(box)),
            config=NO_TOOLBAR,
            key="dragged",
            on_select=_dragged,
            selection_mode="box",
            alt="The picture with the box that will cover it. Drag over it to draw another box.",
        )
    return box


def _edges(box: Box) -> tuple[float, float, float, float]:
    return (
        max(0.0, box.x - box.width / 2),
        max(0.0, box.y - box.height / 2),
        min(1.0, box.x + box.width / 2),
        min(1.0, box.y + box.height / 2),
    )


def _dragged() -> None:
    """Bring the sliders to the box that was drawn."""
    boxes = st.session_state["dragged"]["selection"]["box"]
    if not boxes:
        return
    for place, size, ends in (("box_x", "box_width", boxes[-1]["x"]), ("box_y", "box_height", boxes[-1]["y"])):
        low, high = (min(1.0, max(0.0, value)) for value in sorted(ends))
        st.session_state[place] = round(50 * (low + high))
        st.session_state[size] = max(5, round(100 * (high - low)))


def _curves(shared: SharedNetwork, found: breaking.Series, name: str, level: int, box: Box) -> None:
    distortion, classes = find_distortion(name), shared.network.classes
    levels = [f"{value:g}" for value in distortion.levels]
    across = distortion.across
    before, now = first(found.probabilities[0]), first(found.probabilities[level])
    one, many = st.columns(2, gap="large")
    with one:
        st.markdown("**This picture**")
        lines = [
            Shares(classes[index], found.probabilities[:, index].tolist()) for index in dict.fromkeys((before, now))
        ]
        winners = [f"it says {classes[first(row)]}" for row in found.probabilities]
        st.plotly_chart(
            against_strength(levels, [replace(lines[0], hover=winners), *lines[1:]], "probability", level, across),
            config=NO_TOOLBAR,
            key="one_curve",
            alt=f"The probability of {classes[before]} at each strength; at the chosen one it is "
            f"{words.percent(float(found.probabilities[level, before]))}.",
        )
    with many:
        st.markdown("**Many pictures**")
        _accuracy(shared, name, level, box, levels, across)


def _accuracy(shared: SharedNetwork, name: str, level: int, box: Box, levels: list[str], across: str) -> None:
    def measure(gallery: Gallery, progress: breaking.Progress, count: int) -> list[float]:
        return breaking.accuracies(shared, gallery, name, box, progress, count)

    def draw(shares: list[float]) -> None:
        st.plotly_chart(
            against_strength(levels, [Shares("right answers", shares)], "right answers", level, across),
            config=NO_TOOLBAR,
            key="many_curve",
            alt=f"The share of right answers at each strength; at the chosen one it is {words.percent(shares[level])}.",
        )

    explanation = (
        "Each is distorted at all eleven strengths. 200 take seconds with a small network, minutes with a large one. "
        "What was measured is kept."
    )
    show_accuracy(shared, (name, box), explanation, measure, draw)
