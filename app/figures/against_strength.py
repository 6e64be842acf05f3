"""Probability or accuracy against how strongly a picture was changed."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from app.figures.palette import QUIET, TEXT, figure, plain

SIGNS = (("solid", "diamond"), ("dot", "circle"), ("dash", "square"))
"""A dash and a marker for each line, beside its colour. The colours are the theme's first ones, as in the curves of a
training run: Okabe and Ito's, lighter in the dark."""


@dataclass(frozen=True)
class Shares:
    """One line: a share, 0 to 1, at each level."""

    name: str
    values: Sequence[float]
    hover: Sequence[str] = ()
    """What is said at each level beside the value."""


def against_strength(
    levels: Sequence[str], lines: Sequence[Shares], what: str, chosen: int, across: str = ""
) -> go.Figure:
    """`lines` over the levels, evenly spaced and named in their order; an upright line stands at the `chosen` one."""
    places = list(range(len(levels)))
    fig = figure(
        330,
        showlegend=len(lines) > 1,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0.0, "font": TEXT},
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
        hovermode="x unified",
    )
    for line, (dash, symbol) in zip(lines, SIGNS, strict=False):
        fig.add_scatter(
            x=places,
            y=list(line.values),
            name=plain(line.name),
            mode="lines+markers",
            line={"width": 3, "dash": dash},
            marker={"size": 9, "symbol": symbol},
            cliponaxis=False,
            customdata=[plain(text) for text in line.hover] or [""] * len(places),
            hovertemplate="%{y:.1%} %{customdata}",
        )
    fig.add_vline(x=chosen, line={"color": QUIET, "width": 2, "dash": "dash"})
    fig.update_xaxes(
        tickvals=places,
        ticktext=[plain(level) for level in levels],
        title_text=across,
        zeroline=False,
        fixedrange=True,
    )
    fig.update_yaxes(title_text=what, range=[0, 1.03], tickformat=".0%", fixedrange=True)
    return fig
