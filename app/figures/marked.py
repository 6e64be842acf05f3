"""A frame round a part of a picture, and small tables of numbers as coloured squares."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image, ImageDraw

from app.figures.palette import ACCENT, ORANGE, TEXT, VERMILLION, figure

Box = tuple[int, int, int, int]


def framed(picture: Image.Image, box: Box, side: int) -> Image.Image:
    """`picture` with a frame round `box` (left, top, right, bottom), given in pixels of a picture of `side` pixels: red
    between two white lines, so that it shows on any ground."""
    zoom = picture.width / side
    left, top, right, bottom = (round(edge * zoom) for edge in box)
    marked = picture.convert("RGB")
    draw = ImageDraw.Draw(marked)
    width = max(2, picture.width // 150)
    for inset, colour in ((-width, "white"), (0, VERMILLION), (width, "white")):
        frame = (left + inset, top + inset, right - 1 - inset, bottom - 1 - inset)
        if frame[2] > frame[0] and frame[3] > frame[1]:
            draw.rectangle(frame, outline=colour, width=width)
    return marked


def number_grids(grids: Sequence[np.ndarray], titles: Sequence[str]) -> go.Figure:
    """Tables of numbers (h, w) side by side, orange above zero and blue below, on one scale each; the numbers stand in
    the cells where there is room."""
    tallest = max(grid.shape[0] for grid in grids)
    fig = figure(min(300, 60 + 80 * tallest), margin={"l": 8, "r": 8, "t": 34, "b": 8})
    fig.set_subplots(1, len(grids), subplot_titles=list(titles), horizontal_spacing=0.04)
    for place, grid in enumerate(grids, start=1):
        largest = float(np.abs(grid).max()) or 1.0
        fig.add_heatmap(
            z=grid, row=1, col=place, zmin=-largest, zmax=largest, showscale=False, xgap=1, ygap=1,
            colorscale=[[0, ACCENT], [0.5, "white"], [1, ORANGE]],
            texttemplate="%{z:.2~r}" if grid.shape[1] <= LEGIBLE else None,
            textfont={"color": "black", "size": 11}, hovertemplate="row %{y}, column %{x}: %{z:.4g}<extra></extra>",
        )  # fmt: skip
    fig.update_xaxes(visible=False, fixedrange=True, constrain="domain")
    fig.update_yaxes(visible=False, autorange="reversed", fixedrange=True)
    for place in range(1, len(grids) + 1):
        axis = "" if place == 1 else str(place)
        fig.update_layout({f"yaxis{axis}": {"scaleanchor": f"x{axis}"}})
    fig.update_annotations(font=TEXT)
    return fig


LEGIBLE = 5
"""Columns in a table up to which its numbers can be read."""
