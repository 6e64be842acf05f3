"""The form for a new run on the page Train: pictures, network, recipe, settings, and how long it will take."""

import dataclasses
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import available, prepare
from alexnet_core.limits import IMAGE_SIZE
from alexnet_core.models import MODELS, check_image_size
from alexnet_core.runs import launcher
from alexnet_core.training.config import BOUNDS, CHOICES, TrainConfig, explanations, label
from alexnet_core.training.recipes import RECIPES
from app import estimates, session, words
from app.datasets import PREPARED_UNASKED, glance, in_stock, offers, usual_size
from app.figures.balance import class_balance
from app.figures.mosaic import mosaic
from app.sentences import sentences_for_people

OWN = "own"
"""In the place of a data set's name: pictures of one's own, in a zip."""


def show() -> None:
    """The whole form."""
    left, right = st.columns(2, gap="large")
    with left:
        source, size = _data()
        model, recipe = _network_and_recipe()
    if source is None:
        right.info("Choose a zip with one folder of pictures for each class.", icon=":material/folder_zip:")
        return
    with right:
        prepared = _look(source, size, session.prepared_sets().get((source, size)) or in_stock(source, size))
    with left, sentences_for_people():
        check_image_size(model, size)
        given = {"model": model, "recipe": recipe}
        given |= _settings(given, prepared)
        outlook = st.empty()
        if st.button("Start training", type="primary", icon=":material/play_arrow:", width="stretch", help=START):
            prepared = prepared or _prepare(source, size)
            run = launcher.start(launcher.settled(given, prepared), prepared)
            st.query_params["run"] = run.id
            st.rerun()
        if prepared is not None:
            _outlook(outlook, launcher.settled(given, prepared), prepared)


START = "Prepares the pictures where needed, and starts a process of its own that goes on without this page."


def _data() -> tuple[str | None, int]:
    """The data set (or where the uploaded zip lies) and the side of its pictures."""
    sets = offers(available())
    source = st.selectbox(
        "Pictures",
        [*sets, OWN],
        format_func=lambda name: "Your own pictures, in a zip" if name == OWN else sets[name],
        key="new_data",
        help="The first ones need no network. Others are fetched once, when you ask for it.",
        persist_state="session",
    )
    if source == OWN:
        file = st.file_uploader(
            "Zip file", type="zip", help="One folder for each class, at least five pictures in each; at most 200 MB."
        )
        source = session.brought_zip(file.getvalue(), file.name) if file else None
    size = st.number_input(
        "Side of the pictures in pixels",
        *IMAGE_SIZE,
        usual_size(source or OWN),
        key=f"new_size-{source}",
        help="Every picture is cut to a square and resized to this. Larger ones show more and cost more time.",
    )
    return source, size


def _network_and_recipe() -> tuple[str, str]:
    which, how = st.columns(2)
    model = which.selectbox(
        "Network",
        list(MODELS),
        index=list(MODELS).index("alexnet_mini"),
        format_func=lambda name: MODELS[name].title,
        key="new_model",
        help="AlexNet mini learns in minutes on a laptop; AlexNet itself wants larger pictures and a graphics card.",
        persist_state="session",
    )
    which.caption(MODELS[model].about)
    recipe = how.selectbox(
        "Recipe",
        list(RECIPES),
        format_func=lambda name: RECIPES[name].title,
        key="new_recipe",
        help="A named set of settings. Each can be changed below.",
        persist_state="session",
    )
    how.caption(RECIPES[recipe].about)
    return model, recipe


def _look(source: str, size: int, prepared: PreparedSet | None) -> PreparedSet | None:
    """A look at the pictures and their balance, where they are prepared; else the button that prepares them."""
    if prepared is None:
        asked = source not in PREPARED_UNASKED
        if asked and not _asked_to_prepare(source):
            return None
        prepared = _prepare(source, size)
        if asked:
            st.rerun()  # the question is answered; its place is free
    pictures, caption = glance(prepared)
    st.image(mosaic(pictures, 10, 56), caption=caption, width="stretch", alt=f"Pictures of {prepared.title}.")
    st.plotly_chart(
        class_balance(prepared.classes, prepared.class_counts("train")),
        key="balance",
        config={"displayModeBar": False},
        alt=f"Training pictures of each of the {len(prepared.classes)} classes.",
    )
    st.caption(words.data_caption(prepared))
    if prepared.bad_files:
        st.warning(words.unusable(prepared.bad_files), icon=":material/broken_image:")
    return prepared


def _outlook(place: DeltaGenerator, settings: TrainConfig, prepared: PreparedSet) -> None:
    """What Start will do, and how long it will take: timed last, so that nobody has to wait for it to press Start."""
    plan = words.plan(settings, prepared.count("train"))
    place.caption(plan)
    asked: set[tuple[TrainConfig, str]] = st.session_state.setdefault("timed", set())
    question = (settings, prepared.identity)
    if not estimates.unasked(settings, prepared) and question not in asked:
        if not st.button("Estimate the time", icon=":material/timer:", help="Times a few real steps; some seconds."):
            return
        asked.add(question)
    place.caption(f"{plan} {words.estimate(estimates.seconds(*question, prepared))}")


def _asked_to_prepare(source: str) -> bool:
    st.info("These pictures are not prepared on this computer yet.", icon=":material/inventory_2:")
    return st.button("Prepare and look", icon=":material/visibility:", help=words.preparing(source))


def _prepare(source: str, size: int) -> PreparedSet:
    bar = st.progress(0.0, "Preparing the pictures")
    prepared = session.prepared_sets()[source, size] = prepare(
        source, image_size=size, progress=lambda *at: bar.progress(*words.progress(*at))
    )
    bar.empty()
    return prepared


def _settings(given: dict[str, str], prepared: PreparedSet | None) -> dict[str, Any]:
    """What the person changed; the recipe and the data decide the rest."""
    recipe = RECIPES[given["recipe"]].settings
    usual = launcher.settled(given, prepared) if prepared is not None else TrainConfig(**(recipe | given))
    changed = {}
    with st.expander("Settings", icon=":material/tune:"):
        st.caption("As the recipe and the pictures have them. What you change here wins.")
        columns = st.columns(2)
        names = [field.name for field in dataclasses.fields(TrainConfig) if field.name not in given]
        if "batch_norm" not in MODELS[given["model"]].settings:
            names.remove("batch_norm")
        for place, name in enumerate(names):
            # With the usual value in its key, a field follows the recipe until a person changes it.
            value = getattr(usual, name)
            with columns[place % 2]:
                wanted = _field(name, value, f"set-{name}-{given['recipe']}-{value}")
            if wanted != value:
                changed[name] = wanted
    return changed


def _field(name: str, value: Any, key: str) -> Any:
    """The widget for one setting, made from its kind, its bounds and its explanation."""
    about: dict[str, Any] = {"help": explanations()[name], "key": key, "persist_state": "session"}
    if name in CHOICES:
        return st.selectbox(label(name), CHOICES[name], index=CHOICES[name].index(value), **about)
    if isinstance(value, bool):
        return st.toggle(label(name), value=value, **about)
    low, high = (type(value)(bound) for bound in BOUNDS[name])
    step = 1 if isinstance(value, int) else words.step_of(value)
    shape = "%d" if isinstance(value, int) else "%.6g"
    return st.number_input(label(name), low, high, value, step, format=shape, **about)
