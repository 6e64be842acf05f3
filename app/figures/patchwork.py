"""A few small pictures close together, as a glimpse of many."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from app.figures.mosaic import GROUND

SEAM = 4
"""Pixels between the pictures."""


def patchwork(tiles: Sequence[np.ndarray], places: int, columns: int, side: int) -> Image.Image:
    """Up to `places` tiles, uint8 (side, side, 3), in rows of `columns`; places without one stay grey."""
    step, rows = side + SEAM, -(-places // columns)
    sheet = Image.new("RGB", (columns * step - SEAM, rows * step - SEAM), GROUND)
    for place, tile in enumerate(tiles[:places]):
        sheet.paste(Image.fromarray(tile), (place % columns * step, place // columns * step))
    return sheet
