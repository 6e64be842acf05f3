"""How alike a map stays to the first one while a network is scrambled."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures.palette import QUIET, TEXT, figure, plain


def likeness(steps: Sequence[str], correlations: Sequence[float | None], similarities: Sequence[float]) -> go.Figure:
    """Rank correlation and structural similarity by step; the middle step, which decides, is marked."""
    fig = figure(
        300,
        showlegend=True,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0.0, "font": TEXT},
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
        hovermode="x unified",
    )
    places = list(range(len(steps)))
    # The theme's first two colours, lighter in the dark; a dash and a marker of its own for each.
    for name, values, dash, symbol in (
        ("structural similarity", similarities, "solid", "diamond"),
        ("rank correlation", correlations, "dot", "circle"),
    ):
        fig.add_scatter(
            x=places,
            y=list(values),
            name=name,
            mode="lines+markers",
            line={"width": 3, "dash": dash},
            marker={"size": 9, "symbol": symbol},
            cliponaxis=False,
            hovertemplate="%{y:.2f}",
        )
    fig.add_vline(x=len(steps) // 2, line={"color": QUIET, "width": 2, "dash": "dash"})
    fig.update_xaxes(
        tickvals=places, ticktext=[plain(step) for step in steps], title_text="scrambled so far", fixedrange=True
    )
    fig.update_yaxes(title_text="likeness to the trained map", range=[-0.55, 1.05], fixedrange=True)
    return fig
