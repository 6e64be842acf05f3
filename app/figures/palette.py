"""Colours and margins of every figure, set once.

The series colours are Okabe and Ito's, told apart by people with any kind of colour vision; a second sign (a dash, a
marker, a label) always goes with them. Backgrounds and text colours come from the app's theme, light or dark.
"""

from html import escape

import plotly.graph_objects as go

ACCENT = "#0072B2"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"
INK = "#000010"
"""Text. Streamlit replaces this very value by the theme's tenth chart colour, in the browser: dark on
light, light on dark. (Its own colour for the text of figures is a grey that cannot be read from the last row.)"""
QUIET = "#8A94A0"
"""A grey that shows on white and on black."""

TEXT_SIZE = 15
"""Pixels; read from the last row of a classroom on a projector."""

TEXT = {"size": TEXT_SIZE, "color": INK}

NO_TOOLBAR = {"displayModeBar": False}
"""Plotly's own row of tools, which covers what it stands on; given to Streamlit with each chart."""


def figure(height: int, **layout: object) -> go.Figure:
    """An empty figure with our margins and text size, `height` pixels high."""
    return go.Figure(
        layout={
            "height": height,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "font": TEXT,
            "hoverlabel": {"font": {"size": TEXT_SIZE}},
            "showlegend": False,
            "xaxis": {"tickfont": TEXT, "title": {"font": TEXT}},
            "yaxis": {"tickfont": TEXT, "title": {"font": TEXT}},
            **layout,
        }
    )


def titled_figure(height: int, title: str, **layout: object) -> go.Figure:
    """An empty figure with a title above it and room for a legend of its lines."""
    return figure(
        height,
        showlegend=True,
        margin={"l": 8, "r": 14, "t": 40, "b": 8},
        title={"text": title, "font": {"size": 17, "color": INK}, "x": 0, "xref": "paper", "y": 0.98},
        **layout,
    )


def plain(text: str) -> str:
    """`text` for a figure: Plotly reads a little HTML, and names of classes come from strangers."""
    return escape(text)
