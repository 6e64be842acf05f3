"""Gradients collected on the way from a picture with nothing to see to this one; the shares add up to the rise."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import torch

from alexnet_core.insight.attribution.baselines import baselines, references
from alexnet_core.insight.attribution.behind_first import BehindFirst, behind_first
from alexnet_core.insight.attribution.gradients import gradient
from alexnet_core.insight.attribution.mean_slopes import mean_slopes
from alexnet_core.insight.attribution.quadrature import Rule, rules
from alexnet_core.insight.attribution.task import Facts, Progress, Setting, Task
from alexnet_core.insight.attribution.way_back import quick_way_back
from alexnet_core.precision import name_of

COMPLETE = 0.01
"""The share of the rise that may be missing."""

STEPS_AT_ONCE = 25
"""In one pass, at most: all 50 at once are no faster on a processor and take twice the memory."""

SAMPLES = Setting(
    "samples", "Samples", "Points drawn at random: each a random picture to compare with, and a random place on the "
    "way from it to this picture.", 50, least=2, most=500,
)  # fmt: skip


def integrated_gradients(task: Task) -> tuple[torch.Tensor, Facts]:
    """From the baseline to the picture; the values add up to the score's rise, but for the convergence delta."""
    start, values = baselines(task), torch.zeros_like(task.image)
    for number, rule in enumerate(rules(task)):
        # Half of what is left of the progress bar: few ways need the last rules.
        part = task if task.text("more") == "off" else replace(task, progress=partial(_halves, task.progress, number))
        values = rule.kept * values + _mean_way(part, start, rule)
        found = shares(task, values, start)
        if abs(found["convergence_delta"]) <= COMPLETE * abs(found["rise"]):
            break
    task.progress(1.0)
    facts: Facts = {"baseline": task.text("baseline"), "n_steps": rule.steps, "precision": name_of(_kind(task))}
    return values, facts | found


def _halves(progress: Progress, number: int, share: float) -> None:
    """Tell of the `share` of pass `number`, counted from 0, each of which gets half of what is left."""
    progress(1 - 0.5**number * (1 - share / 2))


def _kind(task: Task) -> torch.dtype:
    """The precision of the way back. In 32 bits always where a network is no chain: the many small convolutions of
    SqueezeNet were no faster in 16, and their rounding added up to 0.3 % of the largest value."""
    return torch.float32 if behind_first(task) is None else task.kind


def _mean_way(task: Task, start: torch.Tensor, rule: Rule) -> torch.Tensor:
    """What the rule's points give to integrated gradients, (1, 3, S, S), on the average of the ways from the baselines
    `start`, (n, 3, S, S)."""
    parts = behind_first(task)
    total = torch.zeros_like(task.image)
    for at, baseline in enumerate(start.split(1)):
        way = replace(task, progress=partial(_part, task.progress, at, len(start)))
        with mean_slopes(task.network.model) if rule.between else nullcontext():
            total += _before(way, baseline, rule) if parts is None else _behind(way, parts, baseline, rule)
    return total / len(start)


def _part(progress: Progress, number: int, count: int, share: float) -> None:
    """Tell of the `share` of one of `count` equal parts, counted from 0."""
    progress((number + share) / count)


def _before(task: Task, baseline: torch.Tensor, rule: Rule) -> torch.Tensor:
    """The same for one way, from `baseline`, (1, 3, S, S)."""
    way = task.image.detach() - baseline

    def gradients(place: torch.Tensor) -> torch.Tensor:
        points = torch.addcmul(baseline, place, way).contiguous(memory_format=torch.channels_last)
        return gradient(task, points, _kind(task))

    return way * _summed(task, gradients, rule)


