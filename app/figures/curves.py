"""The curves of a training run: loss and accuracy, train and validation. The raw values, never smoothed."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from app.figures.palette import TEXT, titled_figure

MOST_POINTS = 900
"""A line. More costs the browser time at every tick and shows nothing new on a screen 1,920 pixels wide."""


@dataclass(frozen=True)
class Line:
    """One series: values over epochs, 1.0 being the end of the first."""

    epochs: Sequence[float]
    values: Sequence[float]


def curves(train: Line, validation: Line, title: str, epochs: float, percent: bool = False) -> go.Figure:
    """Train thin and dotted, validation thick with markers, on one pair of axes."""
    fig = titled_figure(
        330,
        title,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "right", "x": 1.0, "font": TEXT},
        hovermode="x unified",
    )
    number = "%{y:.1%}" if percent else "%{y:.3f}"
    thin = thinned(train)
    # No colours here: the theme's first two are Okabe and Ito's blue and orange, lighter in the dark.
    fig.add_scatter(
        x=list(validation.epochs),
        y=list(validation.values),
        name="validation",
        mode="lines+markers",
        line={"width": 3},
        marker={"size": 8, "symbol": "diamond"},
        cliponaxis=False,
        hovertemplate=number,
    )
    fig.add_scatter(
        x=thin.epochs,
        y=thin.values,
        name="train",
        mode="lines",
        line={"width": 2, "dash": "dot"},
        hovertemplate=number,
    )
    fig.update_xaxes(title_text="epoch", range=[0, epochs], zeroline=False)
    fig.update_yaxes(rangemode="tozero", tickformat=".0%" if percent else None, range=[0, 1.02] if percent else None)
    return fig


def thinned(line: Line) -> Line:
    """Every so many-th point, the last one always, so that at most MOST_POINTS are left."""
    step = -(-len(line.values) // MOST_POINTS) or 1
    places = list(range(len(line.values) - 1, -1, -step))[::-1]
    return Line([line.epochs[place] for place in places], [line.values[place] for place in places])
