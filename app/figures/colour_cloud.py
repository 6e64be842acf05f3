"""The colours of many pixels, each a dot in its own colour, along the two directions in which they vary most."""

import numpy as np
import plotly.graph_objects as go

from app.figures.palette import INK, TEXT, figure

HEIGHT = 380
REACH = 3.2
"""Standard deviations shown to each side."""


def colour_cloud(places: np.ndarray, colours: np.ndarray, names: tuple[str, str], strength: float) -> go.Figure:
    """`places` (n, 2) in standard deviations, `colours` uint8 (n, 3), the `names` of the two axes.

    The frame shows how far a change of `strength` moves a whole picture in two of three cases.
    """
    fig = figure(HEIGHT, hovermode=False)
    fig.add_scatter(
        x=places[:, 0].round(3).tolist(),
        y=places[:, 1].round(3).tolist(),
        mode="markers",
        marker={
            "size": 7,
            "color": [f"rgb({red},{green},{blue})" for red, green, blue in colours.tolist()],
            "line": {"width": 0.4, "color": INK},
        },
    )
    for x, y in ((strength, 0.0), (0.0, strength)):
        fig.add_annotation(
            x=x, y=y, ax=-x, ay=-y, xref="x", yref="y", axref="x", ayref="y",
            arrowside="end+start", arrowhead=2, arrowwidth=3, arrowcolor=INK, showarrow=True, text="",
        )  # fmt: skip
    axis = {"range": [-REACH, REACH], "zeroline": False, "fixedrange": True, "tickfont": TEXT}
    fig.update_xaxes(title_text=names[0], **axis)
    fig.update_yaxes(title_text=names[1], **axis)
    return fig
