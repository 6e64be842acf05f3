"""One run on the page Train: how it stands, live; and at its end what it takes for what."""

from typing import Literal

import streamlit as st

from alexnet_core.runs import launcher
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.states import LIVE, RunState
from alexnet_core.training.pace import MEASURING
from app import run_words, words
from app.figures.confusion import confusion
from app.figures.curves import curves
from app.figures.mosaic import mosaic
from app.figures.palette import NO_TOOLBAR
from app.sentences import plain, sentences_for_people
from app.session import load
from app.training import progress_of_runs, remedies

TICK = 1.5
"""Seconds between two looks at a live run."""
SHOWN_PICTURES = 24
STUBBORN = 30
"""Seconds that a run may take to stop before the page offers to end it: a step of a large network takes some."""

FROZEN = "They were made before the first step and are frozen: the other layers learn."


def show(run_id: str) -> None:
    """The whole run."""
    run = RunDirectory.find(run_id)
    live = run.state().status in LIVE
    updates = live and st.toggle(
        "Live updates",
        value=True,
        key="live_updates",
        help=f"Look again every {TICK} seconds.",
        persist_state="session",
    )
    # The timer lives in the browser; without a time it is off.
    st.fragment(_course, run_every=TICK if updates else None)(run, live)
    _onward(run, live)
    if not live:
        _mistakes(run)
        _printed(run)


def _onward(run: RunDirectory, live: bool) -> None:
    """Where to go with the run: into its network, once it has learned, and to what can be done with any run."""
    with st.container(horizontal=True):
        if not live and run.latest_network_path() is not None:
            st.page_link(
                "views/look_inside.py",
                label="Look inside it",
                icon=":material/search:",
                help="Its filters, and what its layers answer.",
                query_params={"run": run.id},
            )
            st.page_link(
                "views/explain.py",
                label="Let it explain a picture",
                icon=":material/image_search:",
                help="Which places of the picture its answer rests on.",
                query_params={"run": run.id},
            )
        st.page_link(
            "views/runs.py",
            label="Compare it, name it, take it home",
            icon=":material/stacked_line_chart:",
            help="The page Runs, with this one open.",
            query_params={"open": run.id},
        )


def _course(run: RunDirectory, was_live: bool) -> None:
    with sentences_for_people():
        state = run.state()
        if was_live and state.status not in LIVE:
            st.rerun()
        _standing(run, state)
        course = progress_of_runs.course(run)
        if course is None:
            return
        st.progress(course.share, text=f"Epoch {course.epoch} of {course.epochs}")
        with st.grid("auto", min_column_width=165):
            for label, value, explanation in course.numbers:
                st.metric(label, value, help=explanation, border=True)
        left, right = st.columns(2)
        left.plotly_chart(
            curves(course.train_loss, course.val_loss, "Loss", course.epochs),
            key="loss",
            config=NO_TOOLBAR,
            alt="Training and validation loss over the epochs.",
        )
        right.plotly_chart(
            curves(course.train_top1, course.val_top1, "Accuracy", course.epochs, percent=True),
            key="accuracy",
            config=NO_TOOLBAR,
            alt="Training and validation accuracy over the epochs.",
        )
        st.caption(
            "Loss: minus the natural logarithm of the probability that the network gives the true class, on average "
            "(cross-entropy); lower is better. Guessing evenly gives the logarithm of the number of classes: 0.69 for "
            "two, 2.30 for ten, 6.91 for a thousand. Accuracy: how often the first answer is right (top-1). Train "
            "values are taken while training, with changed pictures and dropout, so they may look worse than the "
            "validation's. Nothing is smoothed."
        )
        newest = progress_of_runs.newest_filters(run)
        if newest is not None:
            step, filters = newest
            kept = run.config().settings.freeze_first
            st.subheader("First filters, which stay as they are" if kept else "First filters as they form")
            st.image(
                mosaic(filters.tiles, 12, 66),
                width="stretch",
                alt=f"The {len(filters.tiles)} filters of the first layer at step {step}.",
            )
            st.caption(
                f"After {step:,} steps. Grey is a weight of zero; each filter is stretched by its own largest "
                f"weight and keeps its place from the start to the end. {FROZEN if kept else ''}"
            )


def _standing(run: RunDirectory, state: RunState) -> None:
    """How the run stands, and what one can ask of it."""
    look, icon, kind = run_words.STANDING[state.status]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(look, icon=icon, color=kind)
        if state.message and state.status != "failed":
            st.markdown(plain(state.message), width="content")
        if state.status in LIVE:
            _wishes(run, state)
        elif state.status in ("stopped", "interrupted") and not run.bundled:
            _resume(run, "primary")
    if state.status == "failed":
        _failure(run, state)
    elif state.status == "interrupted":
        st.caption(run_words.lost_at_most())
    elif state.message == MEASURING:
        st.caption(run_words.MEASURED, help=run_words.MEASURED_HELP)
    elif state.status == "running":
        st.caption(run_words.way_of_computing(run.config().settings), help=run_words.MEASURED_HELP)
    for sentence in progress_of_runs.passed_over(run) if state.status != "finished" else []:
        st.warning(plain(sentence), icon=":material/healing:")


