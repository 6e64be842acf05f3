"""A colour and a shape for each class: two signs, so that neither alone has to be told apart."""

from app.figures.palette import ACCENT, GREEN, ORANGE, PURPLE, QUIET, SKY, VERMILLION

COLOURS = (ACCENT, ORANGE, GREEN, VERMILLION, PURPLE, SKY)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
"""By Plotly's names. Colours and shapes have no common divisor, so that the first thirty classes differ."""
MOST = len(COLOURS) * len(SYMBOLS)
"""Classes with a mark of their own."""


def mark(number: int | None) -> tuple[str, str]:
    """(colour, symbol) of the class with this number; None is a picture without a class."""
    if number is None:
        return QUIET, "circle"
    return COLOURS[number % len(COLOURS)], SYMBOLS[number % len(SYMBOLS)]
