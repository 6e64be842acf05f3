"""Gradients collected on the way from a picture with nothing to see to this one; the shares add up to the rise."""

from dataclasses import replace

import torch

from alexnet_core.insight.attribution.baselines import baselines, references
from alexnet_core.insight.attribution.behind_first import BehindFirst, behind_first
from alexnet_core.insight.attribution.gradients import gradient
from alexnet_core.insight.attribution.task import Facts, Progress, Setting, Task
from alexnet_core.insight.attribution.way_back import quick_way_back
from alexnet_core.precision import name_of

STEPS = Setting(
    "steps", "Steps", "Points on the way from the comparison to the picture. The convergence delta says whether there "
    "were enough: it is what the shares miss of the rise.", 50, least=2, most=500,
)  # fmt: skip

QUADRATURE = Setting(
    "quadrature",
    "Rule of integration",
    "How the points lie and what each counts. Midpoints of equal parts come closest. Gauss and Legendre's choice, the "
    "usual one of Captum, is best where nothing jumps; but a network's gradient jumps at every kink.",
    "riemann_middle",
    choices=("riemann_middle", "gausslegendre", "riemann_trapezoid"),
)

MORE = Setting(
    "more", "More steps until complete", "Where the shares miss over a hundredth of the rise, twice as many points "
    "are added, and if need be four times as many. Off: only the steps asked for, as other programs do.",
    "on", choices=("on", "off"),
)  # fmt: skip

COMPLETE = 0.01
"""The share of the rise that may be missing. A network's gradient jumps at every kink of its ReLUs and poolings, so the
miss is chance: with 50 points some 1 % on the bundled networks, now less, now more."""

DENSITIES = (1, 2, 4)
"""Points of each pass over the way, in the steps asked for; a pass has others than the one before, and all count."""

STEPS_AT_ONCE = 25
"""In one pass, at most: all 50 at once are no faster on a processor and take twice the memory."""

SAMPLES = Setting(
    "samples", "Samples", "Points drawn at random: each a random picture to compare with, and a random place on the "
    "way from it to this picture.", 50, least=2, most=500,
)  # fmt: skip


def integrated_gradients(task: Task) -> tuple[torch.Tensor, Facts]:
    """From the baseline to the picture; the values add up to the score's rise, but for the convergence delta."""
    start, steps, more = baselines(task), task.number("steps"), task.text("more") == "on"
    total, points = torch.zeros_like(task.image), 0
    for density in DENSITIES if more else DENSITIES[:1]:
        part = replace(task, progress=_part_of(task.progress, points / steps, density) if more else task.progress)
        total += density * steps * _mean_way(part, start, density * steps)
        points += density * steps
        found = shares(task, total / points, start)
        if abs(found["convergence_delta"]) <= COMPLETE * abs(found["rise"]):
            break
    task.progress(1.0)
    facts: Facts = {"baseline": task.text("baseline"), "n_steps": points, "precision": name_of(_kind(task))}
    return total / points, facts | found


def _kind(task: Task) -> torch.dtype:
    """The precision of the way back. In 32 bits always where a network is no chain: the many small convolutions of
    SqueezeNet were no faster in 16, and their rounding added up to 0.3 % of the largest value."""
    return torch.float32 if behind_first(task) is None else task.kind


def _part_of(progress: Progress, before: float, density: int) -> Progress:
    """The share of the longest way that is behind, `before` and `density` counted in the steps that were asked for."""
    return lambda share: progress((before + density * share) / sum(DENSITIES))


def _mean_way(task: Task, start: torch.Tensor, steps: int) -> torch.Tensor:
    """Integrated gradients with `steps` points, the mean over the baselines `start`, (n, 3, S, S)."""
    from captum.attr import IntegratedGradients  # takes a second to import

    parts = behind_first(task)
    model = task.counting(task.score, len(start) * steps)
    total = torch.zeros_like(task.image)
    with quick_way_back(task.network.model, _kind(task)):
        for at, baseline in enumerate(start):
            if parts is not None:
                total += _behind(task, parts, baseline[None], steps)
                task.progress((at + 1) / len(start))
                continue
            values = IntegratedGradients(model).attribute(
                task.image,
                baselines=baseline[None],
                target=0,
                n_steps=steps,
                method=task.text("quadrature"),
                internal_batch_size=task.at_once(STEPS_AT_ONCE),
            )
            total += values.detach()
    return total / len(start)


def _behind(task: Task, parts: BehindFirst, baseline: torch.Tensor, steps: int) -> torch.Tensor:
    """Integrated gradients from `baseline` to the picture, both (1, 3, S, S), with `steps` points.

    The first convolution is linear, so a straight way before it is a straight way behind it: the gradients are averaged
    there, and only their mean is taken back through it. That spares it, the dearest layer to go back through, all steps
    but one, and changes the values by rounding alone.
    """
    from captum.attr._utils.approximation_methods import approximation_parameters

    sizes, places = (rule(steps) for rule in approximation_parameters(task.text("quadrature")))
    with torch.no_grad():
        begin, way = parts.value(baseline), parts.change(task.image - baseline)
    mean = torch.zeros_like(way)
    at_once = task.at_once(STEPS_AT_ONCE)
    for start in range(0, len(places), at_once):
        some = slice(start, start + at_once)
        place, size = (way.new_tensor(part[some]) for part in (places, sizes))
        with torch.enable_grad():
            value = torch.addcmul(begin, place[:, None, None, None], way).requires_grad_()
            (found,) = torch.autograd.grad(task.score.of(parts.rest(value)).sum(), value)
        mean += torch.tensordot(size, found.permute(0, 2, 3, 1), dims=1).permute(2, 0, 1)
    with torch.enable_grad():
        image = task.image.detach().requires_grad_()
        (back,) = torch.autograd.grad(parts.first(image), image, mean)
    return (task.image.detach() - baseline) * back


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
