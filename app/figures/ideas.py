"""Ideas over the years: what came when, and out of what."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from app.figures.palette import ACCENT, INK, ORANGE, QUIET, figure, plain


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
    fig = figure(70 + 38 * len(milestones), hovermode="closest", dragmode=False)
    spots = {one.key: (one.year, row) for row, one in enumerate(milestones)}
    for one in milestones:
        for parent in one.parents:
            (x, y), (to_x, to_y) = spots[parent], spots[one.key]
            fig.add_scatter(
                x=[x, to_x], y=[y, to_y], mode="lines", line={"color": QUIET, "width": 2.5}, hoverinfo="skip"
            )
    fig.add_scatter(
        x=[x for x, _ in spots.values()],
        y=[y for _, y in spots.values()],
        mode="markers",
        marker={
            "size": 18,
            "symbol": ["star" if not one.parents else "circle" for one in milestones],
            "color": [ORANGE if not one.parents else ACCENT for one in milestones],
            "line": {"width": 1.5, "color": INK},
            "opacity": 1,
        },
        hovertext=[f"<b>{plain(one.title)}, {one.year}</b><br>{plain(one.hover)}" for one in milestones],
        hoverinfo="text",
        cliponaxis=False,
    )
    years = [one.year for one in milestones]
    fig.update_xaxes(
        range=[min(years) - 0.6, max(years) + 0.6], tickvals=years, zeroline=False, tickangle=-60, fixedrange=True
    )
    # The names stand beside the rows, where no line crosses them.
    fig.update_yaxes(
        tickvals=[row for _, row in spots.values()],
        ticktext=[plain(one.title) for one in milestones],
        range=[len(milestones) - 0.5, -0.5],
        zeroline=False,
        automargin=True,
        fixedrange=True,
    )
    return fig
