"""Many pictures as points on a plane, marked by class, with the pictures themselves behind them."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from app.figures.class_marks import mark
from app.figures.palette import INK, TEXT, figure, plain

HEIGHT = 620
THUMBNAIL = 30
"""Pixels of a picture's side on a canvas of `CANVAS`."""
CANVAS = 1100
ROOM = 0.06
"""Of the plane's extent, free on every side."""


@dataclass(frozen=True)
class Point:
    """One picture on the plane."""

    row: int
    """Which picture; the chart gives it back when the point is chosen."""
    name: str
    label: int | None
    """The number of its class; None where it has none."""


def plane(
    places: np.ndarray,
    points: Sequence[Point],
    classes: Sequence[str],
    asked: np.ndarray,
    thumbnails: np.ndarray | None = None,
) -> go.Figure:
    """`places` (n, 2) of the `points`, a series a class, the present picture's place `asked` (2,) as a star.

    `thumbnails`, uint8 (n, S, S, 3), are drawn behind the points. A point's custom data is its row.
    """
    low, high = _bounds(np.vstack([places, asked[None]]))
    fig = figure(
        HEIGHT,
        dragmode="pan",
        clickmode="event+select",
        hovermode="closest",
        showlegend=True,
        legend={"orientation": "h", "yanchor": "top", "y": -0.01, "xanchor": "left", "x": 0, "font": TEXT},
    )
    if thumbnails is not None:
        fig.add_layout_image(
            source=_inlined(_canvas(places, thumbnails, low, high)),
            xref="x",
            yref="y",
            x=low[0],
            y=high[1],
            sizex=high[0] - low[0],
            sizey=high[1] - low[1],
            sizing="stretch",
            layer="below",
        )
    labels = sorted({point.label for point in points}, key=lambda label: -1 if label is None else label)
    for label in labels:
        rows = [number for number, point in enumerate(points) if point.label == label]
        colour, symbol = mark(label)
        name = "pictures" if label is None else plain(classes[label])
        fig.add_scatter(
            x=places[rows, 0],
            y=places[rows, 1],
            name=name,
            mode="markers",
            marker={"size": 7 if thumbnails is not None else 9, "color": colour, "symbol": symbol},
            customdata=[points[number].row for number in rows],
            hovertext=[f"<b>{name}</b><br>{plain(points[number].name)}" for number in rows],
            hoverinfo="text",
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        )
    fig.add_scatter(
        x=[asked[0]],
        y=[asked[1]],
        name="this picture",
        mode="markers",
        marker={"size": 22, "symbol": "star", "color": INK, "line": {"width": 2, "color": "white"}},
        hovertext=["this picture"],
        hoverinfo="text",
    )
    fig.update_xaxes(visible=False, range=[low[0], high[0]])
    fig.update_yaxes(visible=False, range=[low[1], high[1]])
    return fig


def _bounds(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = places.min(axis=0).astype(float), places.max(axis=0).astype(float)
    room = np.maximum((high - low) * ROOM, 1e-6)
    return low - room, high + room


def _canvas(places: np.ndarray, thumbnails: np.ndarray, low: np.ndarray, high: np.ndarray) -> Image.Image:
    sheet = Image.new("RGBA", (CANVAS, CANVAS * 6 // 10), (0, 0, 0, 0))
    span = high - low
    for place, tile in zip(places, thumbnails, strict=True):
        x = (place[0] - low[0]) / span[0] * sheet.width
        y = (high[1] - place[1]) / span[1] * sheet.height
        small = Image.fromarray(tile).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BILINEAR)
        sheet.paste(small, (round(x - THUMBNAIL / 2), round(y - THUMBNAIL / 2)))
    return sheet


def _inlined(picture: Image.Image) -> str:
    file = BytesIO()
    picture.save(file, "WEBP", quality=80)
    return f"data:image/webp;base64,{b64encode(file.getvalue()).decode()}"
