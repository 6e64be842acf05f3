"""The time machine on the screen: one slider over the moments of a training, a play button, and what they move."""

from functools import partial

import streamlit as st

from alexnet_core.insight.attribution import ATTRIBUTIONS
from alexnet_core.insight.gallery import Gallery
from alexnet_core.runs.directory import RunDirectory
from app import answers, session
from app.figures.history import course
from app.figures.ink import DARK, LIGHT, Paper
from app.figures.palette import NO_TOOLBAR
from app.gallery import choose_gallery
from app.inside import moving_pictures, run_history, time_machine
from app.inside.run_history import History
from app.inside.time_machine import Drawn, Watched
from app.sentences import plain, sentences_for_people
from app.session import Picture, SharedNetwork

TICK = 0.6
"""Seconds a moment is shown while it plays."""
MOMENT, PLAYING, SHOWN = "moment", "playing", "shown"
"""In the session: the slider's place (with the history's key behind it), the history that plays, the moment that was
shown last."""
AT_FIRST = "grad_cam"
"""The method to begin with: its maps are smooth, and so are their changes."""


def choose_history(choice: str) -> History:
    """The run's history. Stops the page, saying what to do, where there is none."""
    past = None if choice.startswith(session.IMAGENET) else run_history.history(RunDirectory.find(choice))
    if past is None:
        st.info(
            "This network brings no snapshots of its training. Choose a run above, or train a network: every run keeps "
            "up to about forty.",
            icon=":material/history:",
        )
        st.stop()
    return past


def choose_watched(past: History, shared: SharedNetwork, picture: Picture, choice: str) -> Watched:
    """What is looked at through all moments; the rarely changed part is folded away."""
    if not past.whole:
        layer = past.filters[-1].name
        st.caption(
            "The snapshots of this run hold the first layer alone (whole ones would be too large to bring along), so "
            "its filters, what they answer, and how far they move can be shown. A run of your own of a network with "
            "up to 8 million weights keeps whole ones, and moves everything: a minute or two with the digits."
        )
        return Watched(picture, layer, time_machine.strongest(shared, picture, layer), "", 0, None)
    with st.expander("What to watch", icon=":material/tune:"):
        labels, first = answers.layers(shared)
        layer = st.selectbox(
            "Layer of the maps",
            list(labels),
            index=list(labels).index(first),
            format_func=labels.__getitem__,
            key=f"watched-layer-{choice}",
            help=f"Its {time_machine.MAPS} maps that are the strongest in the end.",
            persist_state="session",
        )
        fast = [name for name, way in ATTRIBUTIONS.items() if not (way.slow or answers.why_not(shared, name))]
        method = st.selectbox(
            "Explained by",
            fast,
            index=fast.index(AT_FIRST) if AT_FIRST in fast else 0,
            format_func=lambda name: ATTRIBUTIONS[name].title,
            key="watched-method",
            help="Methods fast enough to be repeated at every moment.",
            persist_state="session",
        )
        likely = [one.index for one in answers.top(shared, picture)]
        target = st.selectbox(
            "Explain the class",
            [*likely, *(index for index in range(len(shared.network.classes)) if index not in likely)],
            format_func=shared.network.classes.__getitem__,
            help="What the network says in the end comes first.",
        )
        gallery: Gallery = choose_gallery(shared, choice)
    maps = time_machine.strongest(shared, picture, layer)
    return Watched(picture, layer, maps, method, target, time_machine.crowd(shared, gallery))


def show(past: History, shared: SharedNetwork, watched: Watched) -> None:
    """The controls, and everything that they move."""
    paper = DARK if st.context.theme.type == "dark" else LIGHT
    place = st.empty()
    with place.container():
        bar = st.progress(0.0, "Looking back")
        st.image(
            time_machine.drawn_filters(past.filters[-1]),
            width="stretch",
            alt="The first filters in the end.",
        )
    drawn = time_machine.film(past, shared, watched, paper, bar.progress)
    place.empty()
    key = f"{MOMENT}-{past.key}"
    if st.session_state.get(key) not in past.steps:
        st.session_state[key] = past.steps[-1]
    playing = st.session_state.get(PLAYING) == past.key
    st.button(
        "Pause" if playing else "Play",
        type="primary",
        icon=":material/pause:" if playing else ":material/play_arrow:",
        on_click=partial(_play, past, key, not playing),
        help="From the moment of the slider; from the start where that is the last one.",
    )
    st.fragment(_moving, run_every=TICK if playing else None)(past, shared, watched, drawn, key, playing)
    _read_off(past)
    _take_home(past, drawn, paper)


def _play(past: History, key: str, wanted: bool) -> None:
    st.session_state[PLAYING] = past.key if wanted else None
    if wanted and st.session_state[key] == past.steps[-1]:
        st.session_state[key] = past.steps[0]


