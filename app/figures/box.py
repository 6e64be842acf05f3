"""A picture over which one drags a box."""

import plotly.graph_objects as go
from PIL import Image

from app.figures.palette import ORANGE, figure

GRID = 24
"""Invisible points a side: a selection needs something to select."""


def picture_to_box(picture: Image.Image, box: tuple[float, float, float, float]) -> go.Figure:
    """`picture` on axes from 0 to 1, y downwards; `box` (left, top, right, bottom) is outlined. Dragging draws another
    one, as a selection."""
    fig = figure(360, dragmode="select", selectdirection="any", newselection={"line": {"color": ORANGE, "width": 3}})
    fig.add_layout_image(
        source=picture, xref="x", yref="y", x=0, y=0, sizex=1, sizey=1, sizing="stretch", layer="below"
    )
    places = [(place + 0.5) / GRID for place in range(GRID)]
    fig.add_scatter(
        x=[x for _ in places for x in places],
        y=[y for y in places for _ in places],
        mode="markers",
        marker={"size": 9, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        hoverinfo="skip",
    )
    left, top, right, bottom = box
    fig.add_shape(type="rect", x0=left, y0=top, x1=right, y1=bottom, line={"color": ORANGE, "width": 4, "dash": "dash"})
    axis = {"visible": False, "fixedrange": True}
    fig.update_xaxes(range=[0, 1], constrain="domain", **axis)
    fig.update_yaxes(range=[1, 0], scaleanchor="x", constrain="domain", **axis)
    return fig
