"""Which class was taken for which."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures.palette import ACCENT, TEXT, VERMILLION, figure, plain

MOST_WITH_NUMBERS = 20
"""Classes; with more, the numbers in the cells would not be legible."""
MOST_CLICKABLE = 2_500
"""Cells. ImageNet's million, with a sentence each, would be 100 MB for the browser."""
DARK = 0.45
"""Share of a row from which a cell is so dark that its number is white; elsewhere it has the theme's own colour."""


def confusion(counts: np.ndarray, classes: Sequence[str], chosen: tuple[int, int]) -> go.Figure:
    """`counts` (true, predicted) as a matrix coloured by the share of its row; the cell `chosen` is outlined.

    Over each cell (of many classes: over those with the most pictures) lies an invisible marker with (true, predicted)
    as its custom data: a marker can be clicked, a cell of a heat map cannot.
    """
    total = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(total, 1)
    names = [plain(name) for name in classes]
    places = list(range(len(names)))
    fig = figure(max(420, min(760, 130 + 44 * len(names))), dragmode=False, clickmode="event+select")
    fig.add_heatmap(
        z=shares,
        x=places,
        y=places,
        colorscale=[[0, "rgba(0,114,178,0.04)"], [0.02, "rgba(0,114,178,0.16)"], [1, ACCENT]],
        zmin=0,
        zmax=1,
        showscale=False,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
    )
    cells = _clickable(counts)
    numbers = len(names) <= MOST_WITH_NUMBERS
    fig.add_scatter(
        x=[predicted for _, predicted in cells],
        y=[true for true, _ in cells],
        mode="markers+text" if numbers else "markers",
        marker={"symbol": "square", "size": 26, "opacity": 0},
        text=[str(counts[cell]) if counts[cell] and shares[cell] <= DARK else "" for cell in cells]
        if numbers
        else None,
        textfont=TEXT,
        customdata=[list(cell) for cell in cells],
        hovertext=[
            f"{counts[true, predicted]} of {total[true, 0]} pictures of {names[true]}<br>were taken for "
            f"{names[predicted]}"
            for true, predicted in cells
        ],
        hoverinfo="text",
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
    )
    dark = [cell for cell in cells if numbers and shares[cell] > DARK]
    fig.add_scatter(
        x=[predicted for _, predicted in dark],
        y=[true for true, _ in dark],
        mode="text",
        text=[str(counts[cell]) for cell in dark],
        textfont={"size": 15, "color": "white"},
        hoverinfo="skip",
    )
    true, predicted = chosen
    fig.add_shape(
        type="rect",
        x0=predicted - 0.5,
        x1=predicted + 0.5,
        y0=true - 0.5,
        y1=true + 0.5,
        line={"color": VERMILLION, "width": 4},
    )
    axis = {"tickvals": places, "ticktext": names, "showgrid": False, "zeroline": False, "fixedrange": True}
    fig.update_xaxes(title_text="taken for", side="top", tickangle=-35 if max(map(len, names)) > 2 else 0, **axis)
    fig.update_yaxes(title_text="really", autorange="reversed", **axis)
    return fig


def _clickable(counts: np.ndarray) -> list[tuple[int, int]]:
    """All cells where there are few; else the fullest ones, and none that is empty."""
    if counts.size <= MOST_CLICKABLE:
        return [(true, predicted) for true in range(len(counts)) for predicted in range(len(counts))]
    order = np.argsort(-counts, axis=None, kind="stable")[: min(MOST_CLICKABLE, np.count_nonzero(counts))]
    return [(int(true), int(predicted)) for true, predicted in zip(*np.unravel_index(order, counts.shape), strict=True)]
