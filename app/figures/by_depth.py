"""How a share changes from the pixels to the last hidden layer."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures.palette import ACCENT, INK, TEXT, figure, plain


def shares_by_depth(depths: Sequence[str], shares: Sequence[float], chance: float) -> go.Figure:
    """A bar a depth, the pixels on top, and a dashed line at the share that `chance` alone would give."""
    names = [plain(name) for name in depths]
    fig = figure(70 + 38 * len(names), bargap=0.3)
    fig.add_bar(
        x=list(shares),
        y=names,
        orientation="h",
        marker={"color": ACCENT, "cornerradius": 4},
        text=[f"{share:.0%}" for share in shares],
        textposition="outside",
        textfont=TEXT,
        cliponaxis=False,
        hoverinfo="y+text",
    )
    fig.add_vline(x=chance, line={"dash": "dash", "width": 2, "color": INK})
    fig.update_xaxes(range=[0, 1.25], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1], fixedrange=True)
    fig.update_yaxes(autorange="reversed", fixedrange=True, automargin=True)
    return fig
