"""Lines over the steps of a training, drawn once, and a cursor at one moment after another.

The chart of `history` can be asked for numbers; this one moves: laying a line over a drawing takes a millisecond.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.figures.class_marks import mark
from app.figures.history import BEFORE_FIRST, Series
from app.figures.ink import FINE, LETTERS, Paper, reduced, symbol, write
from app.figures.palette import QUIET, VERMILLION

WIDE, HIGH = 640, 220
LEFT, TOP, BOTTOM = 56, 34, 30
"""Pixels of the whole drawing, and of its margins; the names of the lines stand below."""
LINE, NAME = 24, 200
"""Pixels of a row of names, and of one name's width."""
MARKS = 8
"""On a line: a second sign beside its colour."""


@dataclass(frozen=True)
class Timeline:
    """A drawing without its cursor."""

    sheet: Image.Image
    last: float
    """The step at its right edge."""

    def at(self, step: float) -> Image.Image:
        """The drawing with the cursor at `step`."""
        copy = self.sheet.copy()
        x = round(_across(step, self.last) / FINE)
        ImageDraw.Draw(copy).line((x, TOP, x, HIGH - BOTTOM), fill=VERMILLION, width=4)
        return copy


def timeline(series: Sequence[Series], title: str, last: float, paper: Paper, percent: bool = False) -> Timeline:
    """Lines over the steps up to `last`, the steps on a logarithmic axis, the values from zero to their largest."""
    rows = -(-len(series) // ((WIDE - LEFT) // NAME))
    sheet = Image.new("RGB", (WIDE * FINE, (HIGH + LINE * rows) * FINE), paper.ground)
    draw = ImageDraw.Draw(sheet)
    top = 1.0 if percent else max((value for line in series for value in line.values), default=0.0) or 1.0
    draw.text((0, 4 * FINE), title, paper.ink, ImageFont.load_default((LETTERS + 2) * FINE))
    for share in (0.0, 0.5, 1.0):
        y = _up(share * top, top)
        draw.line((LEFT * FINE, y, (WIDE - 8) * FINE, y), fill=QUIET, width=1)
        text = f"{share:.0%}" if percent else f"{share * top:.2g}"
        write(draw, (LEFT - 6) * FINE, y, text, LEFT, paper, "rm")
    for power in range(len(str(int(max(1, last))))):
        write(draw, _across(10**power, last), (HIGH - BOTTOM + 12) * FINE, f"{10**power:,}", 70, paper, "mm")
    write(draw, _across(0, last), (HIGH - BOTTOM + 12) * FINE, "start", 60, paper, "mm")
    for number, line in enumerate(series):
        colour, shape = mark(number)
        spots = [(_across(step, last), _up(value, top)) for step, value in zip(line.steps, line.values, strict=True)]
        if len(spots) > 1:
            draw.line(spots, fill=colour, width=2 * FINE, joint="curve")
        for spot in spots[:: max(1, len(spots) // MARKS)]:
            symbol(draw, np.array(spot), 4 * FINE, colour, shape)
        column, row = number % ((WIDE - LEFT) // NAME), number // ((WIDE - LEFT) // NAME)
        x, y = LEFT + column * NAME, HIGH + row * LINE + LINE / 2
        symbol(draw, np.array([x * FINE, y * FINE]), 5 * FINE, colour, shape)
        write(draw, (x + 12) * FINE, y * FINE, line.name, NAME - 20, paper, "lm")
    return Timeline(reduced(sheet), last)


def _across(step: float, last: float) -> float:
    """Where a step lies, in fine pixels."""
    start = log10(BEFORE_FIRST)
    share = (log10(max(BEFORE_FIRST, step)) - start) / (log10(max(1.0, last)) - start)
    return (LEFT + share * (WIDE - LEFT - 16)) * FINE


def _up(value: float, top: float) -> float:
    return (HIGH - BOTTOM - min(1.0, value / top) * (HIGH - BOTTOM - TOP)) * FINE
