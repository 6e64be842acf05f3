"""One small picture in a row of alike ones, framed where it is what was looked for."""

import numpy as np
from PIL import Image, ImageDraw

from app.figures.mosaic import GROUND, enlarged
from app.figures.palette import ACCENT

FRAME = 6
"""Pixels; a frame that is there or not is told apart without its colour."""


def framed(tile: np.ndarray, side: int, marked: bool) -> Image.Image:
    """`tile`, uint8 (S, S, 3), enlarged with nearest neighbour to about `side` pixels, in a frame where it is
    `marked`; all keep room for one."""
    inside = enlarged(tile, max(1, round(side / tile.shape[0])))
    sheet = Image.new("RGB", (inside.width + 2 * FRAME, inside.height + 2 * FRAME), GROUND)
    if marked:
        ImageDraw.Draw(sheet).rectangle((0, 0, sheet.width - 1, sheet.height - 1), outline=ACCENT, width=FRAME)
    sheet.paste(inside, (FRAME, FRAME))
    return sheet
