"""Many small tiles as one picture: a PNG of 96 filters takes 11 ms, 96 Plotly facets a second in the browser."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GROUND = (128, 128, 128)
"""Middle grey: neither makes dark tiles look bright nor bright ones dark."""
GAP = 10
LABEL = 22
"""Pixels between tiles, and the height of a label under one."""


def mosaic(tiles: np.ndarray, columns: int, tile_side: int, labels: Sequence[str] | None = None) -> Image.Image:
    """`tiles`, uint8 (n, h, w) or (n, h, w, 3), in rows of `columns` on middle grey with even gaps.

    Each is enlarged with nearest neighbour, by a whole number, to about `tile_side` pixels, so that every value stays
    one sharp square.
    """
    count, high, wide = tiles.shape[:3]
    zoom = max(1, round(tile_side / max(high, wide)))
    step_x, step_y = wide * zoom + GAP, high * zoom + GAP + (LABEL if labels else 0)
    rows = -(-count // columns)
    sheet = Image.new("RGB", (columns * step_x + GAP, rows * step_y + GAP), GROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(LABEL - 3)
    for index, tile in enumerate(tiles):
        x, y = GAP + index % columns * step_x, GAP + index // columns * step_y
        sheet.paste(enlarged(tile, zoom), (x, y))
        if labels:
            draw.text((x + wide * zoom / 2, y + high * zoom + 1), labels[index], "black", font, anchor="ma")
    return sheet


def columns_for(count: int) -> int:
    """How many tiles stand in a row, so that there are at most six rows: 48 filters in rows of 8, 96 in rows of 16."""
    return max(8, -(-count // 6))


def enlarged(tile: np.ndarray, zoom: int) -> Image.Image:
    """One tile, every value a square of `zoom` pixels."""
    return Image.fromarray(tile.repeat(zoom, axis=0).repeat(zoom, axis=1)).convert("RGB")
