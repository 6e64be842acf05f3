"""What the page Lesions shows: predictions and accuracies before and after, and what each class needs."""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import streamlit as st

from alexnet_core.insight import lesions
from alexnet_core.insight.gallery import Gallery
from alexnet_core.insight.lesions import Need, Outcome, Patient
from alexnet_core.insight.prediction import logits
from alexnet_core.insight.units import UnitLayer
from app import answers
from app.figures.bars import MOST, bars, dumbbells
from app.figures.palette import NO_TOOLBAR
from app.inside.layers import layers_of
from app.inside.units import single_number
from app.remembered import is_remembered, remembered, remembered_patient
from app.session import Picture, SharedNetwork
from app.unfinished import offer_stop
from app.words import duration, percent

PICTURES = 1000
"""Looked at for the accuracies: enough to see a class fall by a few percent, and quick."""
FALL = "fall of its mean probability, percentage points"
FELT = 0.0005
"""The least fall of a mean probability that is told: less is no tenth of a percentage point."""
AT_FIRST = 8
"""Units switched off when the page opens: enough that something happens."""
ANSWERS = 5
"""Classes shown of a prediction, before and after."""


def offered(shared: SharedNetwork) -> dict[str, UnitLayer]:
    """The layers whose units can be changed: all but the last, whose units are the classes themselves."""
    return dict(list(layers_of(shared).items())[:-1])


def first_offered(layers: dict[str, UnitLayer]) -> str:
    """The last ReLU with maps: few units, each with a meaning."""
    rectified = [layer.name for layer in layers.values() if layer.kind == "ReLU" and layer.side]
    return rectified[-1] if rectified else next(reversed(layers))


def strongest_units(shared: SharedNetwork, picture: Picture, layer: UnitLayer) -> list[int]:
    """The layer's units, the one that answers most to the present picture first."""
    if layer.side is not None:
        return answers.maps(shared, picture, layer.name).strongest().tolist()
    values = [single_number(shared, picture, layer.name, unit) for unit in range(layer.units)]
    return np.argsort(-np.asarray(values), kind="stable").tolist()


def probabilities(shared: SharedNetwork, picture: Picture, layer: str, factors: Mapping[int, float]) -> np.ndarray:
    """What the network says about the picture with the lesion, float (K,)."""

    def compute() -> np.ndarray:
        with shared.lock, lesions.lesioned(shared.network.model, layer, factors):
            return logits(shared.network, [picture.image]).softmax(dim=1)[0].numpy()

    return remembered((shared.key, picture.key, layer, tuple(factors.items()), "lesion"), compute)


def patient(shared: SharedNetwork, gallery: Gallery, layer: str) -> Patient:
    """The network on the gallery's pictures up to the layer. Raises ExplorerError for pictures without classes."""

    return remembered_patient(
        (shared.key, gallery.key, layer),
        lambda: lesions.prepare(shared.network, gallery, layer, PICTURES, shared.lock),
    )


def outcome(shared: SharedNetwork, gallery: Gallery, layer: str, factors: Mapping[int, float]) -> Outcome:
    """The accuracies with these factors."""
    prepared = patient(shared, gallery, layer)

    def compute() -> Outcome:
        with shared.lock:
            return lesions.outcome(prepared, factors)

    return remembered((shared.key, gallery.key, layer, tuple(factors.items()), "outcome"), compute)


def ask_for_needs(shared: SharedNetwork, gallery: Gallery, layer: UnitLayer) -> list[Need] | None:
    """What each class needs, once it was asked for; draws the button until then, and one to stop meanwhile."""
    question = (shared.key, gallery.key, layer.name)
    asked: set[tuple[str, str, str]] = st.session_state.setdefault("measured_needs", set())
    place = st.empty()
    if question not in asked and not place.button(
        f"Measure all {layer.units:,} units", type="primary", help="Once for all classes, with all pictures."
    ):
        return None
    asked.add(question)  # at once: a click elsewhere on the page lets it go on, not begin anew
    stop = st.empty()
    if not is_remembered((*question, "needs")):
        with stop:
            offer_stop(asked, question, "stop_measuring_needs", "measured")
    found = needs(shared, gallery, layer.name, place.progress)
    place.empty()
    stop.empty()
    return found


def needs(shared: SharedNetwork, gallery: Gallery, layer: str, progress: Callable[[float, str], object]) -> list[Need]:
    """Each unit of the layer switched off in turn; others may use the network between two of them. What was measured
    for a page that was left is kept: the next one who asks goes on from there."""
    prepared = patient(shared, gallery, layer)
    found: list[Need] = remembered((shared.key, gallery.key, layer, "needs until now"), list)

    def compute() -> list[Need]:
        begun, began = len(found), time.monotonic()
        every = lesions.needs(prepared, begun)
        while True:
            with shared.lock:
                need = next(every, None)
            if need is None:
                return found
            found.append(need)
            left = (need.units - len(found)) * (time.monotonic() - began) / (len(found) - begun)
            words = f"Unit {len(found):,} of {need.units:,} switched off, about {duration(left)} left"
            progress(len(found) / need.units, words)

    return remembered((shared.key, gallery.key, layer, "needs"), compute)


