"""How accurate several networks become in how much time: a line each, and how far its repetitions lie apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from app.figures.palette import TEXT, figure, plain

SIGNS: tuple[tuple[str, str], ...] = (
    ("dot", "circle"), ("solid", "diamond"), ("dash", "square"), ("dashdot", "triangle-up"), ("longdash", "x"),
    ("longdashdot", "cross"),
)  # fmt: skip
"""A dash and a marker for each line; colours are the theme's first ones, Okabe and Ito's, lighter in the dark."""


@dataclass(frozen=True)
class Ascent:
    """One network, the mean of its repetitions."""

    title: str
    minutes: Sequence[float]
    mean: Sequence[float]
    """Accuracies, fractions of 1."""
    least: Sequence[float]
    largest: Sequence[float]
    repetitions: int


def accuracy_over_minutes(ascents: Sequence[Ascent]) -> go.Figure:
    """The means as lines; a bar at each point from the least to the largest of the repetitions."""
    fig = figure(
        430,
        showlegend=True,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0.0, "font": TEXT},
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
        hovermode="closest",
    )
    for ascent, (dash, symbol) in zip(ascents, SIGNS, strict=False):
        fig.add_scatter(
            x=list(ascent.minutes),
            y=list(ascent.mean),
            name=plain(ascent.title),
            mode="lines+markers",
            line={"width": 3, "dash": dash},
            marker={"size": 9, "symbol": symbol},
            error_y={
                "type": "data",
                "array": [high - mean for high, mean in zip(ascent.largest, ascent.mean, strict=True)],
                "arrayminus": [mean - low for low, mean in zip(ascent.least, ascent.mean, strict=True)],
                "thickness": 1.5,
                "width": 4,
                "visible": ascent.repetitions > 1,
            },
            hovertemplate=f"{plain(ascent.title)}: %{{y:.1%}} after %{{x:.2f}} min<extra></extra>",
        )
    fig.update_xaxes(title_text="minutes of training", rangemode="tozero", zeroline=False)
    fig.update_yaxes(title_text="validation top-1", tickformat=".0%")
    return fig
