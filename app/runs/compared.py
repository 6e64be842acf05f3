"""The runs that are compared: named in the address, at most as many as there are colours; and their curves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from alexnet_core.errors import ExplorerError
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.listing import Summary
from alexnet_core.training.events import EpochDone, Event, Started, StepDone
from app.figures.overlay import MOST, Course
from app.sentences import plain

AT_FIRST = 3
"""Runs that are compared before anybody chose."""
ADDRESS = "compare"


@dataclass(frozen=True)
class Measure:
    """Something that has a value again and again while a run goes on."""

    title: str
    about: str
    percent: bool = False
    each_step: bool = False
    """Whether it is measured between epochs, too."""


MEASURES: dict[str, Measure] = {
    "val_top1": Measure(
        "Validation top-1", "How often the first answer is right on pictures that are not trained on.", percent=True
    ),
    "val_loss": Measure(
        "Validation loss",
        "How surprised the network is by the true classes of pictures that are not trained on (mean cross-entropy); "
        "lower is better.",
    ),
    "train_loss": Measure(
        "Training loss",
        "How surprised the network is while it trains (mean cross-entropy), with changed pictures and dropout.",
        each_step=True,
    ),
    "train_top1": Measure("Training top-1", "How often it is right while it learns; a mean of each epoch.", True),
    "lr": Measure("Learning rate", "How far a step goes.", each_step=True),
}
AXES = {"epoch": ("Epoch", "epoch"), "step": ("Step", "step"), "time": ("Time", "minutes of training")}
"""(title of the choice, title of the axis)."""


def choose(summaries: Sequence[Summary]) -> list[str]:
    """The ids of the runs to compare: those in the address, else the last chosen ones, else some that have a curve."""
    known = {one.id for one in summaries}
    wanted = st.query_params.get(ADDRESS)
    if wanted is not None:
        asked = list(dict.fromkeys(wanted.split(",")))
        if any(name not in known for name in asked if name):
            st.toast("Some of the runs to compare are not here any more.", icon=":material/link_off:")
        chosen = asked
    else:
        usual = [one.id for one in summaries if one.val_top1 is not None][:AT_FIRST]
        chosen = st.session_state.get("compared", usual)
    keep([name for name in chosen if name in known][:MOST])
    return st.session_state["compared"]


def keep(chosen: Sequence[str]) -> None:
    """Remember the choice, in the address, too."""
    st.session_state["compared"] = list(chosen)
    if chosen:
        st.query_params[ADDRESS] = ",".join(chosen)
    elif ADDRESS in st.query_params:
        del st.query_params[ADDRESS]


def switch(run_id: str) -> None:
    """Take a run into the comparison, or out of it, as its box says."""
    chosen: list[str] = [name for name in st.session_state["compared"] if name != run_id]
    keep([*chosen, run_id] if st.session_state[box(run_id)] else chosen)


def box(run_id: str) -> str:
    """The key of the run's box."""
    return f"compare-{run_id}"


def courses(summaries: Sequence[Summary], chosen: Sequence[str], measure: str, axis: str) -> list[Course]:
    """The values of `measure` in each chosen run that has some, along `axis`; a run without timing has no time."""
    by_id = {one.id: one for one in summaries}
    found = []
    for place, run_id in enumerate(chosen):
        one = by_id[run_id]
        at, values = _course(run_id, one.run.metrics_size(), one.run.timing_size(), measure, axis)
        if values:
            found.append(Course(one.title, at, values, place))
    return found


@st.cache_data(max_entries=128, show_spinner=False)
def _course(run_id: str, metrics: int, timing: int, measure: str, axis: str) -> tuple[list[float], list[float]]:
    """(places along the axis, values); the sizes of the run's files are there to notice that it has gone on."""
    try:
        run = RunDirectory.find(run_id)
        kinds = (StepDone, EpochDone) if measure == "lr" else StepDone if MEASURES[measure].each_step else EpochDone
        all_events = run.events()
        events = [event for event in all_events if isinstance(event, kinds)]
        steps = np.array([event.step for event in events], dtype=float)
        values = [float(getattr(event, measure)) for event in events]
        if axis == "step" or not values:
            return steps.tolist(), values
        if axis == "epoch":
            return (steps / _steps_of_an_epoch(all_events)).tolist(), values
        timings = run.timings()
        if not timings:
            return [], []
        known = [(line.step, line.seconds / 60) for line in timings]
        return np.interp(steps, [0, *(step for step, _ in known)], [0, *(minutes for _, minutes in known)]).tolist(), (
            values
        )
    except ExplorerError:  # a damaged file: the run's own page says so
        return [], []


def _steps_of_an_epoch(events: Sequence[Event]) -> float:
    """As the run's first event says, so that a run in its first epoch stands where it is; else from an epoch's end."""
    started = next((event for event in events if isinstance(event, Started)), None)
    if started is not None:
        return max(1, started.steps) / max(1, started.epochs)
    last = next((event for event in reversed(events) if isinstance(event, EpochDone)), None)
    return last.step / last.epoch if last is not None and last.step and last.epoch else 1.0


def legend(one: Summary, sign: str) -> str:
    """A compared run in text, as Markdown: its sign and its name."""
    return f"{sign} {plain(one.title)}"
