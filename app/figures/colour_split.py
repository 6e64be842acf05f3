"""How colourful the filters of the first layer are, and where the two groups part."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures.palette import ORANGE, QUIET, TEXT, VERMILLION, figure

BINS = 25
"""Along the scale from 0 to 1."""


def colour_split(colourfulness: Sequence[float], threshold: float) -> go.Figure:
    """A histogram of values 0 to 1, grey below the threshold and orange hatched above it, the threshold as a line."""
    fig = figure(250, barmode="overlay", bargap=0.06)
    groups = (
        ("colour-blind", [value for value in colourfulness if value <= threshold], QUIET, ""),
        ("colour-selective", [value for value in colourfulness if value > threshold], ORANGE, "/"),
    )
    for name, values, colour, pattern in groups:
        fig.add_histogram(
            x=values,
            name=name,
            xbins={"start": 0, "end": 1.0001, "size": 1 / BINS},
            marker={"color": colour, "pattern": {"shape": pattern}},
            hovertemplate=f"%{{y}} {name} filters<extra></extra>",
        )
    fig.add_vline(x=threshold, line={"color": VERMILLION, "width": 3, "dash": "dash"})
    fig.add_annotation(x=threshold, y=1, yref="paper", text=f"threshold {threshold:.2f}", showarrow=False,
                       xanchor="left" if threshold < 0.6 else "right", yanchor="top", font=TEXT)  # fmt: skip
    fig.update_xaxes(title_text="colourfulness: 0 grey, 1 compares colours only", range=[0, 1], fixedrange=True)
    fig.update_yaxes(title_text="filters", fixedrange=True)
    return fig