def _moving(
    past: History, shared: SharedNetwork, watched: Watched, drawn: list[Drawn], key: str, playing: bool
) -> None:
    with sentences_for_people():
        if playing and st.session_state.get(PLAYING) != past.key:
            st.rerun()  # someone moved the slider: the timer ends with the page's next run
        if playing:
            _advance(past, key)
        step = st.select_slider(
            "Moment",
            past.steps,
            key=key,
            format_func=lambda step: f"step {step:,}",
            on_change=lambda: st.session_state.update({PLAYING: None}),
            help="Snapshots are kept at the start, after 1, 2, 4, 8 ... steps, and at ends of epochs.",
            persist_state="session",
        )
        st.session_state[SHOWN] = step
        _show(past, shared, watched, drawn[past.steps.index(step)], step)
        if playing and step == past.steps[-1]:
            st.session_state[PLAYING] = None
            st.rerun()


def _advance(past: History, key: str) -> None:
    """Let the slider stand at the next moment, once the one it stands at was shown: Play may just have gone back to the
    first one."""
    now = st.session_state[key]
    if st.session_state.get(SHOWN) == now and now != past.steps[-1]:
        st.session_state[key] = past.steps[past.steps.index(now) + 1]


def _show(past: History, shared: SharedNetwork, watched: Watched, one: Drawn, step: int) -> None:
    """One moment."""
    says = f" It says **{plain(one.says)}**." if one.says else ""
    st.markdown(f"{plain(past.at(step))}\\.{says}")
    left, middle, right = st.columns([6, 5, 4] if one.why else [1, 1, 0.01], gap="medium")
    with left:
        st.markdown("**First filters**")
        st.image(one.filters, width="stretch", alt=f"The filters of the first layer at step {step}.")
        st.caption("Grey is a weight of zero; each is stretched by its own largest weight and keeps its place.")
    with middle:
        st.markdown(f"**What `{watched.layer}` answers**")
        st.image(one.maps, width="stretch", alt=f"Maps of layer {watched.layer} at step {step}.")
        st.caption(
            f"{len(watched.maps)} maps for the picture, the same ones at every moment; one scale for all of a moment."
        )
    if one.why is not None:
        with right:
            name = shared.network.classes[watched.target]
            st.markdown(f"**Why {plain(name)}?**")
            st.image(one.why, width="stretch", alt=f"What speaks for {name} at step {step}.")
            st.caption(f"{ATTRIBUTIONS[watched.method].title} for this class, on the scale of the moment.")
    if one.plane is not None:
        _show_crowd(watched, one, step)
    _show_course(one)


def _show_crowd(watched: Watched, one: Drawn, step: int) -> None:
    left, right = st.columns(2, gap="medium")
    assert watched.crowd is not None
    count = len(watched.crowd.rows)
    with left:
        st.markdown("**The last hidden layer as a plane**")
        st.image(one.plane, width="stretch", alt=f"{count} pictures as points at step {step}.")
        st.caption(
            f"{count} pictures ({plain(watched.crowd.gallery.title)}), projected on the two principal axes of the "
            "network at the end, at every moment: what moves is the picture's features, not the plane. The ring is "
            "your picture."
        )
    with right:
        st.markdown("**What it takes for what**")
        if one.matrix is None:
            st.caption("These pictures have no classes of this network, so there is nothing to be right about.")
            return
        st.image(one.matrix, width="stretch", alt=f"Confusion matrix of the same pictures at step {step}.")
        st.caption("Rows: the true class of the same pictures. Columns: the answer, in the same order.")


def _show_course(one: Drawn) -> None:
    with st.grid(2, min_column_width=330):
        for course in one.courses:
            st.image(course, width="stretch", alt="Lines over the steps, with a cursor at the moment shown.")
    st.caption(
        "The red line is the moment shown. A layer's change is the length of the difference of its weights, divided by "
        "their length: 0 is no change, 1 a change as long as the weights themselves; snapshots that lie close together "
        "show little. The steps stand on a logarithmic axis, for much happens at the start."
    )


def _read_off(past: History) -> None:
    """The same lines as charts that tell their numbers."""
    with st.expander("Read the numbers off", icon=":material/show_chart:"), st.grid(2, min_column_width=330):
        for one in past.courses:
            st.plotly_chart(
                course(one.series, one.title, past.steps[-1], one.percent),
                key=f"past-{one.title}",
                config=NO_TOOLBAR,
                alt=f"{one.title} over the steps.",
            )


def _take_home(past: History, drawn: list[Drawn], paper: Paper) -> None:
    with st.expander("Take it home", icon=":material/download:"), st.container(horizontal=True):
        st.download_button(
            "Filters as GIF",
            partial(moving_pictures.filters_gif, past),
            file_name="filters.gif",
            mime="image/gif",
            icon=":material/gif_box:",
            help="The first filters growing, with the step under them; plays for ever.",
            on_click="ignore",
        )
        st.download_button(
            "Everything as GIF",
            partial(moving_pictures.panel_gif, past, drawn, paper),
            file_name="training.gif",
            mime="image/gif",
            icon=":material/gif_box:",
            help="All drawings side by side and the curves below them, moving together; takes a few seconds.",
            on_click="ignore",
        )
