"""How often answers of each certainty are right, beside how often they should be."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.figures.palette import QUIET, TEXT, figure, plain

SIGNS = (("diamond", "solid"), ("circle", "dot"))


def reliability_diagram(
    lines: Sequence[tuple[str, np.ndarray, np.ndarray, np.ndarray]],
) -> go.Figure:
    """`lines`: (name, mean probability, share of right answers, number of answers) of each part of the range, parts
    without answers nan. The diagonal is a network that is right as often as it says; markers grow with the answers."""
    fig = figure(
        400,
        showlegend=True,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0.0, "font": TEXT},
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
    )
    fig.add_scatter(
        x=[0, 1],
        y=[0, 1],
        name="as often as it says",
        mode="lines",
        line={"color": QUIET, "width": 2, "dash": "dash"},
        hoverinfo="skip",
    )
    for (name, probability, accuracy, counts), (symbol, dash) in zip(lines, SIGNS, strict=False):
        some = counts > 0
        share = counts[some] / counts.sum()
        # The theme's first two colours, lighter in the dark.
        fig.add_scatter(
            x=probability[some].tolist(),
            y=accuracy[some].tolist(),
            name=plain(name),
            mode="lines+markers",
            line={"width": 2, "dash": dash},
            marker={"size": (9 + 22 * np.sqrt(share)).tolist(), "symbol": symbol},
            cliponaxis=False,
            customdata=counts[some].tolist(),
            hovertemplate="says %{x:.1%}, is right in %{y:.1%} of %{customdata:,} answers",
        )
    axis = {"range": [0, 1.02], "tickformat": ".0%", "fixedrange": True, "zeroline": False}
    fig.update_xaxes(title_text="what it says: probability of its answer", **axis)
    fig.update_yaxes(title_text="how often it is right", **axis)
    return fig
