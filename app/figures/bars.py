"""Values by name as lying bars, and pairs of values by name as dumbbells."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures.palette import ACCENT, ORANGE, QUIET, TEXT, VERMILLION, figure, plain

MOST = 20
"""Rows; more would not be legible from the last row, and the table has them all."""
ROW = 30
"""Pixels a row."""


def bars(names: Sequence[str], values: Sequence[float], title: str, form: str = ".3g", chosen: str = "") -> go.Figure:
    """One lying bar a name, in the order given, the first on top; that of `chosen` in another colour, hatched."""
    shown = list(range(min(MOST, len(names))))
    fig = figure(70 + ROW * len(shown), bargap=0.25)
    fig.add_bar(
        x=[values[place] for place in shown],
        y=shown,
        orientation="h",
        text=[format(values[place], form) for place in shown],
        textposition="outside",
        textfont=TEXT,
        cliponaxis=False,
        marker={
            "color": [ORANGE if names[place] == chosen else ACCENT for place in shown],
            "pattern": {"shape": ["/" if names[place] == chosen else "" for place in shown]},
            "cornerradius": 4,
        },
        hovertext=[plain(names[place]) for place in shown],
        hoverinfo="text+x",
    )
    largest = max((abs(values[place]) for place in shown), default=0) or 1.0
    least = min([0.0, *(values[place] for place in shown)])
    fig.update_xaxes(title_text=title, range=[least * 1.25, largest * 1.25], fixedrange=True)
    fig.update_yaxes(
        tickvals=shown, ticktext=[plain(names[place]) for place in shown], autorange="reversed", fixedrange=True
    )
    return fig


def dumbbells(names: Sequence[str], before: Sequence[float], after: Sequence[float], title: str) -> go.Figure:
    """Two shares, 0 to 1, a name: an open circle before, a filled diamond after, a line between them."""
    shown = list(range(min(MOST, len(names))))
    fig = figure(
        110 + ROW * len(shown),
        showlegend=True,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "font": TEXT},
    )
    for place in shown:
        fig.add_scatter(
            x=[before[place], after[place]],
            y=[place, place],
            mode="lines",
            line={"width": 3, "color": QUIET},
            showlegend=False,
            hoverinfo="skip",
        )
    for label, values, colour, symbol in (
        ("before", before, ACCENT, "circle-open"),
        ("after", after, VERMILLION, "diamond"),
    ):
        fig.add_scatter(
            x=[values[place] for place in shown],
            y=shown,
            name=label,
            mode="markers",
            marker={"size": 13, "color": colour, "symbol": symbol, "line": {"width": 3, "color": colour}},
            hovertext=[f"{plain(names[place])}, {label}: {values[place]:.1%}".replace("%", " %") for place in shown],
            hoverinfo="text",
        )
    fig.update_xaxes(title_text=title, range=[-0.02, 1.02], tickformat=".0%", fixedrange=True)
    fig.update_yaxes(
        tickvals=shown, ticktext=[plain(names[place]) for place in shown], autorange="reversed", fixedrange=True
    )
    return fig
