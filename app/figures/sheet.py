"""Several pictures with their titles on one sheet, to take home or to print."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

PAPER = "white"
INK = "#16181d"
MARGIN = 24
TITLE = 24
"""Pixels around the pictures, and of a title's letters."""
LINE = 32


def sheet(pictures: Sequence[Image.Image], titles: Sequence[str], columns: int, heading: str) -> Image.Image:
    """`pictures` in rows of `columns` on white, each in the size of the first one, its title under it and `heading`
    above all. A title that is too long for its picture ends in dots."""
    wide, high = pictures[0].size
    rows = -(-len(pictures) // columns)
    columns = min(columns, len(pictures))
    step_x, step_y = wide + MARGIN, high + LINE + MARGIN
    paper = Image.new("RGB", (columns * step_x + MARGIN, rows * step_y + LINE + 2 * MARGIN), PAPER)
    draw = ImageDraw.Draw(paper)
    font = ImageFont.load_default(TITLE)
    draw.text((MARGIN, MARGIN), _fitting(heading, font, paper.width - 2 * MARGIN), INK, font)
    for index, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        x, y = MARGIN + index % columns * step_x, 2 * MARGIN + LINE + index // columns * step_y
        paper.paste(picture.resize((wide, high), Image.Resampling.NEAREST), (x, y))
        draw.text((x, y + high + 2), _fitting(title, font, wide), INK, font)
    return paper


def _fitting(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> str:
    line = " ".join(text.split())
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(line + "...") > width:
        line = line[:-1]
    return line + "..."