def _behind(task: Task, parts: BehindFirst, baseline: torch.Tensor, rule: Rule) -> torch.Tensor:
    """The same behind a first convolution.

    It is linear, so a straight way before it is a straight way behind it: the gradients are added up there, and only
    their sum is taken back through it. That spares it, the dearest layer to go back through, all steps but one, and
    changes the values by rounding alone.
    """
    with torch.no_grad():
        begin, way = parts.value(baseline), parts.change(task.image - baseline)

    def gradients(place: torch.Tensor) -> torch.Tensor:
        value = torch.addcmul(begin, place, way).requires_grad_()
        (found,) = torch.autograd.grad(task.score.of(parts.rest(value)).sum(), value)
        return found

    with torch.enable_grad(), quick_way_back(task.network.model, _kind(task)):
        total = _summed(task, gradients, rule)
        image = task.image.detach().requires_grad_()
        (back,) = torch.autograd.grad(parts.first(image), image, total)
    return (task.image.detach() - baseline) * back


def _summed(task: Task, gradients: Callable[[torch.Tensor], torch.Tensor], rule: Rule) -> torch.Tensor:
    """The sum of the `gradients` at the rule's points, or between them, each times what it counts: (1, C, H, W). They
    are asked for with some places, (n, 1, 1, 1), at a time."""
    total = task.image.new_zeros(())  # one map and no list of them: VGG-16's take 13 MB, and come by the hundred
    at_once = task.at_once(STEPS_AT_ONCE)
    for start in range(0, len(rule.sizes), at_once):
        size = task.image.new_tensor(rule.sizes[start : start + at_once])
        place = task.image.new_tensor(rule.places[start : start + len(size) + rule.between])
        found = gradients(place[:, None, None, None])[: len(size)].permute(0, 2, 3, 1)
        total = total + torch.tensordot(size, found, dims=1).permute(2, 0, 1)
        task.progress(min(1.0, (start + at_once) / len(rule.sizes)))
    return total[None]


def expected_gradients(task: Task) -> tuple[torch.Tensor, Facts]:
    """Captum's GradientShap with as many references as samples at most: the gradient at a random point between a random
    reference and the picture, times their difference, on the average."""
    samples, image = task.number("samples"), task.image
    compared, words = references(task, samples)
    facts: Facts = {"compared_with": words, "samples": samples, "precision": name_of(_kind(task))}
    chance = task.legacy_chance()
    chosen = torch.from_numpy(chance.choice(len(compared), samples))
    places = torch.from_numpy(chance.uniform(0.0, 1.0, samples)).float()
    total = torch.zeros_like(image)
    at_once = task.at_once(STEPS_AT_ONCE)
    for start in range(0, samples, at_once):
        some = slice(start, start + at_once)
        baseline = compared[chosen[some].to(image.device)]
        place = places[some, None, None, None].to(image.device)
        points = torch.lerp(baseline, image, place).contiguous(memory_format=torch.channels_last)
        total += (gradient(task, points, _kind(task)) * (image - baseline)).sum(dim=0, keepdim=True)
        task.progress(min(1.0, (start + at_once) / samples))
    values = total / samples
    return values, facts | shares(task, values, compared)


def shares(task: Task, values: torch.Tensor, start: torch.Tensor) -> dict[str, float]:
    """How well the `values` share out the rise of the score above its mean for the pictures `start`: the rise, and what
    the shares exceed it by."""
    first, *others = start.split(task.at_once(STEPS_AT_ONCE))
    with torch.no_grad():  # a few in one pass with the picture: large linear layers are read from memory once
        scores = torch.cat([task.score(part) for part in (torch.cat([task.image, first]), *others)])
    return how_complete(values, scores[:1], scores[1:])


def how_complete(values: torch.Tensor, score: torch.Tensor, before: torch.Tensor) -> dict[str, float]:
    """The same from the picture's score, (1, 1), or one for each comparison, and those of the pictures it is compared
    with, (n, 1)."""
    rise = float(score.double().mean() - before.double().mean())
    return {"rise": rise, "convergence_delta": float(values.double().sum()) - rise}
