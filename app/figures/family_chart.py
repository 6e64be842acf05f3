"""Networks as dots: what they reach against what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from app.figures.palette import ACCENT, GREEN, INK, ORANGE, PURPLE, QUIET, SKY, TEXT, VERMILLION, figure, plain

SIGNS: tuple[tuple[str, str], ...] = (
    (ACCENT, "circle"), (VERMILLION, "square"), (GREEN, "diamond"), (PURPLE, "hexagon"), (ORANGE, "triangle-up"),
    (SKY, "pentagon"), (QUIET, "star"), (GREEN, "cross"), (ORANGE, "x"), (VERMILLION, "triangle-down"),
)  # fmt: skip
"""A colour and a marker for each idea, in the order in which they come."""


@dataclass(frozen=True)
class Dot:
    """One network."""

    title: str
    idea: str
    """Networks of one idea share a sign."""
    multiply_adds: float
    parameters: float
    top1: float
    """A fraction of 1."""
    hover: str
    """What is said of it beside its title, in plain text."""
    side: str = "top center"
    """Where its name stands, as Plotly calls it."""


def accuracy_against_cost(dots: Sequence[Dot]) -> go.Figure:
    """Accuracy upwards, multiply-adds to the right (each line ten times the one before), the area of a dot its
    parameters."""
    fig = figure(470, hovermode="closest", dragmode=False)
    largest = max(dot.parameters for dot in dots)
    ideas = list(dict.fromkeys(dot.idea for dot in dots))
    for idea, (colour, symbol) in zip(ideas, SIGNS, strict=False):
        own = [dot for dot in dots if dot.idea == idea]
        fig.add_scatter(
            x=[dot.multiply_adds for dot in own],
            y=[dot.top1 for dot in own],
            name=plain(idea),
            mode="markers+text",
            text=[plain(dot.title) for dot in own],
            textposition=[dot.side for dot in own],
            textfont=TEXT,
            marker={
                "symbol": symbol,
                "size": [12 + 46 * (dot.parameters / largest) ** 0.5 for dot in own],
                "color": colour,
                "opacity": 0.85,
                "line": {"width": 1.5, "color": INK},
            },
            hovertext=[f"<b>{plain(dot.title)}</b><br>{plain(dot.hover)}" for dot in own],
            hoverinfo="text",
            cliponaxis=False,
        )
    fig.update_xaxes(
        type="log", title_text="multiply-adds for one picture", tickvals=[1e8, 1e9, 1e10],
        ticktext=["100 million", "1 billion", "10 billion"], range=[7.35, 10.55], zeroline=False, fixedrange=True,
    )  # fmt: skip
    fig.update_yaxes(title_text="ImageNet top-1", tickformat=".0%", range=[0.52, 0.89], zeroline=False, fixedrange=True)
    return fig
