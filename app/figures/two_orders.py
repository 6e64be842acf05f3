"""The probability of a class while the pixels go or come: in the order of a map, of others, and of chance."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures.palette import QUIET, TEXT, figure, plain

OWN, *OTHERS = (f"#{number:06}" for number in range(1, 7))
"""Streamlit replaces these by the theme's first six chart colours, in the browser: Okabe and Ito's, lighter in the
dark. Each of the others has a dash of its own, too."""
DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot")


def two_orders(
    shares: np.ndarray,
    own: tuple[str, np.ndarray],
    chance: Sequence[np.ndarray],
    others: Sequence[tuple[str, np.ndarray]],
    across: str,
) -> go.Figure:
    """`own` (name, probabilities) thick; the spread of `chance` as a grey band with its mean; `others` thin."""
    together = np.stack(chance)
    fig = figure(
        330,
        showlegend=True,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0.0, "font": TEXT},
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
        hovermode="x unified",
    )
    x = shares.tolist()
    for edge, fill in ((together.max(axis=0), None), (together.min(axis=0), "tonexty")):
        fig.add_scatter(
            x=x,
            y=edge.tolist(),
            mode="lines",
            line={"width": 0, "color": QUIET},
            fill=fill,
            fillcolor="rgba(138,148,160,0.3)",
            showlegend=False,
            hoverinfo="skip",
        )
    number = "%{y:.1%}"
    fig.add_scatter(
        x=x,
        y=together.mean(axis=0).tolist(),
        name="in random order",
        mode="lines",
        line={"width": 2, "color": QUIET, "dash": "dash"},
        hovertemplate=number,
    )
    for (name, values), colour, dash in zip(others, OTHERS, DASHES, strict=False):
        fig.add_scatter(
            x=x,
            y=values.tolist(),
            name=plain(name),
            mode="lines",
            line={"width": 2, "color": colour, "dash": dash},
            hovertemplate=number,
        )
    name, values = own
    fig.add_scatter(
        x=x,
        y=values.tolist(),
        name=plain(name),
        mode="lines+markers",
        line={"width": 4, "color": OWN},
        marker={"size": 7, "symbol": "diamond"},
        hovertemplate=number,
    )
    fig.update_xaxes(title_text=across, range=[0, 1], tickformat=".0%", zeroline=False, fixedrange=True)
    fig.update_yaxes(title_text="probability", range=[0, 1.03], tickformat=".0%", fixedrange=True)
    return fig
