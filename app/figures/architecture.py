"""A network drawn to scale, in the manner of figure 2 of the 2012 paper.

A block is what comes out of a layer: its height and depth are the side of the maps in pixels, its width their number.
Layers that leave the shape as it is (ReLU, normalisation, dropout) are not drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from app.figures.palette import ACCENT, GREEN, INK, ORANGE, PURPLE, QUIET, SKY, figure, plain

COLOURS = {"picture": QUIET, "convolution": SKY, "max pooling": ORANGE, "average pooling": PURPLE, "linear": GREEN}
FALLBACK = QUIET


@dataclass(frozen=True)
class Block:
    """What is drawn for one layer."""

    name: str
    """The layer's dotted name; empty for the picture itself."""
    title: str
    kind: str
    channels: int
    side: int | None
    """Pixels; None for a list of units, which has no extent in space."""


def drawing(blocks: Sequence[Block], chosen: str = "") -> go.Figure:
    """The blocks from left to right, the layer named `chosen` outlined; every block's dot carries its layer's name."""
    picture = max(block.side or 0 for block in blocks)
    per_channel = picture / 900
    per_unit = picture / max((block.channels for block in blocks if block.side is None), default=1)
    lean = 0.32  # how far a pixel into the depth moves right and up
    fig = figure(430, dragmode=False, hovermode="closest", clickmode="event+select")
    x, dots = 0.0, []
    for block in blocks:
        if block.side is None:
            wide, high, deep = picture * 0.03, block.channels * per_unit * 0.95, 0.0
        else:
            wide, high, deep = max(block.channels * per_channel, picture * 0.012), block.side, block.side * lean
        _draw_block(fig, block, x, wide, high, deep, block.name == chosen)
        dots.append((x + (wide + deep) / 2, block))
        x += max(wide + deep, picture * 0.22) + picture * 0.085
    foot = -picture * 0.78
    fig.add_scatter(
        x=[centre for centre, _ in dots],
        y=[foot] * len(dots),
        mode="markers+text",
        marker={
            "size": 15,
            "color": [COLOURS.get(block.kind, FALLBACK) for _, block in dots],
            "line": {"width": [3 if block.name == chosen else 0 for _, block in dots], "color": ACCENT},
        },
        text=[_label(block, block.name == chosen) for _, block in dots],
        textposition="bottom center",
        textfont={"size": 14, "color": INK},
        customdata=[block.name for _, block in dots],
        hovertext=[_hover(block) for _, block in dots],
        hoverinfo="text",
        # What is not chosen stays as bright as before a click.
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )
    fig.update_xaxes(visible=False, range=[-picture * 0.12, x], fixedrange=True)
    fig.update_yaxes(visible=False, range=[-picture * 1.06, picture * 0.7], fixedrange=True)
    return fig


def _label(block: Block, chosen: bool) -> str:
    name = plain(block.title).replace("Convolution", "Conv").replace("Max pooling", "Pool")
    size = f"{block.channels:,}" if block.side is None else f"{block.channels} × {block.side}²"
    return f"<b>{name}</b><br>{size}" if chosen else f"{name}<br>{size}"


def _hover(block: Block) -> str:
    if block.side is None:
        return f"<b>{plain(block.title)}</b><br>{block.channels:,} numbers"
    what = "colours" if not block.name else "maps"
    return f"<b>{plain(block.title)}</b><br>{block.channels} {what} of {block.side} × {block.side} pixels"


def _draw_block(fig: go.Figure, block: Block, x: float, wide: float, high: float, deep: float, chosen: bool) -> None:
    """Three faces of a cuboid whose middle lies at height zero."""
    low, top = -(high + deep) / 2, (high - deep) / 2
    front = ([x, x + wide, x + wide, x, x], [low, low, top, top, low])
    roof = ([x, x + wide, x + wide + deep, x + deep, x], [top, top, top + deep, top + deep, top])
    flank = (
        [x + wide, x + wide + deep, x + wide + deep, x + wide, x + wide],
        [low, low + deep, top + deep, top, low],
    )
    colour = COLOURS.get(block.kind, FALLBACK)
    for (xs, ys), opacity in ((front, 0.95), (roof, 0.7), (flank, 0.5)):
        if deep or opacity == 0.95:
            fig.add_scatter(
                x=xs,
                y=ys,
                mode="lines",
                fill="toself",
                fillcolor=_see_through(colour, opacity),
                line={"width": 3 if chosen else 1, "color": ACCENT if chosen else QUIET},
                hoveron="fills",
                hoverinfo="text",
                text=_hover(block),
            )


def _see_through(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
