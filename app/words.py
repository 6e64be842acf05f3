"""What the app says about numbers, pictures and data: as few digits as they deserve, and plain sentences."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import floor, log10

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import DATASETS
from app.sentences import plain


def distinct(titles: Mapping[str, str]) -> dict[str, str]:
    """The titles by key, with the end of the key where two are alike: a list finds its choice by what it shows, and
    would take the last of those for any of them."""
    often = Counter(titles.values())
    return {key: title if often[title] == 1 else f"{title} ({key[-4:]})" for key, title in titles.items()}


def amount(number: float) -> str:
    """A count with no more digits than a person wants: 714 million, 23,296."""
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if number >= (ROUNDS_UP * size if size > 1e6 else size):
            return f"{number / size:.3g} {word}"
    return f"{number:,.0f}"


ROUNDS_UP = 0.9995
"""Of a unit: from here on three digits are a whole one of it, where of the unit below they would be 1e+03."""


def memory(count: int) -> str:
    """A number of bytes for people."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= ROUNDS_UP * size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"


def percent(share: float) -> str:
    """A probability or an accuracy: one decimal, and never a rounded certainty."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share:.1%}".replace("%", " %")


def duration(seconds: float) -> str:
    """A span of time for people: 42 s, 3 min, 2 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    if whole < 5400:
        return f"{round(whole / 60)} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min"


def shape(sizes: Sequence[int]) -> str:
    """64 × 55 × 55."""
    return " × ".join(f"{size:,}" for size in sizes)


def option(name: str) -> str:
    """One of the things that a setting can be, as commands name it, for the screen."""
    return name.replace("_", " ")


def pixels(side: int) -> str:
    """The size of a square picture."""
    return f"{side} × {side} pixels"


def answer(name: str, probability: float) -> str:
    """A class and its probability, as Markdown."""
    return f"{plain(name)} · **{percent(probability)}**"


def unusable(bad_files: Sequence[tuple[str, str]]) -> str:
    """Which files could not be used and why, the first few by name."""
    first = "\n".join(f"* {plain(name)}: {plain(reason)}" for name, reason in bad_files[:5])
    count = "One file" if len(bad_files) == 1 else f"{len(bad_files):,} files"
    return f"{count} could not be used and {'was' if len(bad_files) == 1 else 'were'} left out:\n\n{first}"


def preparing(source: str) -> str:
    """What preparing this data set means."""
    entry = DATASETS.get(source)
    if entry is None or entry.offline:
        return "Brings every picture to one size on this computer's disk; nothing is fetched."
    return f"Fetches {memory(entry.download_bytes)} once, then brings every picture to one size."


def progress(done: int, total: int, stage: str) -> tuple[float, str]:
    """A share and a sentence for a bar; bytes while something is read or fetched, pictures otherwise."""
    share = min(1.0, done / total) if total else 0.0
    if stage in ("reading", "downloading"):
        return share, f"{stage.capitalize()}: {memory(done)} of {memory(total)}"
    return share, f"{stage.capitalize()}: {done:,} of {total:,} pictures"


def data_caption(prepared: PreparedSet) -> str:
    """How many pictures of which kind, and on which terms."""
    counts = ", ".join(
        f"{prepared.count(split):,} {name}" for split, name in SPLITS.items() if split in prepared.splits
    )
    return (
        f"Training pictures of each class. In all {counts}; {pixels(prepared.image_size)}. Licence: "
        f"{plain(prepared.licence)}."
    )


SPLITS = {"train": "to train on", "val": "to validate on", "test": "for the test at the end"}
"""What the splits are for."""


def step_of(value: float) -> float:
    """A sensible step for a field that holds `value`: a tenth of its size, 0.01 for zero."""
    return 10.0 ** (floor(log10(value)) - 1) if value > 0 else 0.01


def picture_caption(name: str, side: int) -> str:
    """What a picture is, and how much of it a network gets."""
    return f"{plain(name)}. The network gets this square in {pixels(side)}."
