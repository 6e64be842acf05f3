"""A row of the README's tables, before it is drawn."""

from dataclasses import dataclass

Spread = dict[str, float]
"""Median, least and largest of several runs, and their number, as benchmarks.report.spread makes it."""


@dataclass(frozen=True)
class Row:
    """One thing that is measured."""

    what: str
    asked: str = ""
    figure: str = ""
    """The median with its unit, or a sentence; empty where nothing has been measured."""
    runs: float = 1
    beside: str = ""
    """The spread, and what else is worth knowing."""
    met: bool = True
    """Whether it is what was asked, or nothing was."""
    mark: str = ""
    """What has to stand beside the figure wherever it is shown."""


def row(
    what: str,
    asked: str,
    spread: Spread,
    unit: str,
    digits: int,
    *,
    beside: str = "",
    met: bool = True,
    times: float = 1,
    mark: str = "",
) -> Row:
    """A row of a spread, `times` a factor into the unit that is shown."""
    median, least, largest = (f"{times * spread[key]:,.{digits}f}" for key in ("median", "least", "largest"))
    return Row(what, asked, f"{median}{unit}", spread["runs"], f" ({least} to {largest}){beside}", met, mark)
