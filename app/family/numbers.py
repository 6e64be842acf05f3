"""The table of the family: what each network costs, what it reaches elsewhere and here, how fast it is on this
machine."""

from typing import Any

import streamlit as st

from alexnet_core.models import MODELS
from alexnet_core.models.family import IDEAS, costs, idea_of, published
from alexnet_core.models.measuring import Spread
from alexnet_core.runs.listing import Summary, summaries
from app.family import speed
from app.words import memory

COLUMNS: dict[str, str] = {
    "Pixels": "The side of the picture that it was made for, and is counted with.",
    "Parameters": "Numbers that are learned.",
    "Multiply-adds": "Multiplications with their additions for one picture; normalisations and poolings not counted.",
    "Maps": "Memory of the maps of all layers for one picture, in 32 bits: what a training step has to keep.",
    "On disk": "The file of its weights in 32 bits.",
    "ImageNet top-1": "Published by torchvision with its weights: one crop of each of 50,000 validation pictures.",
    "ImageNet top-5": "The same, when one of five answers has to be right.",
    "Best here": "The best of the runs on this computer, on pictures that it has not learned from.",
    "On": "The data set of that run.",
    "One picture, ms": "Measured on this machine: the median over the rounds; least and largest stand beside it.",
    "Spread, ms": "The fastest and the slowest round.",
    "Pictures a second": "In batches, measured on this machine; the median over the rounds.",
    "Idea": "What it has that AlexNet had not; the first tab shows each.",
    "Year": "Of the paper whose network it is, or follows in small.",
}

NETWORK = "As the page Train calls it."
"""What stands at the title of the first column."""


def show() -> None:
    """The button that measures, and the table, which stays while one waits."""
    above = st.container()
    rows = _rows()
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(format=_format(name), help=text)
        if name not in ("Idea", "Year", "Maps", "On disk", "On", "Spread, ms")
        else st.column_config.TextColumn(help=text)
        for name, text in COLUMNS.items()
    }
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        placeholder="–",
        column_config=config | {"Network": st.column_config.TextColumn(pinned=True, help=NETWORK)},
        alt=f"The {len(rows)} networks with their costs, accuracies and, where measured, their speed here.",
    )
    st.caption(
        "Counted by shape: networks for ImageNet with 1,000 classes, the small ones with 10. Point at a column's title "
        "for what it says. AlexNet with batch normalisation and the small networks have no ImageNet weights in "
        "torchvision, so no published accuracy. The recipes of the published ones differ: ResNet-50's weights come "
        "from a newer recipe than its paper's, worth some five points. On a narrow screen, swipe the table sideways."
    )
    with above:
        speed.panel()


def _format(name: str) -> str:
    if name.startswith(("ImageNet", "Best")):
        return "percent"
    return "%.1f" if name.endswith("ms") else "localized"


def _rows() -> list[dict[str, Any]]:
    best, measured = _best_runs(), speed.known()
    rows = []
    for name, entry in MODELS.items():
        its, reached, run = costs(name), published(name), best.get(name)
        idea = idea_of(name)
        row: dict[str, Any] = {"Network": entry.title}
        if measured:
            one = measured.get(name)
            row["One picture, ms"] = None if one is None else one.latency_ms.median
            row["Spread, ms"] = "" if one is None else _spread(one.latency_ms)
            row["Pictures a second"] = None if one is None else round(one.images_per_s.median)
        row |= {
            "Pixels": its.image_size,
            "Parameters": its.parameters,
            "Multiply-adds": its.multiply_adds,
            "Maps": memory(its.activation_bytes),
            "On disk": memory(its.file_bytes),
            "ImageNet top-1": None if reached is None else reached.top1,
            "ImageNet top-5": None if reached is None else reached.top5,
            "Best here": None if run is None else run.top1,
            "On": "" if run is None else run.config.data.title,
            "Idea": IDEAS[idea].title if idea else "",
            "Year": str(entry.year),
        }
        rows.append(row)
    return rows


def _spread(found: Spread) -> str:
    return f"{found.least:.1f} to {found.largest:.1f}"


def _best_runs() -> dict[str, Summary]:
    """The most accurate finished run of each network."""
    best: dict[str, Summary] = {}
    for one in summaries():
        name = one.config.settings.model
        if one.top1 is not None and (name not in best or one.top1 > (best[name].top1 or 0.0)):
            best[name] = one
    return best