def _wishes(run: RunDirectory, state: RunState) -> None:
    wishes = run.wishes()
    if "STOP" in wishes:
        st.caption("Stopping after this step.", width="content")
        if run.seconds_since("STOP") > STUBBORN and st.button(
            "End it now",
            icon=":material/dangerous:",
            help="For a training that does not answer. It is asked once more, to save, and ended by force after 20 "
            "seconds. What it saved last stays, and the run can go on from there.",
        ):
            with st.spinner("Ending it"):
                launcher.end(run)
            st.rerun()
        return
    if "PAUSE" in wishes:
        if st.button("Resume", icon=":material/play_arrow:", help="Let the training go on where it paused."):
            run.withdraw("PAUSE")
            st.rerun()
    elif state.status == "running" and st.button("Pause", icon=":material/pause:", help="Wait after this step."):
        run.ask("PAUSE")
        st.rerun()
    if st.button("Stop", icon=":material/stop:", help="Save and end; the run can go on later."):
        run.ask("STOP")
        st.rerun()


def _failure(run: RunDirectory, state: RunState) -> None:
    """Why the run failed; what may mend it, as a new run; and the way on from the last saved step."""
    st.error(plain(state.message), icon=":material/error:")
    remedy = state.remedy
    with st.container(horizontal=True):
        if remedy and st.button(
            run_words.try_instead(*remedy),
            type="primary",
            icon=":material/restart_alt:",
            help="A new run; this one stays.",
        ):
            st.query_params["run"] = remedies.start_again(run, *remedy).id
            st.rerun(scope="app")
        if not remedy or remedy[0] not in remedies.CERTAIN:
            _resume(run, "secondary" if remedy else "primary")


def _resume(run: RunDirectory, kind: Literal["primary", "secondary"]) -> None:
    if st.button("Resume", type=kind, icon=":material/play_arrow:", help="From the last saved step."):
        launcher.resume(run)
        st.rerun()


def _printed(run: RunDirectory) -> None:
    """The end of log.txt."""
    lines = progress_of_runs.printed(run)
    if lines:
        with st.expander("What the process printed", icon=":material/terminal:"):
            st.code("\n".join(lines), language=None, wrap_lines=True, height=300)


def _mistakes(run: RunDirectory) -> None:
    """The confusion matrix; a cell opens its pictures."""
    if run.evaluation() is None:
        return
    found = progress_of_runs.confusions(run, load(run.id).network.classes)
    st.subheader("What it takes for what")
    true_key, predicted_key = f"true-{run.id}", f"predicted-{run.id}"
    if true_key not in st.session_state:
        st.session_state[true_key], st.session_state[predicted_key] = found.worst()
    indices = range(len(found.classes))
    left, right = st.columns([3, 2], gap="large")
    with right:
        true = st.selectbox(
            "Really",
            indices,
            key=true_key,
            format_func=found.classes.__getitem__,
            help="The true class: a row of the matrix.",
        )
        predicted = st.selectbox(
            "Taken for",
            indices,
            key=predicted_key,
            format_func=found.classes.__getitem__,
            help="The network's answer: a column of the matrix.",
        )
        _cell(run, found, true, predicted)

    def clicked() -> None:
        points = st.session_state[f"matrix-{run.id}"].selection.points
        if points:
            st.session_state[true_key], st.session_state[predicted_key] = points[0]["customdata"]

    with left:
        st.plotly_chart(
            confusion(found.counts, found.classes, (true, predicted)),
            key=f"matrix-{run.id}",
            on_select=clicked,
            selection_mode="points",
            config=NO_TOOLBAR,
            alt="Confusion matrix: rows are true classes, columns the network's answers.",
        )
        st.caption(run_words.matrix_caption(found.evaluation))


def _cell(run: RunDirectory, found: progress_of_runs.Confusions, true: int, predicted: int) -> None:
    rows = found.rows(true, predicted)
    st.markdown(run_words.cell(len(rows), found.classes[true], found.classes[predicted]))
    shown = rows[:SHOWN_PICTURES]
    images = progress_of_runs.pictures_of(run, found.evaluation.split)
    if images is not None and shown:
        st.image(
            mosaic(images[shown], min(6, len(shown)), 96),
            width="content",
            alt=f"Pictures of {found.classes[true]} taken for {found.classes[predicted]}.",
        )
    with st.expander("File names", icon=":material/description:"):
        for row in shown:
            st.markdown(words.answer(found.evaluation.files[row], float(found.evaluation.probabilities[row])))
    if len(rows) > len(shown):
        st.caption(f"The {len(shown)} surest of {len(rows)}.")
