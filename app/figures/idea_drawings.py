"""Small drawings of ideas about networks: boxes for what computes, lines for what passes, from below upwards.

Boxes bear their own ground and letters, lines are a grey that shows on white and on black, and the rest is see-through:
one drawing serves the light look and the dark one.
"""

from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw, ImageFont

from app.figures.palette import GREEN, ORANGE, QUIET, SKY

FINE = 3
"""Drawn so many times larger than shown, for smooth edges on any screen."""
WIDE, HIGH = 300, 190
"""Pixels, as shown."""
LETTERS = 15
WRITING = "#10161C"
"""On the boxes, all of which are bright."""
LOOKS, MIXES, MOVES = SKY, ORANGE, GREEN
"""Filters that look at places; filters that mix maps; what is done to maps otherwise."""

Spot = tuple[float, float]


class _Sheet:
    """A see-through sheet with its pencil; all sizes in pixels as shown."""

    def __init__(self) -> None:
        self.image = Image.new("RGBA", (WIDE * FINE, HIGH * FINE), (0, 0, 0, 0))
        self.pencil = ImageDraw.Draw(self.image)

    def box(self, x: float, y: float, text: str, colour: str, wide: float = 84, high: float = 30) -> None:
        """A box whose middle is (x, y)."""
        corners = tuple(FINE * value for value in (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2))
        self.pencil.rounded_rectangle(corners, 6 * FINE, fill=colour)
        font = ImageFont.load_default(LETTERS * FINE)
        self.pencil.text((FINE * x, FINE * y), text, WRITING, font, anchor="mm")

    def line(self, *spots: Spot, arrow: bool = True) -> None:
        """A line through `spots`, with its head at the last one."""
        self.pencil.line([(FINE * x, FINE * y) for x, y in spots], fill=QUIET, width=3 * FINE, joint="curve")
        if arrow:
            (fx, fy), (x, y) = spots[-2], spots[-1]
            length = ((x - fx) ** 2 + (y - fy) ** 2) ** 0.5
            dx, dy = (x - fx) / length * 9, (y - fy) / length * 9
            head = ((x, y), (x - dx + dy * 0.6, y - dy - dx * 0.6), (x - dx - dy * 0.6, y - dy + dx * 0.6))
            self.pencil.polygon([(FINE * a, FINE * b) for a, b in head], fill=QUIET)

    def map(self, x: float, y: float, side: float, colour: str, marked: tuple[int, int, int] | None = None) -> None:
        """A square map whose middle is (x, y); `marked` (columns from, rows from, how many of five) stands out."""
        low, cell = (x - side / 2, y - side / 2), side / 5
        self.pencil.rectangle([FINE * v for v in (*low, low[0] + side, low[1] + side)], fill=colour)
        if marked is not None:
            left, top, many = low[0] + marked[0] * cell, low[1] + marked[1] * cell, marked[2] * cell
            self.pencil.rectangle([FINE * v for v in (left, top, left + many, top + many)], fill=ORANGE)
        for step in range(6):
            for ends in (
                (low[0] + step * cell, low[1], low[0] + step * cell, low[1] + side),
                (low[0], low[1] + step * cell, low[0] + side, low[1] + step * cell),
            ):
                self.pencil.line([FINE * v for v in ends], fill=WRITING, width=FINE)


def _row(sheet: _Sheet, x: float, boxes: Sequence[tuple[str, str]], wide: float = 84) -> None:
    """Boxes above each other around `x`, evenly from bottom to top, with arrows between and at both ends."""
    step = HIGH / (len(boxes) + 0.35)
    spots = [HIGH - step * (place + 0.675) for place in range(len(boxes))]
    high = min(30.0, step - 16)
    for lower, upper in zip([HIGH + high / 2 - 2, *spots], [*spots, high / 2 + -high + 2], strict=True):
        sheet.line((x, lower - high / 2), (x, upper + high / 2 + 1))
    for (text, colour), y in zip(boxes, spots, strict=True):
        sheet.box(x, y, text, colour, wide, high)


def _alexnet(sheet: _Sheet) -> None:
    boxes = [("11x11", LOOKS), ("5x5", LOOKS), ("3x3", LOOKS), ("linear", MIXES)]
    _row(sheet, 90, boxes, 120)
    for y, side in ((150, 52), (92, 40), (45, 28)):
        sheet.map(225, y, side, LOOKS, (1, 1, 3))


def _vgg(sheet: _Sheet) -> None:
    sheet.map(60, 95, 100, LOOKS, (1, 1, 3))
    sheet.line((118, 95), (150, 95))
    _row(sheet, 222, [("3x3", LOOKS), ("ReLU", MOVES), ("3x3", LOOKS), ("ReLU", MOVES)], 100)


def _inception(sheet: _Sheet) -> None:
    middle = 150.0
    for x, text, colour in ((40, "1x1", MIXES), (113, "3x3", LOOKS), (187, "5x5", LOOKS), (260, "pool", MOVES)):
        sheet.line((middle, 186), (x, 160), (x, 122))
        sheet.line((x, 92), (x, 64), (middle, 40))
        sheet.box(x, 107, text, colour, 62)
    sheet.box(middle, 24, "side by side", MOVES, 130)