def show_prediction(classes: Sequence[str], before: np.ndarray, after: np.ndarray) -> None:
    """The most probable classes before and after."""
    most = [*np.argsort(-before)[:ANSWERS].tolist(), *np.argsort(-after)[:ANSWERS].tolist()]
    shown = list(dict.fromkeys(most))
    st.plotly_chart(
        dumbbells([classes[k] for k in shown], before[shown].tolist(), after[shown].tolist(), "probability"),
        config=NO_TOOLBAR,
        alt=f"Probabilities before and after. Before: {classes[shown[0]]}; after: {classes[int(after.argmax())]}.",
    )


def show_accuracies(classes: Sequence[str], before: Outcome, after: Outcome, pictures: int) -> None:
    """The accuracy of each class before and after, the most changed first where there are many."""
    there = [k for k in range(len(classes)) if np.isfinite(before.accuracy[k])]
    if len(there) > MOST:
        there.sort(key=lambda k: -abs(float(after.accuracy[k] - before.accuracy[k])))
    st.plotly_chart(
        dumbbells(
            [classes[k] for k in there],
            [float(before.accuracy[k]) for k in there],
            [float(after.accuracy[k]) for k in there],
            "accuracy",
        ),
        config=NO_TOOLBAR,
        alt=f"The accuracy of each class before and after; over all {before.overall:.1%} and {after.overall:.1%}.",
    )
    st.caption(
        f"Over all classes {percent(before.overall)} before and {percent(after.overall)} after, of {pictures:,} "
        f"pictures. With {pictures // max(1, len(there)):,} pictures a class, a change by one picture is no finding."
    )


def show_needs(found: Sequence[Need], whole: Outcome, label: int, name: str) -> int:
    """The units that a class needs most, as bars and as a table; the number of the first."""
    falls = [float(whole.accuracy[label] - need.outcome.accuracy[label]) for need in found]
    less = [float(whole.probability[label] - need.outcome.probability[label]) for need in found]
    order = sorted(range(len(found)), key=lambda unit: -less[unit])
    chart, table = st.columns(2, gap="large")
    with chart:
        st.plotly_chart(
            bars([f"unit {unit}" for unit in order], [100 * less[unit] for unit in order], FALL, ".2g"),
            config=NO_TOOLBAR,
            alt=f"How far the probability of {name} falls without each unit; unit {order[0]} is needed most.",
        )
    with table:
        st.dataframe(
            [
                {
                    "Unit": unit,
                    "Probability falls by": 100 * less[unit],
                    "Accuracy falls by": 100 * falls[unit],
                    "Over all classes": 100 * (whole.overall - found[unit].outcome.overall),
                }
                for unit in order
            ],
            hide_index=True,
            height=420,
            column_config={
                column: st.column_config.NumberColumn(format="%.2f points", help="In percentage points.")
                for column in ("Probability falls by", "Accuracy falls by", "Over all classes")
            },
            alt=f"All {len(found)} units with the fall of accuracy and probability of {name} when they are off.",
        )
    return order[0]


def pictures(shared: SharedNetwork, gallery: Gallery, layer: str) -> int:
    """How many pictures the accuracies are of."""
    return len(patient(shared, gallery, layer).labels)


def finding(found: Sequence[Need], whole: Outcome, label: int, unit: int, name: str) -> str:
    """The answer in words. `name` is Markdown."""
    probability = float(whole.probability[label] - found[unit].outcome.probability[label])
    accuracy = float(whole.accuracy[label] - found[unit].outcome.accuracy[label])
    harmless = sum(bool(need.outcome.accuracy[label] >= whole.accuracy[label]) for need in found)
    if not np.isfinite(probability):
        return f"There are no pictures of {name} here, so nothing can be said about what it needs."
    if probability < FELT:
        return (
            f"{name} needs no single unit of this layer: without any one of them it is as probable as before, to a "
            "tenth of a percentage point. Units that can stand in for each other do not show here: try several at once "
            "above."
        )
    points = f"{100 * abs(accuracy):.1f}"
    moved = f"{points} percentage points {'less' if accuracy > 0 else 'more'} often"
    often = moved if float(points) else "as often as before"
    return (
        f"{name} needs unit {unit} most: without it the probability of this class falls by {100 * probability:.1f} "
        f"percentage points on average over its own pictures, and the network is right about them {often}. "
        "The probability is what is ranked: with few pictures a class, accuracies move in coarse steps. "
        f"{harmless:,} of {len(found):,} units can be missed one at a time without a loss of accuracy. Units that can "
        "stand in for each other do not show here: try several at once above."
    )
