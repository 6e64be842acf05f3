"""Many answers about one picture: every probability as a dot, their mean as a mark."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures.palette import INK, ORANGE, TEXT, figure, plain

ROW = 46
"""Pixels a class."""
LIFT = 0.32
"""How far dots of one class are spread upwards and downwards, so that equal ones do not hide each other."""


def spread(names: Sequence[str], probabilities: np.ndarray, alone: Sequence[float]) -> go.Figure:
    """`probabilities` (answers, classes) as dots, a row a class; a line at the answer that is given otherwise, `alone`,
    and a diamond at the mean."""
    fig = figure(
        110 + ROW * len(names),
        showlegend=True,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0.0, "font": TEXT},
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
    )
    lifts = np.linspace(-LIFT, LIFT, len(probabilities))
    rows = range(len(names))
    fig.add_scatter(
        x=probabilities.T.ravel().tolist(),
        y=[row + lift for row in rows for lift in lifts],
        name="each answer",
        mode="markers",
        marker={"size": 8, "opacity": 0.6},  # the theme's first colour, lighter in the dark
        hovertemplate="%{x:.1%}<extra></extra>",
    )
    fig.add_scatter(
        x=probabilities.mean(axis=0).tolist(),
        y=list(rows),
        name="their mean",
        mode="markers",
        marker={"size": 15, "color": ORANGE, "symbol": "diamond", "line": {"width": 2, "color": INK}},
        hovertemplate="mean %{x:.1%}<extra></extra>",
    )
    fig.add_scatter(
        x=list(alone),
        y=list(rows),
        name="asked once",
        mode="markers",
        marker={"size": 26, "color": INK, "symbol": "line-ns", "line": {"width": 3, "color": INK}},
        hovertemplate="asked once %{x:.1%}<extra></extra>",
    )
    fig.update_xaxes(title_text="probability", range=[-0.02, 1.02], tickformat=".0%", zeroline=False, fixedrange=True)
    fig.update_yaxes(
        tickvals=list(rows),
        ticktext=[plain(name) for name in names],
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
        fixedrange=True,
    )
    return fig
