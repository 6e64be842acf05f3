"""A picture that grows on the page Units: what it is to excite, its switches, and the growing itself."""

from collections.abc import Iterator
from dataclasses import asdict, fields

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.feature_visualisation import STEPS, Drawing, Objective, Regularisers, doubts, visualise
from alexnet_core.insight.units import UnitLayer
from alexnet_core.runs.directory import RunDirectory
from app.inside.units import enlarge, number
from app.remembered import finished_drawing, keep_drawing
from app.sentences import plain
from app.session import IMAGENET, SharedNetwork

GOALS = {
    "channel": "This unit, everywhere",
    "centre": "This unit, in the middle",
    "class": "A class",
    "difference": "One class rather than another",
}
SWITCHES = {
    "fourier": (
        "Waves",
        "The picture is a sum of waves, coarse ones strong as in photographs. Off: single pixels, and the picture "
        "turns to fine noise.",
    ),
    "decorrelated": (
        "Colour contrasts",
        "Steps are taken in brightness and two colour contrasts, as natural colours vary. Off: red, green and blue by "
        "themselves, and the colours become loud.",
    ),
    "jitter": (
        "Shift",
        "Before each step the picture is shifted a little. Off: patterns that fit one grid of pixels only.",
    ),
    "rotate": ("Turn", "... turned by up to 5 degrees."),
    "scale": ("Enlarge", "... enlarged or made smaller by up to a tenth."),
}
Key = tuple[object, ...]
GROWER = "grower"
"""In the session: (key, the network's lock, what grows the picture), while it grows."""


def choose_objective(shared: SharedNetwork, layer: UnitLayer, unit: int) -> Objective:
    """What the picture is made to excite."""
    goals = list(GOALS) if layer.side else [goal for goal in GOALS if goal != "centre"]
    goal = st.segmented_control(
        "It should excite",
        goals,
        default="channel",
        required=True,
        format_func=lambda goal: GOALS[goal] if layer.side or goal != "channel" else "This unit",
        key=f"goal-{bool(layer.side)}",
        help="Everywhere: the mean of the unit's map. In the middle: one value, so that one finds its pattern once.",
        persist_state="session",
        wrap=True,
    )
    if goal in ("channel", "centre"):
        return Objective(unit, layer.name, centre=goal == "centre")
    classes = range(len(shared.network.classes))
    target = st.selectbox(
        "Class",
        classes,
        format_func=shared.network.classes.__getitem__,
        key="grown_class",
        help="Its logit grows: the score of the class, before scores become probabilities.",
        persist_state="session",
    )
    if goal == "class":
        return Objective(target)
    against = st.selectbox(
        "Rather than",
        [index for index in classes if index != target],
        format_func=shared.network.classes.__getitem__,
        key="grown_against",
        help="Its logit is subtracted: what both classes share does not grow.",
        persist_state="session",
    )
    return Objective(target, against=against)


def choose_regularisers() -> tuple[Regularisers, int, int]:
    """The switches, the number of steps and the seed, folded away."""
    with st.expander("What keeps the picture from becoming noise", icon=":material/tune:"):
        st.caption("Switch one off, grow the picture again, and see why it is needed.")
        with st.container(horizontal=True):
            chosen = {
                name: st.toggle(title, value=True, key=f"grow-{name}", help=text, persist_state="session")
                for name, (title, text) in SWITCHES.items()
            }
        left, right = st.columns(2)
        steps = left.slider(
            "Steps",
            32,
            512,
            STEPS,
            32,
            key="grow-steps",
            help="More steps, more detail, more time.",
            persist_state="session",
        )
        seed = right.number_input(
            "Seed",
            0,
            999_999,
            0,
            key="grow-seed",
            help="The same seed gives the same picture; another, another one.",
            persist_state="session",
        )
    assert set(chosen) == {field.name for field in fields(Regularisers)}
    return Regularisers(**chosen), steps, int(seed)


def show(shared: SharedNetwork, choice: str, layer: UnitLayer, unit: int) -> None:
    """The whole section."""
    picture, settings = st.columns(2, gap="large")
    with settings:
        objective = choose_objective(shared, layer, unit)
        kinds, steps, seed = choose_regularisers()
        key: Key = (shared.key, objective, tuple(asdict(kinds).items()), steps, seed)
        buttons = st.container(horizontal=True)
        bar = st.empty()
        for sentence in doubts(shared.network, accuracy(choice)):
            st.caption(f":material/info: {plain(sentence)}")
    place, caption = picture.empty(), picture.empty()
    kept: dict[Key, Drawing] = st.session_state.setdefault("grown", {})
    finished = finished_drawing(key)
    drawing = finished or kept.get(key)
    if drawing is not None:
        draw(place, caption, drawing)
    else:
        place.info(
            "Press the button: a picture grows from grey, step by step, until it excites this as much as it can."
        )
    if finished is not None:
        return
    if st.session_state.get("growing") != key:
        buttons.button(
            "Grow a picture", type="primary", icon=":material/psychiatry:", key="grow", on_click=_start, args=(key,),
            help="Takes some seconds; you can watch, and stop.",
        )  # fmt: skip
        return
    buttons.button("Stop", icon=":material/stop:", key="stop-growing", on_click=_stop, help="What has grown stays.")
    # A click elsewhere on the page interrupts the growing, and the next run of the page goes on with it.
    known = st.session_state.get(GROWER)
    if known is None or known[:2] != (key, shared.lock):  # a network that was loaded anew has another lock
        known = st.session_state[GROWER] = (key, shared.lock, visualise(shared.network, objective, kinds, steps, seed))
    grower: Iterator[Drawing] = known[2]
    while True:
        try:
            with shared.lock:
                step = next(grower, None)
        except Exception:  # also for want of memory: it cannot go on, and what has grown is not the whole
            _stop()
            raise
        if step is None:
            break
        drawing = step
        kept.clear()
        kept[key] = drawing
        draw(place, caption, drawing)
        bar.progress(drawing.step / drawing.steps, f"Step {drawing.step} of {drawing.steps}")
    assert drawing is not None
    keep_drawing(key, drawing)
    _stop()
    st.rerun()


def draw(place: DeltaGenerator, caption: DeltaGenerator, drawing: Drawing) -> None:
    """The picture so far."""
    place.image(enlarge(drawing.pixels), width="stretch", alt=f"The grown picture after {drawing.step} steps.")
    caption.caption(
        f"After {drawing.step} of {drawing.steps} steps; this picture excites it to {number(drawing.value)}. "
        "It shows what excites it most, not what it usually meets. Method: Olah et al. 2017, Distill."
    )


def accuracy(choice: str) -> float | None:
    """How often the run's network is right on pictures it has not learned from, where that was measured."""
    if choice.startswith(IMAGENET):
        return None
    try:
        evaluation = RunDirectory.find(choice).evaluation()
    except ExplorerError:  # gone meanwhile
        return None
    return None if evaluation is None else float((evaluation.labels == evaluation.predictions).mean())


def _start(key: Key) -> None:
    st.session_state["growing"] = key


def _stop() -> None:
    for name in ("growing", GROWER):
        st.session_state.pop(name, None)
