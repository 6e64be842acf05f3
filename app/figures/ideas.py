"""Ideas over the years: what came when, and out of what."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from app.figures.palette import ACCENT, INK, ORANGE, QUIET, TEXT, figure, plain


@dataclass(frozen=True)
class Milestone:
    """One idea."""

    key: str
    title: str
    year: int
    parents: tuple[str, ...]
    """Keys of what it builds upon."""
    hover: str


def ideas_over_the_years(milestones: Sequence[Milestone]) -> go.Figure:
    """A row for each idea, downwards in the order given, with a line from each to what came out of it."""
    fig = figure(70 + 40 * len(milestones), hovermode="closest", dragmode=False)
    rows = {one.key: row for row, one in enumerate(milestones)}
    years = {one.key: one.year for one in milestones}
    xs: list[float | None] = []
    ys: list[float | None] = []
    for one in milestones:
        for parent in one.parents:
            # Down from the parent, then across: lines that share a parent lie on each other and do not cross names.
            xs += [years[parent], years[parent], one.year, None]
            ys += [rows[parent], rows[one.key], rows[one.key], None]
    fig.add_scatter(x=xs, y=ys, mode="lines", line={"color": QUIET, "width": 2}, hoverinfo="skip")
    fig.add_scatter(
        x=[one.year for one in milestones],
        y=list(range(len(milestones))),
        mode="markers+text",
        text=[f" {plain(one.title)}" for one in milestones],
        textposition="middle right",
        textfont=TEXT,
        marker={
            "size": 17,
            "symbol": ["star" if not one.parents else "circle" for one in milestones],
            "color": [ORANGE if not one.parents else ACCENT for one in milestones],
            "line": {"width": 1.5, "color": INK},
        },
        hovertext=[f"<b>{plain(one.title)}, {one.year}</b><br>{plain(one.hover)}" for one in milestones],
        hoverinfo="text",
        cliponaxis=False,
    )
    first, last = min(years.values()), max(years.values())
    fig.update_xaxes(range=[first - 0.4, last + 4.2], tickvals=list(range(first, last + 1, 1)), fixedrange=True)
    fig.update_xaxes(zeroline=False, tickangle=-60, showgrid=True)
    fig.update_yaxes(visible=False, range=[len(milestones) - 0.5, -0.5], fixedrange=True)
    return fig
