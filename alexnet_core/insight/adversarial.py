"""Pictures changed so little that nobody sees it, and the network says something else.

FGSM after Goodfellow, Shlens, Szegedy 2014, arXiv:1412.6572, section 4; PGD after Madry et al. 2017, arXiv:1706.06083,
section 2.1. Every picture on the way has whole pixel values from 0 to 255, so that what fools the network also fools it
when it was saved and loaded again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.attribution.task import MAPS_AT_ONCE
from alexnet_core.insight.distortions import probabilities
from alexnet_core.insight.hooks import evaluating
from alexnet_core.insight.operations import operations
from alexnet_core.insight.prediction import BATCH
from alexnet_core.models import Network
from alexnet_core.preprocess import Preprocessing

Attack = Literal["fgsm", "pgd"]

STEPS = 10
"""Of PGD; more find little that ten do not."""
EPSILONS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""How far any colour value may be moved, of 255. From 8 on a careful eye sees it on even surfaces."""


@dataclass(frozen=True)
class Adversary:
    """An attacked picture."""

    attack: Attack
    epsilon: int
    """The bound that was kept: no colour value is further from the original, in 1/255 of the range."""
    target: int | None
    """The class that was to be said; None where any other than the first would do."""
    pixels: np.ndarray
    """uint8 (S, S, 3)."""
    change: np.ndarray
    """int16 (S, S, 3), the pixels minus the original's."""
    probabilities: np.ndarray
    """float32 (K,), what the network says about `pixels`."""


def attack(
    network: Network, pixels: np.ndarray, kind: Attack, epsilon: int, target: int | None = None, seed: int = 0
) -> Adversary:
    """Change the square `pixels`, uint8 (S, S, 3), by at most `epsilon` a colour value, so that the network says
    `target`, or without one anything but what it says now.

    FGSM is one step of `epsilon` along the sign of the gradient. PGD begins at a random place within the bound and
    takes `STEPS` smaller ones; the best picture on the way counts. Leaves no gradient behind. Raises ExplorerError for
    an epsilon beyond 0 to 255 and a class there is not.
    """
    if not 0 <= epsilon <= 255:
        raise ExplorerError(f"The bound must be a whole number of 255 from 0 to 255, not {epsilon!r:.40}.")
    if target is not None and not 0 <= target < len(network.classes):
        raise ExplorerError(f"There is no class number {target}; this network has 0 to {len(network.classes) - 1}.")
    device = next(network.model.parameters()).device
    original = torch.from_numpy(pixels.astype(np.int64))[None].to(device)  # (1, S, S, 3)
    with evaluating(network.model):
        # Away from what it says now; or towards the target.
        wanted = target if target is not None else int(probabilities(network, pixels[None])[0].argmax())
        labels = torch.tensor([wanted], device=device)
        changed = _ascend(network, original, kind, epsilon, labels, 1 if target is None else -1, seed)
    result = changed[0].cpu().numpy().astype(np.uint8)
    change = result.astype(np.int16) - pixels.astype(np.int16)
    return Adversary(kind, epsilon, target, result, change, probabilities(network, result[None])[0])


def right_answers(
    network: Network, squares: np.ndarray, labels: np.ndarray, kind: Attack, seed: int = 0
) -> Iterator[tuple[int, np.ndarray]]:
    """Which of the squares, uint8 (N, S, S, 3), the network still takes for their classes `labels` (N,) when each was
    attacked, away from its own class, within each of the bounds `EPSILONS`.

    Yields, a few squares at a time, the place of the bound and bool (n,): bound after bound, all squares in order at
    each. Between two of them nothing is on the network: hold its lock for each step alone.
    """
    device = next(network.model.parameters()).device
    at_once = _at_once(network)
    for place, epsilon in enumerate(EPSILONS):
        for start in range(0, len(squares), at_once):
            some, wanted = squares[start : start + at_once], labels[start : start + at_once]
            if epsilon:
                original = torch.from_numpy(some.astype(np.int64)).to(device)
                with evaluating(network.model):
                    away = torch.from_numpy(wanted).to(device)
                    some = _ascend(network, original, kind, epsilon, away, 1, seed + start).cpu().numpy()
            yield place, probabilities(network, some.astype(np.uint8)).argmax(axis=1) == wanted


def _at_once(network: Network) -> int:
    """How many pictures may pass together, and back."""
    numbers = sum(prod(step.shape) for step in operations(network).steps)
    return max(1, min(BATCH, MAPS_AT_ONCE // (4 * max(1, numbers))))


def _ascend(
    network: Network, original: torch.Tensor, kind: Attack, epsilon: int, labels: torch.Tensor, sign: int, seed: int
) -> torch.Tensor:
    """Of each picture the whole-numbered one within the bound, int64 (N, S, S, 3), whose cross entropy for its label,
    int64 (N,), times `sign`, was the largest on the way."""
    low, high = (original - epsilon).clamp(min=0), (original + epsilon).clamp(max=255)
    steps, stride = (1, epsilon) if kind == "fgsm" else (STEPS, max(1, round(2.5 * epsilon / STEPS)))
    here = original
    if kind == "pgd":
        generator = torch.Generator().manual_seed(seed)
        start = torch.randint(-epsilon, epsilon + 1, original.shape, generator=generator)
        here = (original + start.to(original.device)).clamp(low, high)
    best, largest = original, torch.full((len(original),), -torch.inf, device=original.device)
    for step in range(steps + 1):
        losses, slope = _losses(network, here, labels, sign, last=step == steps)
        # The one step of FGSM counts even where it makes things worse, as a step that is too long can.
        better = losses > largest if kind == "pgd" else torch.ones_like(losses, dtype=torch.bool)
        best = torch.where(better[:, None, None, None], here, best)
        largest = torch.where(better, losses, largest)
        here = (here + stride * slope.sign().long()).clamp(low, high)
    return best


def _losses(
    network: Network, pixels: torch.Tensor, labels: torch.Tensor, sign: int, last: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """The cross entropy of each picture times `sign`, (N,), and its gradient by the pixels, zero where nobody will ask
    for it."""
    colours = pixels.float().requires_grad_()
    with torch.set_grad_enabled(not last):
        logits = network.model(network.preprocessing.normalise(colours)).float()
        losses = sign * F.cross_entropy(logits, labels, reduction="none")
    if last:
        return losses, torch.zeros_like(colours)
    (slope,) = torch.autograd.grad(losses.sum(), colours)
    return losses.detach(), slope


def amplification(change: np.ndarray) -> int:
    """The whole number by which a change can be multiplied before its largest value leaves the range of a picture."""
    return max(1, 127 // max(1, int(np.abs(change).max())))


def amplified(change: np.ndarray, factor: int) -> np.ndarray:
    """The change, times `factor`, on middle grey: uint8 (S, S, 3)."""
    return (128 + factor * change).clip(0, 255).astype(np.uint8)


def as_file(preprocessing: Preprocessing, pixels: np.ndarray) -> Image.Image:
    """A picture whose centre square, as `preprocessing` cuts it, is exactly `pixels`: where the network's pictures are
    cut out of slightly larger ones, the edge is continued outwards, so that nothing is resized on the way back."""
    before = (preprocessing.resize - preprocessing.size) // 2
    after = preprocessing.resize - preprocessing.size - before
    return Image.fromarray(np.pad(pixels, ((before, after), (before, after), (0, 0)), mode="edge"))
