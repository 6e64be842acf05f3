"""Muon: momentum whose step is made orthogonal, so that all directions of a filter bank learn at one pace.

A gradient of convolutions is a matrix with a few large singular values and many small ones; plain SGD follows the
large ones and hardly moves the rest. Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024),
bring all singular values near one by a few products of matrices (Newton and Schulz). As in Jordan's "94% on CIFAR-10 in
2.6 seconds" (2024) the weights keep their length, and a step is `lr` times that long: one learning rate then suits
layers of every size.
"""

from collections.abc import Iterable
from typing import Any

import torch

ROUNDS = 3
"""Of Newton's and Schulz's iteration. Five learned no more in two epochs, and cost a twentieth of a small network's
step."""
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of its polynomial a x + b x^3 + c x^5, Jordan's: steep at zero, and then never far from one."""
TINY = 1e-12
"""Keeps a gradient of nothing but zeros from being divided by its length."""


class Muon(torch.optim.Optimizer):
    """Groups with `orthogonal` on take Muon's steps, the others those of SGD with Nesterov's momentum."""

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, momentum: float) -> None:
        """`groups` hold `params`, `weight_decay` (for SGD's steps; a length that is kept needs none), `orthogonal`."""
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0, "orthogonal": False})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step from the gradients that there are."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if not weights:
                continue
            # All of a group in one call: for the many small ones of a small network the calls are what takes time.
            gradients = torch._foreach_add([weight.grad for weight in weights], weights, alpha=group["weight_decay"])
            past = [self._past(weight) for weight in weights]
            torch._foreach_mul_(past, group["momentum"])
            torch._foreach_add_(past, gradients)
            steps = torch._foreach_add(gradients, past, alpha=group["momentum"])
            if not group["orthogonal"]:
                torch._foreach_add_(weights, steps, alpha=-group["lr"])
                continue
            for weight, step in zip(weights, steps, strict=True):
                _turn(weight, orthogonal(step), group["lr"])

    def _past(self, weight: torch.Tensor) -> torch.Tensor:
        """The momentum of `weight`, zero before its first step."""
        state = self.state[weight]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(weight)
        return state["momentum_buffer"]


def _turn(weight: torch.Tensor, step: torch.Tensor, lr: float) -> None:
    """Move `weight` against `step`, which becomes `lr` times as long as the weight, and give it its length back."""
    length = weight.norm()
    weight.addcmul_(step, length / step.norm().clamp(min=TINY), value=-lr)
    weight.mul_(length / weight.norm().clamp(min=TINY))


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """About the nearest matrix whose singular values are all one: (out, ...), one row a filter -> the same shape."""
    rows = matrix.flatten(1).float()  # (out, in * k * k)
    tall = rows.shape[0] > rows.shape[1]
    x = rows.T if tall else rows
    x = x / x.norm().clamp(min=TINY)
    a, b, c = COEFFICIENTS
    for _ in range(ROUNDS):
        square = x @ x.T  # of the shorter side
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return (x.T if tall else x).reshape(matrix.shape)
