"""The precision in which this machine multiplies fastest, measured once."""

import time
from functools import cache

import torch

SIDE = 1024
"""Of the matrices that are multiplied: large enough to keep two cores busy, done in some ten milliseconds."""

CLEARLY = 1.4
"""How many times faster half precision must be to be worth its rounding."""


@cache
def fastest(device: torch.device) -> torch.dtype:
    """bfloat16 where products of matrices are clearly faster in it than in float32 on `device`, else float32.

    Measured at the first call, in some 50 ms, and remembered as long as the program runs.
    """
    times = {kind: _seconds(kind, device) for kind in (torch.float32, torch.bfloat16)}
    return torch.bfloat16 if CLEARLY * times[torch.bfloat16] < times[torch.float32] else torch.float32


def name_of(kind: torch.dtype) -> str:
    """As people and settings call it."""
    return "fp32" if kind == torch.float32 else "bf16"


def _seconds(kind: torch.dtype, device: torch.device) -> float:
    """The least of three products, after one that is not counted."""
    matrix = torch.ones(SIDE, SIDE, dtype=kind, device=device)
    taken = []
    for _ in range(4):
        started = time.perf_counter()
        product = matrix @ matrix
        float(product[0, 0])  # waits for a GPU
        taken.append(time.perf_counter() - started)
    return min(taken[1:])
