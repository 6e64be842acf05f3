"""How transferable each layer is: what was copied, drawn as boxes; and accuracy over the number of layers copied."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from app.figures.palette import ACCENT, ORANGE, QUIET, TEXT, figure

LOOKS: dict[str, tuple[str, str, str]] = {
    "bnb": (ACCENT, "dot", "circle-open"),
    "bnb-tuned": (ACCENT, "solid", "circle"),
    "anb": (ORANGE, "dot", "diamond-open"),
    "anb-tuned": (ORANGE, "solid", "diamond"),
}
"""Colour (where the layers come from), dash and marker (frozen or tuned) of each kind of network."""


def accuracy(
    points: Mapping[str, Mapping[int, float]], titles: Mapping[str, str], base: float | None, deepest: int
) -> go.Figure:
    """Accuracy (a fraction) of each kind over the number of copied layers; `base` is that of the network for B that
    begins with nothing. Kinds without a point are left out."""
    fig = figure(
        440,
        showlegend=True,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "xanchor": "left", "x": 0, "font": TEXT},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        hovermode="x unified",
    )
    if base is not None:
        fig.add_scatter(
            x=[0, deepest],
            y=[base, base],
            name="B alone, nothing copied",
            mode="lines",
            line={"width": 2, "color": QUIET, "dash": "dash"},
            hovertemplate="%{y:.1%}",
        )
    for kind, title in titles.items():
        reached = dict(sorted(points.get(kind, {}).items()))
        if reached:
            colour, dash, marker = LOOKS[kind]
            fig.add_scatter(
                x=list(reached),
                y=list(reached.values()),
                name=title,
                mode="lines+markers",
                line={"width": 3, "color": colour, "dash": dash},
                marker={"size": 11, "symbol": marker, "color": colour, "line": {"width": 2, "color": colour}},
                cliponaxis=False,
                hovertemplate="%{y:.1%}",
            )
    fig.update_xaxes(title_text="layers copied", range=[-0.2, deepest + 0.2], dtick=1, zeroline=False)
    reached = [value for line in points.values() for value in line.values()] + [base] * (base is not None)
    # At least a tenth is shown: differences of a single picture should not look like mountains.
    top = min(1.01, max(reached, default=1.0) + 0.02)
    low = max(0.0, min(min(reached, default=0.0) - 0.02, top - 0.1))
    fig.update_yaxes(title_text="right on half B", tickformat=".0%", range=[low, top], zeroline=False)
    return fig


def _faded(colour: str, opacity: float) -> str:
    """A colour of the palette (#RRGGBB) that lets through what is behind it."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def plan(layers: int, copied: int, titles: Sequence[tuple[str, str]]) -> go.Figure:
    """One row of boxes, a layer each, below its title for each of the two bases and for each kind of network: `titles`
    are (kind, title) in that order; `copied` layers come from elsewhere. Frozen boxes are filled, those that begin anew
    empty."""
    fig = figure(16 + 66 * len(titles), margin={"l": 0, "r": 0, "t": 8, "b": 8})
    for row, (kind, title) in enumerate(titles):
        own = ORANGE if kind == "a" else ACCENT
        for layer in range(layers):
            taken = layer < copied and kind in LOOKS
            colour = LOOKS[kind][0] if taken else own
            frozen = taken and not kind.endswith("tuned")
            fig.add_shape(
                type="rect",
                x0=layer + 0.08,
                x1=layer + 0.92,
                y0=-row - 0.45,
                y1=-row + 0.05,
                line={"width": 2, "color": colour, "dash": "solid" if taken or kind in "ab" else "dot"},
                fillcolor=_faded(colour, 1.0 if frozen else 0.35 if taken or kind in "ab" else 0.0),
            )
            if frozen:
                font = {"size": 11, "color": "#FFFFFF" if colour == ACCENT else "#1A1A1A"}
                fig.add_annotation(x=layer + 0.5, y=-row - 0.2, text="frozen", showarrow=False, font=font)
        # Above its boxes, where there is room for it on a telephone, too.
        fig.add_annotation(x=0.08, y=-row + 0.27, text=title, showarrow=False, xanchor="left", xshift=-4, font=TEXT)
    fig.update_xaxes(visible=False, range=[0, layers], fixedrange=True)
    fig.update_yaxes(visible=False, range=[-len(titles) + 0.5, 0.5], fixedrange=True)
    return fig
