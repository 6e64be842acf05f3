"""How fast the networks are on this machine: one picture at once, and a batch.

Networks take turns, round after round, so that a machine that gets busier or warmer slows all alike. Weights are random
numbers: a pass takes as long as with learned ones.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.models import MODELS, build
from alexnet_core.models.family import costs

BATCH = 8
"""Pictures of the batch: enough for a processor to be busy, few enough for the largest network here."""
ROUNDS = 5
SECONDS = 50.0
"""After which no round begins that would not be over by then; the first one is always finished."""
PASSES = 3
"""Of one picture, and of the batch, in each round; their median counts."""
LONG, LONG_BATCH = 1.0, 0.1
"""Seconds of such passes after which no further one begins: large networks get more rounds in place of them."""

Progress = Callable[[int, int, str], None]
"""Called with the networks that are done, all that are to come, and the title of the one that is measured."""


@dataclass(frozen=True)
class Spread:
    """Median, least and largest over the rounds."""

    median: float
    least: float
    largest: float
    rounds: int


@dataclass(frozen=True)
class Measured:
    """What one network needs here."""

    name: str
    latency_ms: Spread
    """From one picture to its logits."""
    images_per_s: Spread
    """In batches of `BATCH`."""


def measure(
    names: Sequence[str],
    device: torch.device | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    seconds: float = SECONDS,
) -> list[Measured]:
    """The networks `names`, each at the size and with the classes it is made for (`family.costs`), in 32 bits, with the
    threads that PyTorch has; in the order given.

    Leaves PyTorch's random state as it was. Raises ExplorerError when `cancelled` says so, or memory runs out.
    """
    on = device or torch.device("cpu")
    latencies: dict[str, list[float]] = {name: [] for name in names}
    paces: dict[str, list[float]] = {name: [] for name in names}
    start, rounds, done = time.perf_counter(), ROUNDS, 0
    while done < rounds:
        for place, name in enumerate(names):
            if cancelled():
                raise ExplorerError("Measuring was stopped; nothing of it was kept.")
            if progress is not None:
                progress(done * len(names) + place, rounds * len(names), MODELS[name].title)
            latency, batch = _passes(name, on)
            latencies[name].append(1000 * latency)
            paces[name].append(BATCH / batch)
        done += 1
        spent = time.perf_counter() - start
        rounds = min(ROUNDS, done + int(max(0.0, seconds - spent) / spent * done))
    if progress is not None:
        progress(rounds * len(names), rounds * len(names), "")
    return [Measured(name, _spread(latencies[name]), _spread(paces[name])) for name in names]


def _spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values), len(values))


@torch.no_grad()
def _passes(name: str, device: torch.device) -> tuple[float, float]:
    """Seconds of one picture, after a pass that does not count, and of a batch."""
    model, size = _with_any_weights(name, device), MODELS[name].image_size
    one = torch.full((1, 3, size, size), 0.5, device=device)
    try:
        _seconds(model, one)
        latency = _several(model, one, LONG)
        batch = one.expand(BATCH, -1, -1, -1).contiguous()
        if device.type != "cpu":
            _seconds(model, batch)  # a GPU chooses its kernels by the shape, at its first pass
        return latency, _several(model, batch, LONG_BATCH)
    except (RuntimeError, MemoryError) as error:
        raise ExplorerError(
            f"There was not enough memory to measure {MODELS[name].title}; close other programs, or measure fewer "
            "networks."
        ) from error


def _with_any_weights(name: str, device: torch.device) -> nn.Module:
    """The network in eval mode, built without drawing its real first weights, which takes some of them seconds. The
    numbers keep the size of what passes, for those near zero would be slow."""
    with torch.device("meta"):
        model = build(name, costs(name).classes, MODELS[name].image_size)
    model = model.to_empty(device=device).eval().requires_grad_(False)
    generator = torch.Generator(device).manual_seed(0)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
            continue
        for parameter in layer.parameters(recurse=False):
            if parameter.ndim > 1:
                bound = (6 / parameter[0].numel()) ** 0.5
                parameter.uniform_(-bound, bound, generator=generator)
            else:
                parameter.zero_()
    return model


def _several(model: nn.Module, images: torch.Tensor, long: float) -> float:
    """The median of some passes."""
    passes = [_seconds(model, images)]
    while len(passes) < PASSES and sum(passes) < long:
        passes.append(_seconds(model, images))
    return median(passes)


def _seconds(model: nn.Module, images: torch.Tensor) -> float:
    start = time.perf_counter()
    model(images)
    if images.device.type == "cuda":
        torch.cuda.synchronize(images.device)
    elif images.device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter() - start
