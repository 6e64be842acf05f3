"""What the tests of the honesty panel say about a map, in words: on the page, and in the report that is taken home."""

from collections.abc import Sequence
from statistics import fmean

from alexnet_core.insight.deletion import Curves
from alexnet_core.insight.scrambling import Step, Verdict, halfway, verdict
from app.answers import Asked
from app.explaining import honesty_checks

STEADY, SHAKY = 0.15, 0.5
"""Relative change of a map among pictures that look the same: below the first it hardly moves, above the second half of
it is another map."""
GOOD, POOR = 0.35, 0.75
"""Share of the answer's changes that a map leaves unexplained: below the first it foretells most, above the second next
to nothing."""
APART, ALIKE = 0.3, 0.8
"""Rank correlation of the maps of two classes: below the first they differ, above the second the map hardly depends on
the class."""

VERDICTS: dict[Verdict, str] = {
    "notices": "The map **notices**: with the upper half of the network scrambled it is another one. So it depends on "
    "what the network learned.",
    "hardly notices": "The map **hardly notices**: with the upper half of the network scrambled, where nothing it "
    "learned about classes is left, it looks much the same. It shows the picture's edges more than the network's "
    "reasons.",
    "cannot tell": "**Cannot tell**: the map neither stays nor changes clearly, or nothing comes through the scrambled "
    "network.",
}
BETTER = (
    "This map beats the random orders **in neither direction**: random pixels carry the answer as well.",
    "This map beats the random orders **in one direction only**.",
    "In both directions this map is **better than any of the random orders**.",
)
FORETELLS = (
    "It foretells **most** of what hiding a part does.",
    "It foretells **some** of what hiding a part does.",
    "It foretells **next to nothing** of what hiding a part does.",
)
STAYS = (
    "It **stays** when the picture hardly changes.",
    "It **moves** although the picture hardly changes.",
    "It becomes **another map** although the picture hardly changes.",
)
NONSENSE = (
    "The map **differs** from that of a network that learned nothing sensible, as it should.",
    "The map is **partly** that of a network that learned nothing sensible.",
    "The map is **nearly that of a network that learned nothing sensible**: do not read reasons into it.",
)
SAME_EVERYWHERE = "One of the maps is the same everywhere; they cannot be compared."


def level(value: float, low: float, high: float, words: tuple[str, str, str]) -> str:
    """The words for a value below, between and above two bounds."""
    return words[(value > low) + (value > high)]


def scrambled(steps: Sequence[Step]) -> str:
    """Whether the map notices that the network was scrambled, and how alike it stays."""
    draws = halfway(steps).draws
    if not draws:
        return VERDICTS[verdict(steps)]
    return (
        f"{VERDICTS[verdict(steps)]} Structural similarity there: {fmean(draws):.2f} of 1, the mean of {len(draws)} "
        f"draws ({min(draws):.2f} to {max(draws):.2f})."
    )


def what_the_cascade_shows(steps: Sequence[Step]) -> str:
    """Of the maps in a row, for those who cannot see them."""
    return f"The map of the trained network and after each of {len(steps) - 1} steps of scrambling."


def directions(own: Curves, chance: Sequence[Curves]) -> int:
    """In how many of two directions, pixels going and coming, a map beats every random order."""
    deletion, insertion = honesty_checks.areas(chance)
    return int(own.deletion.area < deletion.min()) + int(own.insertion.area > insertion.max())


def runner_up(correlation: float, name: str, other: str) -> str:
    """How alike the maps of the class `name` and of the `other` most probable one are; both as they are to be shown."""
    words = (
        "The two maps **differ**: each says something about its own class.",
        "The two maps are **partly alike**.",
        f"The two maps are **nearly the same**: this one says as much about {other} as about {name}. It "
        "marks what matters at all, not what speaks for the class.",
    )
    return level(correlation, APART, ALIKE, words)


def made(asked: Asked) -> list[tuple[str, str]]:
    """(test, what it found), as plain text, of the tests of this map that were made. None is made for it."""
    found: list[tuple[str, str]] = []
    steps = honesty_checks.known("scrambled", asked)
    if steps is not None:
        ranks = (one.rank_correlation for one in steps[1:])
        each = ", ".join("none" if rank is None else f"{rank:.2f}" for rank in ranks)
        found.append(("Scrambled network", f"{scrambled(steps)} Rank correlation from step to step: {each}."))
    own, chance = honesty_checks.known("curves", asked), honesty_checks.known_chance(asked)
    if own is not None and chance is not None:
        deletion, insertion = honesty_checks.areas(chance)
        areas = (
            f"Area under the curve of deletion {own.deletion.area:.3f} (random orders {deletion.min():.3f} to "
            f"{deletion.max():.3f}), of insertion {own.insertion.area:.3f} ({insertion.min():.3f} to "
            f"{insertion.max():.3f})."
        )
        found.append(("Pixels taken away", f"{BETTER[directions(own, chance)]} {areas}"))
    unexplained, change = (honesty_checks.known(test, asked) for test in ("infidelity", "sensitivity"))
    if unexplained is not None:
        words = level(unexplained.unexplained, GOOD, POOR, FORETELLS)
        found.append(("Changes not foretold", f"{100 * unexplained.unexplained:.0f} %. {words}"))
    if change is not None:
        found.append(("Change of the map", f"{100 * change:.0f} %. {level(change, STEADY, SHAKY, STAYS)}"))
    beside = honesty_checks.known_runner_up(asked)
    if beside is not None and beside.correlation is not None:
        other = beside.asked.target_name
        words = runner_up(beside.correlation, asked.target_name, other)
        found.append((f"Beside the map of {other}", f"Rank correlation {beside.correlation:.2f}. {words}"))
    control = honesty_checks.known_shuffled(asked)
    if control is not None and control.correlation is not None:
        words = level(control.correlation, APART, ALIKE, NONSENSE)
        found.append(("Beside a network that learned nonsense", f"Rank correlation {control.correlation:.2f}. {words}"))
    return [(test, words.replace("**", "")) for test, words in found]