def _batch_norm(sheet: _Sheet) -> None:
    _row(sheet, 70, [("filters", LOOKS), ("normalise", MOVES), ("ReLU", MOVES)], 104)
    for base, spread, centre in ((168, 22.0, 258.0), (78, 11.0, 215.0)):
        curve = [
            (150 + 2.0 * place, base - 60 * 2.718 ** (-(((150 + 2.0 * place - centre) / spread) ** 2) / 2))
            for place in range(72)
        ]
        sheet.line(*curve, arrow=False)
        sheet.line((150, base), (294, base), arrow=False)
        sheet.line((215, base + 7), (215, base - 4), arrow=False)
    sheet.line((236, 112), (222, 92))


def _inception_v3(sheet: _Sheet) -> None:
    sheet.box(62, 95, "7x7", LOOKS, 92, 92)
    sheet.line((114, 95), (146, 95))
    sheet.box(222, 122, "1x7", LOOKS, 132, 26)
    sheet.line((222, 186), (222, 137))
    sheet.line((222, 108), (222, 92))
    sheet.box(222, 60, "7x1", LOOKS, 44, 62)
    sheet.line((222, 28), (222, 4))


def _resnet(sheet: _Sheet) -> None:
    sheet.line((110, 188), (110, 158))
    sheet.box(110, 143, "3x3", LOOKS, 100)
    sheet.line((110, 128), (110, 104))
    sheet.box(110, 89, "3x3", LOOKS, 100)
    sheet.line((110, 74), (110, 48))
    sheet.line((110, 174), (240, 174), (240, 33), (130, 33))
    sheet.box(110, 33, "+", MOVES, 34)
    sheet.line((110, 18), (110, 1))


def _squeezenet(sheet: _Sheet) -> None:
    sheet.line((150, 188), (150, 168))
    sheet.box(150, 153, "1x1: few maps", MIXES, 128)
    sheet.line((120, 138), (80, 108))
    sheet.line((180, 138), (220, 108))
    sheet.box(76, 92, "1x1", MIXES, 110)
    sheet.box(224, 92, "3x3", LOOKS, 110)
    sheet.line((80, 77), (120, 48))
    sheet.line((220, 77), (180, 48))
    sheet.box(150, 32, "many maps", MOVES, 200)
    sheet.line((150, 17), (150, 1))


def _mobilenet(sheet: _Sheet) -> None:
    for x in (45, 115, 185, 255):
        sheet.line((x, 188), (x, 158))
        sheet.box(x, 143, "3x3", LOOKS, 52)
        sheet.line((x, 128), (x, 92))
    sheet.box(150, 76, "1x1 mixes", MIXES, 262)
    for x in (45, 115, 185, 255):
        sheet.line((x, 61), (x, 36))
    sheet.box(150, 20, "weigh each map", MOVES, 262)


def _efficientnet(sheet: _Sheet) -> None:
    for x, wide, boxes, side in ((62.0, 50.0, 2, 30.0), (216.0, 104.0, 4, 50.0)):
        foot = 186 - side
        sheet.map(x, 186 - side / 2, side, LOOKS)
        step = 27.0
        for place in range(boxes):
            y = foot - 20 - place * step
            sheet.box(x, y, "", LOOKS if place % 2 == 0 else MIXES, wide, 20)
    sheet.line((102, 120), (146, 120))


def _efficientnet_v2(sheet: _Sheet) -> None:
    for x, wide, boxes in ((75.0, 120.0, [("1x1", MIXES), ("each map 3x3", LOOKS), ("1x1", MIXES)]),
                           (225.0, 120.0, [("3x3 of all", LOOKS), ("1x1", MIXES)])):  # fmt: skip
        _row(sheet, x, boxes, wide)
    sheet.line((139, 95), (161, 95))


DRAWINGS: dict[str, tuple[Callable[[_Sheet], None], str]] = {
    "alexnet": (
        _alexnet, "A row of layers from below: filters of 11 by 11, 5 by 5 and 3 by 3, then linear layers; beside "
        "them maps that become smaller.",
    ),
    "vgg": (_vgg, "In place of one 5 by 5 filter, two 3 by 3 filters above each other, each with a ReLU."),
    "inception": (
        _inception, "One input goes to 1 by 1, 3 by 3 and 5 by 5 filters and a pooling; the four outputs are laid side "
        "by side.",
    ),
    "batch_norm": (
        _batch_norm, "Filters, a normalisation, a ReLU; beside them a wide bell curve that lies to one side becomes a "
        "narrow one around zero.",
    ),
    "inception_v3": (_inception_v3, "A 7 by 7 filter becomes a flat 1 by 7 one and an upright 7 by 1 one behind it."),
    "resnet": (_resnet, "Two 3 by 3 convolutions, and a line that goes around both to a plus sign behind them."),
    "squeezenet": (
        _squeezenet, "1 by 1 filters make few maps, from which 1 by 1 and 3 by 3 filters make many again.",
    ),
    "mobilenet": (
        _mobilenet, "Four maps, each with a 3 by 3 filter of its own; above, 1 by 1 filters mix all, and each map is "
        "weighted.",
    ),
    "efficientnet": (
        _efficientnet, "A small network of a small picture beside one that is deeper and wider, of a larger picture.",
    ),
    "efficientnet_v2": (
        _efficientnet_v2, "Three layers, of which the middle one looks at each map apart, become two: one that looks "
        "at all maps at once, and one that mixes.",
    ),
}  # fmt: skip
"""By idea: how it is drawn, and what is to be seen, in words."""


def drawing(idea: str) -> Image.Image:
    """The drawing of `idea`, RGBA, see-through around it."""
    sheet = _Sheet()
    DRAWINGS[idea][0](sheet)
    return sheet.image


def in_words(idea: str) -> str:
    """What the drawing of `idea` shows."""
    return DRAWINGS[idea][1]
