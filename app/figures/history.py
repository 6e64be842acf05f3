"""The course of a training: loss, accuracy, and how far each layer moved, to read numbers off."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

import plotly.graph_objects as go

from app.figures.class_marks import COLOURS
from app.figures.palette import TEXT, plain, titled_figure

BEFORE_FIRST = 0.5
"""Where step 0 stands on the logarithmic axis, which has no zero."""
HEIGHT = 320
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


@dataclass(frozen=True)
class Series:
    """One line over the steps."""

    name: str
    steps: Sequence[float]
    values: Sequence[float]


def course(series: Sequence[Series], title: str, last: float, percent: bool = False) -> go.Figure:
    """Lines over the steps up to `last` on a logarithmic axis, told apart by colour and dash."""
    fig = titled_figure(
        HEIGHT,
        title,
        legend={"orientation": "h", "yanchor": "top", "y": -0.28, "xanchor": "left", "x": 0, "font": TEXT},
        hovermode="x unified",
    )
    for number, line in enumerate(series):
        fig.add_scatter(
            x=[max(BEFORE_FIRST, step) for step in line.steps],
            y=list(line.values),
            name=plain(line.name),
            mode="lines",
            line={"width": 2.5, "color": COLOURS[number % len(COLOURS)], "dash": DASHES[number % len(DASHES)]},
            hovertemplate="%{y:.1%}" if percent else "%{y:.3g}",
        )
    powers = [10**power for power in range(len(str(int(max(1, last)))))]
    fig.update_xaxes(
        type="log",
        range=[log10(BEFORE_FIRST), log10(max(1, last))],
        tickvals=[BEFORE_FIRST, *powers],
        ticktext=["start", *(f"{power:,}" for power in powers)],
        title={"text": "step", "standoff": 4},
        zeroline=False,
        fixedrange=True,
    )
    fig.update_yaxes(rangemode="tozero", tickformat=".0%" if percent else None, fixedrange=True)
    return fig
