"""The form for a new run on the page Train: pictures, network, recipe, settings, and how long it will take."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from alexnet_core.data import corrections
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import available, prepare
from alexnet_core.limits import IMAGE_SIZE
from alexnet_core.models import check_image_size
from alexnet_core.runs import launcher
from alexnet_core.training.config import TrainConfig
from app import run_words, session, spool, words
from app.datasets import glance, in_stock, offers, unasked, usual_size
from app.figures.balance import class_balance
from app.figures.mosaic import mosaic
from app.figures.palette import NO_TOOLBAR
from app.sentences import sentences_for_people
from app.training import beginnings, beside, estimates, linked_settings, preview_panel, run_settings, ways

OWN = "own"
"""In the place of a data set's name: pictures of one's own, in a zip."""
FEW = 500
"""Pictures: with fewer to train on, a trained beginning decides more than anything else."""


def show() -> None:
    """The whole form."""
    linked_settings.show()
    left, right = st.columns(2, gap="large")
    with left:
        source, size = _data()
        begin = beginnings.choose(run_settings.size_key)
        given = beginnings.model_of(begin) if begin else run_settings.choose(source or OWN)
    if source is None:
        right.info("Choose a zip with one folder of pictures for each class.", icon=":material/folder_zip:")
        return
    with right:
        prepared = _look(source, size, _ready(source, size))
    with left, sentences_for_people():
        if not begin and prepared is not None and prepared.count("train") < FEW:
            st.info(
                f"{prepared.count('train'):,} pictures are few to learn from scratch. Under *Start from*, choose a "
                "trained network: it knows how to look, and has only your classes to learn.",
                icon=":material/lightbulb:",
            )
        check_image_size(given["model"], size)
        if begin:
            beginnings.say_size(begin, given["model"], size, run_settings.size_key(source))
            given["recipe"], places = ways.choose(given, prepared)
        own, given = given, linked_settings.joined(given)
        changed, processes = run_settings.change(given, prepared)
        outlook = st.empty()
        if st.button("Start training", type="primary", icon=":material/play_arrow:", width="stretch", help=START):
            prepared = prepared or _prepare(source, size)
            settings = launcher.settled(given | changed, prepared, processes)
            if begin:
                beginnings.see_to(settings, prepared)
            run = launcher.start(settings, prepared, processes=processes)
            st.query_params["run"] = run.id
            st.rerun()
        if begin and (equal := beside.ask()):
            prepared = prepared or _prepare(source, size)
            settings = launcher.settled(given | changed, prepared)
            beginnings.see_to(settings, prepared)
            beside.start_both(settings, prepared, equal, beginnings.title_of(begin))
        linked_settings.ask()
        if prepared is not None:
            settings = launcher.settled(given | changed, prepared, processes)
            preview_panel.show_for(settings, prepared)
            if begin:
                outlook.caption(run_words.plan(settings, prepared.count("train")))
                ways.tell_times(places, own, settings, prepared)
            else:
                _outlook(outlook, settings, prepared, processes)


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
        spool.begin()
        file = st.file_uploader(
            "Zip file", type="zip", help="One folder for each class, at least five pictures in each; at most 200 MB."
        )
        source = session.brought_zip(file) if file else None
        if source:  # the size that was chosen while it was on its way holds for it
            chosen = st.session_state.get(run_settings.size_key(OWN), usual_size(OWN))
            st.session_state.setdefault(run_settings.size_key(source), chosen)
    key = run_settings.size_key(source or OWN)
    st.session_state.setdefault(key, usual_size(source or OWN))
    size = st.number_input(
        "Side of the pictures in pixels",
        *IMAGE_SIZE,
        key=key,
        help="Every picture is cut to a square and resized to this. Larger ones show more and cost more time.",
        persist_state="session",
    )
    return source, size


def _ready(source: str, size: int) -> PreparedSet | None:
    """The set where it needs no preparing. What lies in stock is looked for at each run of the page, for it may have
    been corrected in another window; only which set came of an uploaded zip is remembered."""
    if st.session_state["new_data"] != OWN:
        return in_stock(source, size)
    known = session.prepared_sets().get((source, size))
    return None if known is None else corrections.in_stock(known)


def _look(source: str, size: int, prepared: PreparedSet | None) -> PreparedSet | None:
    """A look at the pictures and their balance, where they are prepared; else the button that prepares them."""
    if prepared is None:
        asked = not unasked(source)
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
        config=NO_TOOLBAR,
        alt=f"Training pictures of each of the {len(prepared.classes)} classes.",
    )
    st.caption(words.data_caption(prepared))
    if prepared.original:
        st.caption(":material/healing: With your corrections from the Data doctor.")
    if prepared.bad_files:
        st.warning(words.unusable(prepared.bad_files), icon=":material/broken_image:")
    return prepared


def _outlook(place: DeltaGenerator, settings: TrainConfig, prepared: PreparedSet, processes: int) -> None:
    """What Start will do, and how long it will take: timed last, so that nobody has to wait for it to press Start."""
    plan = run_words.plan(settings, prepared.count("train"))
    place.caption(plan)
    asked: set[tuple[TrainConfig, str]] = st.session_state.setdefault("timed", set())
    question = (settings, prepared.identity)
    if not estimates.unasked(settings, prepared) and question not in asked:
        with place.container():
            st.caption(plan)
            pressed = st.button(
                "Estimate the time", icon=":material/timer:", help="Times a few real steps; some seconds."
            )
        if not pressed:
            return
        asked.add(question)
    place.caption(f"{plan} {run_words.estimate(estimates.seconds(*question, prepared), processes)}")


def _asked_to_prepare(source: str) -> bool:
    st.info("These pictures are not prepared on this computer yet.", icon=":material/inventory_2:")
    return st.button("Prepare and look", icon=":material/visibility:", help=words.preparing(source))


def _prepare(source: str, size: int) -> PreparedSet:
    bar = st.progress(0.0, "Preparing the pictures")

    def tell(done: int, total: int, stage: str) -> None:
        bar.progress(*words.progress(done, total, stage))

    # Remembered as it came: corrections may still change, also in another window.
    came = session.prepared_sets()[source, size] = prepare(source, image_size=size, progress=tell, as_it_came=True)
    prepared = corrections.corrected(came, tell)
    bar.empty()
    return prepared
