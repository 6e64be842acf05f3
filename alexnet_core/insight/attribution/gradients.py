"""Gradients of the score with respect to the picture: plain, over noisy copies, times the picture."""

import torch

from alexnet_core.insight.attribution.task import Facts, Setting, Task
from alexnet_core.insight.attribution.way_back import quick_way_back

NOISE = (
    Setting("samples", "Noisy copies", "How many noisy copies of the picture; more make a calmer map and take longer.",
            20, least=2, most=200),
    Setting("noise", "Noise", "Standard deviation of the noise, as a share of the picture's range of values; the paper "
            "finds 0.1 to 0.2 best.", 0.15, least=0.0, most=1.0),
)  # fmt: skip

COPIES_AT_ONCE = 20
"""In one pass, at most: twenty of `alexnet` at 224 pixels take 0.3 GB."""


def saliency(task: Task) -> tuple[torch.Tensor, Facts]:
    """The gradient itself, sign and all: a linear model's map is its weights. Drawn, it becomes a magnitude."""
    return gradient(task, task.image), {}


def input_x_gradient(task: Task) -> tuple[torch.Tensor, Facts]:
    """The picture is the preprocessed one, whose 0 is the mean colour."""
    return task.image * gradient(task, task.image), {}


def smoothgrad(task: Task) -> tuple[torch.Tensor, Facts]:
    """The mean of the gradients."""
    mean, _, facts = _noisy(task)
    return mean, facts


def smoothgrad_squared(task: Task) -> tuple[torch.Tensor, Facts]:
    """The mean of the squared gradients."""
    _, squares, facts = _noisy(task)
    return squares, facts


def vargrad(task: Task) -> tuple[torch.Tensor, Facts]:
    """The variance of the gradients."""
    mean, squares, facts = _noisy(task)
    return squares - mean**2, facts


def gradient(task: Task, images: torch.Tensor, kind: torch.dtype = torch.float32) -> torch.Tensor:
    """Of each picture's score with respect to the picture, (N, 3, S, S); its way back in the precision `kind`."""
    with torch.enable_grad(), quick_way_back(task.network.model, kind):
        images = images.detach().requires_grad_()
        (found,) = torch.autograd.grad(task.score(images).sum(), images)
    return found


def _noisy(task: Task) -> tuple[torch.Tensor, torch.Tensor, Facts]:
    """Mean of the gradients and of their squares over noisy copies: what Captum's NoiseTunnel computes from the same
    draws, with random numbers that no other thread can take."""
    samples, image = task.number("samples"), task.image
    deviation = task.real("noise") * float(image.max() - image.min())
    chance = task.chance()
    noise = torch.normal(0.0, torch.full((samples, *image.shape[1:]), deviation), generator=chance).to(image.device)
    total, squares = torch.zeros_like(image), torch.zeros_like(image)
    at_once = task.at_once(COPIES_AT_ONCE)
    for start in range(0, samples, at_once):
        found = gradient(task, image + noise[start : start + at_once])
        total += found.sum(dim=0, keepdim=True)
        squares += (found**2).sum(dim=0, keepdim=True)
        task.progress(min(1.0, (start + at_once) / samples))
    return total / samples, squares / samples, {"samples": samples, "noise": task.real("noise")}
