"""A map with the exact number under the pointer."""

from base64 import b64encode
from io import BytesIO

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from app.figures.palette import figure

SIDE = 460
"""Pixels of the chart's height."""


def under_pointer(drawn: Image.Image, values: np.ndarray) -> go.Figure:
    """`drawn` as the picture, and over it, unseen, `values` (H, W): the pointer reads row, column and number."""
    high, wide = values.shape
    fig = figure(SIDE, margin={"l": 0, "r": 0, "t": 0, "b": 0})
    fig.add_layout_image(
        source=_inlined(drawn),
        xref="x",
        yref="y",
        x=-0.5,
        y=-0.5,
        sizex=wide,
        sizey=high,
        sizing="stretch",
        layer="below",
    )
    fig.add_heatmap(
        z=values.astype(np.float32),
        opacity=0,
        showscale=False,
        hovertemplate="Row %{y}, column %{x}<br>%{z:.7g}<extra></extra>",
    )
    fig.update_xaxes(visible=False, range=[-0.5, wide - 0.5], constrain="domain")
    fig.update_yaxes(visible=False, range=[high - 0.5, -0.5], scaleanchor="x", constrain="domain")
    return fig


def _inlined(picture: Image.Image) -> str:
    file = BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
