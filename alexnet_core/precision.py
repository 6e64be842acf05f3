"""The precision in which this machine multiplies fastest, measured once."""

import time
from functools import cache

import torch

SIDES = (128, 1024)
"""Of the matrices that are multiplied: a small one that tells within milliseconds when bfloat16 is emulated, and one
large enough to keep all cores busy."""

EMULATED = 0.5
"""Below this share of the rate in float32, bfloat16 is emulated. Processors without 16-bit units (AVX2 alone, say) were
a hundred times slower in it; a large product would take seconds there."""

CLEARLY = 1.3
"""How many times faster half precision must be to be worth its rounding."""


@cache
def gain(device: torch.device) -> float:
    """How many times as fast as in float32 `device` multiplies matrices in bfloat16.

    Measured at the first call, in some 50 ms, and remembered as long as the program runs.
    """
    times = 1.0
    for side in SIDES:
        times = _seconds(torch.float32, side, device) / _seconds(torch.bfloat16, side, device)
        if times < EMULATED:
            break
    return times


def fastest(device: torch.device) -> torch.dtype:
    """bfloat16 where products of matrices are clearly faster in it than in float32 on `device`, else float32."""
    return torch.bfloat16 if gain(device) > CLEARLY else torch.float32


def emulated(device: torch.device) -> bool:
    """Whether `device` has no units for bfloat16: computing in it is then no more than possible."""
    return gain(device) < EMULATED


def name_of(kind: torch.dtype) -> str:
    """As people and settings call it."""
    return "fp32" if kind == torch.float32 else "bf16"


def _seconds(kind: torch.dtype, side: int, device: torch.device) -> float:
    """The least of three products, after one that is not counted."""
    matrix = torch.ones(side, side, dtype=kind, device=device)
    taken = []
    for _ in range(4):
        started = time.perf_counter()
        product = matrix @ matrix
        float(product[0, 0])  # waits for a GPU
        taken.append(time.perf_counter() - started)
    return min(taken[1:])
