"""Marks and words for drawings that are made here, twice as large as they are shown, for smooth edges."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FINE = 2
"""Drawn so many times larger."""
LETTERS = 15
"""Pixels, as shown."""


@dataclass(frozen=True)
class Paper:
    """What drawings stand on."""

    ground: str
    ink: str


LIGHT, DARK = Paper("#FFFFFF", "#18222B"), Paper("#10161C", "#EEF3F6")
"""The theme's own two (.streamlit/config.toml)."""


def symbol(draw: ImageDraw.ImageDraw, spot: np.ndarray, radius: float, colour: str, shape: str) -> None:
    """A mark of `radius` around a spot (x, y), both in fine pixels; `shape` by Plotly's name."""
    x, y = spot
    if shape == "circle":
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    elif shape == "square":
        draw.rectangle((x - radius * 0.9, y - radius * 0.9, x + radius * 0.9, y + radius * 0.9), fill=colour)
    elif shape == "x":
        for lean in (1, -1):
            draw.line((x - radius, y - lean * radius, x + radius, y + lean * radius), fill=colour, width=2 * FINE)
    else:
        bottom = ((x, y + radius * 1.3),) if shape == "diamond" else ((x, y + radius),)
        sides = ((x + radius * 1.2, bottom[0][1]), (x - radius * 1.2, bottom[0][1]))
        if shape == "diamond":
            sides = ((x + radius * 1.1, y), bottom[0], (x - radius * 1.1, y))
        draw.polygon([(x, y - radius * 1.3), *sides], fill=colour)


def write(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, room: float, paper: Paper, anchor: str) -> None:
    """`text` at (x, y) in fine pixels, cut to `room` pixels as shown."""
    font = ImageFont.load_default(LETTERS * FINE)
    line = " ".join(text.split())
    while len(line) > 4 and font.getlength(line) > room * FINE:
        line = line.removesuffix("...")[:-1] + "..."
    draw.text((x, y), line, paper.ink, font, anchor=anchor)


def reduced(sheet: Image.Image) -> Image.Image:
    """A drawing in the size in which it is shown."""
    return sheet.resize((sheet.width // FINE, sheet.height // FINE), Image.Resampling.BOX)
