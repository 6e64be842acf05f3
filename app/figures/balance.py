"""How many pictures there are of each class."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures.palette import TEXT, figure, plain


def class_balance(classes: Sequence[str], counts: Sequence[int]) -> go.Figure:
    """One bar a class with its number of pictures."""
    names = [plain(name) for name in classes]
    fig = figure(260, bargap=0.25)
    fig.add_bar(
        x=list(range(len(names))),
        y=list(counts),
        text=[f"{count:,}" for count in counts] if len(names) <= 20 else None,
        textposition="outside",
        cliponaxis=False,
        marker={"cornerradius": 4},
        textfont=TEXT,
        hovertext=names,
        hoverinfo="text+y",
    )
    shown = range(0, len(names), max(1, len(names) // 20))
    fig.update_xaxes(tickvals=list(shown), ticktext=[names[place] for place in shown], fixedrange=True)
    fig.update_yaxes(visible=False, range=[0, max(counts, default=1) * 1.15], fixedrange=True)
    return fig
