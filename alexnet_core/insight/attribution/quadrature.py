"""Rules for the mean of a gradient over the way from one picture to another: which points, and what each counts."""

from collections.abc import Iterator
from typing import NamedTuple

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.attribution.mean_slopes import without_mean_slope
from alexnet_core.insight.attribution.task import Setting, Task

STEPS = Setting(
    "steps", "Steps", "Parts of the way from the comparison to the picture. More come closer to the exact map; whether "
    "there are enough, twice as many show: the map should stay as it is.", 50, least=2, most=500,
)  # fmt: skip

AT_POINTS = ("riemann_middle", "gausslegendre", "riemann_trapezoid")
"""Captum's rules that are offered."""

QUADRATURE = Setting(
    "quadrature",
    "Rule of integration",
    "How the gradient's mean over the way is taken. With mean slopes each ReLU and pooling counts with its mean slope "
    "from one point to the next, so the shares add up whatever the steps. The others take the gradient at points "
    "alone, and what they miss of the rise says whether there were enough: at the middles of equal parts, as Gauss and "
    "Legendre chose (Captum's default), or as trapezoids.",
    "mean_slopes",
    choices=("mean_slopes", *AT_POINTS),
)

MORE = Setting(
    "more", "More steps until complete", "With points alone: where the shares miss over a hundredth of the rise, the "
    "way is gone anew in steps a third as long, and so on, up to 1,500 points. Off: only the steps asked for, as other "
    "programs do.", "on", choices=("on", "off"),
)  # fmt: skip

FINER = 3
"""How many times as many points come next: then the midpoints before are among them."""

MOST_POINTS = 1500


class Rule(NamedTuple):
    """How a mean over a way is taken: with which points, and what each counts."""

    steps: int
    sizes: list[float]
    """What each of the gradients counts."""
    places: list[float]
    """From 0 to 1; without those that the rule before had."""
    kept: float = 0.0
    """What the mean by the rule before counts."""
    between: bool = False
    """Whether the gradients are those between each point and the next, so that there is one point more."""


def rules(task: Task) -> Iterator[Rule]:
    """The rule of integration that was set, with the steps asked for, then finer ones, where these are wanted.

    Raises ExplorerError where mean slopes are asked of a network that has functions without.
    """
    chosen, steps = task.text("quadrature"), task.number("steps")
    if chosen != "mean_slopes":
        yield from _at_points(chosen, steps, task.text("more") == "on")
        return
    if strange := without_mean_slope(task.network):
        raise ExplorerError(
            f"There is no mean slope for {', '.join(strange)} of {task.network.title}: choose another rule of "
            "integration."
        )
    yield Rule(steps, [1 / steps] * steps, [number / steps for number in range(steps + 1)], between=True)


def _at_points(name: str, steps: int, more: bool) -> Iterator[Rule]:
    """One of Captum's rules, then finer ones."""
    from captum.attr._utils.approximation_methods import approximation_parameters  # takes a second to import

    sizes, places = approximation_parameters(name)
    yield Rule(steps, sizes(steps), places(steps))
    while more and FINER * steps <= MOST_POINTS:
        steps *= FINER
        rule = Rule(steps, sizes(steps), places(steps))
        if name == "riemann_middle":
            # The middle of a part is the middle of its middle third, too.
            new = [number for number in range(steps) if number % FINER != FINER // 2]
            rule = Rule(steps, [rule.sizes[at] for at in new], [rule.places[at] for at in new], 1 / FINER)
        yield rule
