"""One moment of a training as small drawings, and many of them as a moving picture.

Drawn here and not by Plotly: a step of the time machine changes all of them at once, and a browser mounts a chart anew
in the time in which it shows ten pictures.
"""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.figures.class_marks import MOST, mark
from app.figures.ink import FINE, Paper, reduced, symbol, write
from app.figures.palette import ACCENT

SIDE = 460
NAMES = 130
"""Pixels of a drawing's side, and beside it for the names of classes."""
LEGEND = 12
"""Classes; of more the names are left out of the drawings."""
GAP = 16


def scatter(
    places: np.ndarray,
    labels: np.ndarray | None,
    classes: Sequence[str],
    asked: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray],
    paper: Paper,
) -> Image.Image:
    """`places` (n, 2) marked by class, the present picture's `asked` (2,) as a ring with a cross.

    `bounds` are the lower and upper corner of the plane, the same at every moment; what lies beyond is at the edge.
    """
    named = labels is not None and len(classes) <= LEGEND
    sheet = Image.new("RGB", ((SIDE + NAMES * named) * FINE, SIDE * FINE), paper.ground)
    draw = ImageDraw.Draw(sheet)
    low, high = bounds
    room = 14 * FINE
    scale = (SIDE * FINE - 2 * room) / np.maximum(high - low, 1e-9)
    spots = room + (np.clip(np.vstack([places, asked[None]]), low, high) - low) * scale
    spots[:, 1] = SIDE * FINE - spots[:, 1]
    for number, spot in enumerate(spots[:-1]):
        symbol(draw, spot, 4 * FINE, *mark(None if labels is None else int(labels[number]) % MOST))
    x, y = spots[-1]
    for radius, colour in ((13 * FINE, paper.ground), (11 * FINE, paper.ink)):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, width=4 * FINE)
    symbol(draw, spots[-1], 5 * FINE, paper.ink, "x")
    if named:
        for number, name in enumerate(classes):
            line = (18 + 26 * number) * FINE
            symbol(draw, np.array([(SIDE + 12) * FINE, line]), 6 * FINE, *mark(number))
            write(draw, (SIDE + 26) * FINE, line, name, NAMES - 28, paper, "lm")
    return reduced(sheet)


def matrix(counts: np.ndarray, classes: Sequence[str], paper: Paper) -> Image.Image:
    """A confusion matrix `counts` (true, predicted), each cell as strong as its share of the row; the columns stand in
    the order of the rows. With few classes, their names and the numbers."""
    named = len(classes) <= LEGEND
    left = NAMES * named
    sheet = Image.new("RGB", ((SIDE + left) * FINE, SIDE * FINE), paper.ground)
    draw = ImageDraw.Draw(sheet)
    cell = SIDE * FINE / len(classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for true, predicted in np.ndindex(*counts.shape):
        share = float(shares[true, predicted])
        x, y = left * FINE + predicted * cell, true * cell
        ground = _between(paper.ground, ACCENT, 0.05 + 0.95 * share)
        draw.rectangle((x + 1, y + 1, x + cell - 2, y + cell - 2), fill=ground)
        if named and counts[true, predicted]:
            ink = Paper(ground, "#FFFFFF" if share > 0.45 else paper.ink)
            write(draw, x + cell / 2, y + cell / 2, str(counts[true, predicted]), cell, ink, "mm")
    if named:
        for number, name in enumerate(classes):
            write(draw, (left - 8) * FINE, (number + 0.5) * cell, name, NAMES - 12, paper, "rm")
    return reduced(sheet)


def _between(first: str, second: str, share: float) -> str:
    mixed = [
        round(int(first[at : at + 2], 16) * (1 - share) + int(second[at : at + 2], 16) * share) for at in (1, 3, 5)
    ]
    return "#" + "".join(f"{value:02X}" for value in mixed)


def panel(
    pictures: Sequence[Image.Image],
    titles: Sequence[str],
    caption: str,
    paper: Paper,
    charts: Sequence[Image.Image] = (),
) -> Image.Image:
    """Drawings side by side, brought to one height, each under its title; the `charts` below them as they are, as many
    in a row as fit; and the caption below all."""
    high = SIDE
    small = [picture.resize((round(picture.width * high / picture.height), high)) for picture in pictures]
    title, foot = 34, 44
    wide = sum(picture.width for picture in small) + GAP * (len(small) + 1)
    across = max(1, (wide - GAP) // (max((chart.width for chart in charts), default=wide) + GAP))
    rows = [charts[start : start + across] for start in range(0, len(charts), across)]
    below = [max(chart.height for chart in row) + GAP for row in rows]
    sheet = Image.new("RGB", (wide, title + high + GAP + sum(below) + foot), paper.ground)
    draw = ImageDraw.Draw(sheet)
    x = GAP
    for picture, name in zip(small, titles, strict=True):
        draw.text((x, title - 6), name, paper.ink, ImageFont.load_default(20), anchor="ls")
        sheet.paste(picture, (x, title))
        x += picture.width + GAP
    y = title + high + GAP
    for row, height in zip(rows, below, strict=True):
        for place, chart in enumerate(row):
            sheet.paste(chart, (GAP + place * (chart.width + GAP), y))
        y += height
    draw.text((GAP, sheet.height - GAP - foot / 2 + 4), caption, paper.ink, ImageFont.load_default(24), anchor="lm")
    return sheet


FRAME_MS, LAST_MS = 280, 2500
"""How long a moment is shown, and the last one, before it begins anew."""


def gif(frames: Sequence[Image.Image]) -> bytes:
    """The frames as a moving GIF that begins anew for ever. Raises ValueError without any."""
    # One palette for all, of the beginning, the middle and the end: with one each, what stands still would flicker.
    colours = np.hstack([np.asarray(frames[at].convert("RGB")) for at in (0, len(frames) // 2, -1)])
    palette = Image.fromarray(colours).quantize(255, dither=Image.Dither.NONE)
    shown = [frame.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    file = BytesIO()
    durations = [*[FRAME_MS] * (len(shown) - 1), LAST_MS]
    shown[0].save(file, "GIF", save_all=True, append_images=shown[1:], duration=durations, loop=0)
    return file.getvalue()
