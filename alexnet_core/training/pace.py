"""How fast training goes here: real steps, timed; and the fastest way to compute them, found out and remembered.

Only what a person left open is tried. What was found is kept in the home folder, for each machine and network, so that
equal runs on one machine compute alike, to the bit.
"""

import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import torch

from alexnet_core import devices
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.devices import DTYPES, MEMORY_FORMATS, Compute
from alexnet_core.errors import ExplorerError
from alexnet_core.files import write_whole
from alexnet_core.models import build
from alexnet_core.places import measured_file
from alexnet_core.precision import emulated
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.events import Tick
from alexnet_core.training.loop import Training
from alexnet_core.training.recipes import model_settings

CLEARLY = 0.95
"""A step must take at most this share of the usual way's time: machines that hardly differ then decide alike."""
SHORT = 2.0
"""Seconds that measuring may take, or a hundredth of the run where that is more."""
LONG = 60.0
"""Seconds that measuring may take at most, which is of runs of hours: a step of a large network takes seconds."""
COMPILING = 20 * 60.0
"""Seconds of a run on a GPU from which on compiling is tried unasked: it takes a minute. On two processor cores it took
as long and its steps were slower, so there it is only tried when asked for."""
SHARE_OF_SHORT_RUNS = 0.1
"""Of a run of a few seconds measuring may take no more than this, so nothing can be tried."""
ROUNDS = 5
"""Steps of each of two ways, taken in turns; the fastest one counts, for what disturbs only makes slower."""
KEPT = 500
"""Findings in the file; the oldest go."""
MEASURING = "Measuring the fastest way to train here..."
_BATCHES = 4
"""Different batches that timed steps learn from."""


def step_seconds(settings: TrainConfig, data: PreparedSet, compute: Compute) -> Generator[float]:
    """The seconds of one real training step of `settings` (settled ones) after another, without end; the first ones
    warm up. Changes PyTorch's random state and threads."""
    compute.take_threads()
    rows = slice(0, _BATCHES * settings.batch_size)
    # The steps of a long run and so small that nothing can go wrong in the learning. What the first filters begin with
    # costs time, and none in a step.
    trial = replace(settings, epochs=10_000, lr=1e-7, whiten=False)
    training = Training(
        build(settings.model, len(data.classes), data.image_size, **model_settings(settings)),
        trial,
        compute,
        data.preprocessing,
        (torch.from_numpy(np.array(data.images("train")[rows])).to(compute.device), data.labels("train")[rows]),
        (data.images("val")[:1], data.labels("val")[:1]),
        np.array(data.rgb_covariance),
    )
    start = time.perf_counter()
    for event in training.events():
        if isinstance(event, Tick):
            compute.wait()
            yield time.perf_counter() - start
            compute.take_threads()  # another way may have been timed in between
            start = time.perf_counter()


@contextmanager
def leaving_no_trace() -> Iterator[None]:
    """PyTorch's random state and threads are afterwards what they were before, and a GPU has its memory back: a server
    that only timed a few steps would keep it from the training, which looks how much there is."""
    random, threads = torch.get_rng_state(), torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_rng_state(random)
        torch.set_num_threads(threads)
        torch.cuda.empty_cache()  # nothing where no GPU was used


def fastest(
    settings: TrainConfig,
    data: PreparedSet,
    *,
    threads: int = 0,
    tell: Callable[[str], None] = lambda sentence: None,
    anew: bool = False,
) -> Compute:
    """The fastest known way to compute the steps of `settings` (settled ones) on `data`, with PyTorch's threads set.

    Where it is not known yet it is measured, which `tell` is told before. `threads` is the most to use where the
    settings leave that open; 0 means all cores. With `anew` everything open is measured again, without regard to the
    run's length, and compiling is tried; else that is tried for long runs on a GPU alone. Raises ExplorerError when a
    device or precision asked for is not there.
    """
    asked = (settings.device, settings.precision, settings.threads or threads, settings.memory_format, settings.compile)
    usual = devices.choose(*asked)
    if usual.precision == "fp16" and settings.precision == "auto" and settings.optimizer == "muon":
        # A step whose gradients overflow in fp16 is left out. Muon would have to wait for the GPU to learn of it.
        usual = replace(usual, precision="fp32")
    if settings.learn == "head":
        # Its steps are short, and nearly all its time goes into one look at each picture.
        return replace(usual, compiled=False)
    steps = settings.steps_per_epoch(data.count("train")) * settings.epochs
    key = _key(settings, data, usual)
    # A run too short for measuring goes on computing alike when a longer one has been measured.
    known = {} if anew else _read()
    found = known.get(f"{key}, {steps} steps") or known.get(key) or {}
    way = _from_found(usual, found)
    if way is not None:
        way = replace(way, compiled=_pays(found, steps)) if settings.compile == "auto" else way
    # Compiling alone is no reason to time steps.
    elif anew or any(_alternatives(name, usual, settings) for name in ("threads", "precision", "memory_format")):
        tell(MEASURING)
        with leaving_no_trace():
            way, found = _measure(settings, data, usual, steps, anew)
        try:
            _remember(key if found.pop("whole") else f"{key}, {steps} steps", found, anew)
        except ExplorerError:
            # A home that others own, or a full disk. A run needs no note; who measured for its sake is told.
            if anew:
                raise
    way = way or usual
    way.take_threads()
    return way


def _alternatives(name: str, way: Compute, settings: TrainConfig) -> list[dict[str, Any]]:
    """The other values of one choice that are worth a try, where the person left it open."""
    kind = way.device.type
    if name == "threads" and settings.threads == 0 and kind == "cpu" and way.threads > 1:
        return [{"threads": way.threads // 2}]
    if name == "precision" and settings.precision == "auto" and kind != "mps":
        others = ["fp32", "bf16"] if kind == "cpu" or settings.optimizer == "muon" else ["fp32", "bf16", "fp16"]
        if kind == "cpu" and emulated(way.device):
            others.remove("bf16")  # two steps of it could take longer than the run
        return [{"precision": other} for other in others if other != way.precision]
    # On a GPU the way back through an adaptive pooling adds up contiguous maps in another order each time.
    if name == "memory_format" and settings.memory_format == "auto" and kind == "cpu":
        return [{"memory_format": other} for other in MEMORY_FORMATS.values() if other != way.memory_format]
    return []


def _measure(
    settings: TrainConfig, data: PreparedSet, usual: Compute, steps: int, anew: bool
) -> tuple[Compute, dict[str, Any]]:
    """The fastest way, and what is to be remembered of it; `whole` says whether there was time to try everything."""
    with ExitStack() as open_trials:
        best = _Trial(usual, open_trials.enter_context(closing(step_seconds(settings, data, usual))))
        best.take(1)
        began = time.perf_counter()
        run = steps * best.seconds
        allowed = min(max(SHORT, run / 100), LONG, SHARE_OF_SHORT_RUNS * run) if not anew else float("inf")
        whole = True
        # Threads first: with too many of them everything else is lost in waiting.
        for name in ("threads", "precision", "memory_format"):
            changes = _alternatives(name, best.way, settings)
            while changes:
                # Warming up, and two steps of each at least.
                if time.perf_counter() - began + 6 * best.seconds > allowed:
                    whole = False
                    break
                way = replace(best.way, **changes.pop(0))
                other = _Trial(way, open_trials.enter_context(closing(step_seconds(settings, data, way))))
                winner = _faster(best, other, began + allowed)
                (best if winner is other else other).steps.close()
                if winner is other and name == "threads":
                    changes = _alternatives(name, way, settings)  # half as many again
                best = winner
        found = {**_plain(best.way), "step_seconds": best.seconds, "whole": whole}
        if settings.compile == "auto" and (anew or (usual.device.type == "cuda" and run > COMPILING)):
            found |= _try_compiling(settings, data, best)
    way = replace(best.way, compiled=usual.compiled or _pays(found, steps))
    return way, found


class _Trial:
    """One way to compute, its steps, and the fastest of them so far."""

    def __init__(self, way: Compute, steps: Generator[float]) -> None:
        self.way, self.steps = way, steps
        self.seconds = float("inf")

    def take(self, warm_up: int = 0) -> None:
        """One more step, after `warm_up` that do not count. Raises RuntimeError where this or an earlier one fails."""
        taken = list(islice(self.steps, warm_up + 1))
        if len(taken) <= warm_up:
            raise RuntimeError("these steps have ended with an error")
        self.seconds = min(self.seconds, taken[-1])


def _faster(best: _Trial, other: _Trial, until: float) -> _Trial:
    """`other` when it is clearly faster, else `best`: measured in turns, at least twice."""
    try:
        other.take(1)
        for number in range(ROUNDS):
            if number >= 2 and (time.perf_counter() > until or other.seconds > 1.3 * best.seconds):
                break
            best.take()
            other.take()
    except RuntimeError:
        # Too little memory for both side by side, or something this device cannot do in this way.
        return best
    return other if other.seconds < CLEARLY * best.seconds else best


def _try_compiling(settings: TrainConfig, data: PreparedSet, best: _Trial) -> dict[str, float]:
    """Seconds that compiling takes, and of a step then; nothing where this machine cannot compile."""
    way = replace(best.way, compiled=True)
    with closing(step_seconds(settings, data, way)) as steps:
        compiled = _Trial(way, steps)
        start = time.perf_counter()
        try:
            compiled.take()
        except RuntimeError:
            return {}
        seconds, compiled.seconds = time.perf_counter() - start, float("inf")
        _faster(best, compiled, float("inf"))
    return {"compile_seconds": seconds, "compiled_step_seconds": compiled.seconds}


def _pays(found: dict[str, Any], steps: int) -> bool:
    """Whether compiled steps are clearly faster and save more, within a run, than compiling takes."""
    step, compiled = float(found["step_seconds"]), float(found.get("compiled_step_seconds", float("inf")))
    return compiled < CLEARLY * step and steps * (step - compiled) > float(found["compile_seconds"])


def can_compile(settings: TrainConfig, data: PreparedSet, way: Compute) -> bool:
    """Whether compiled steps run here. PyTorch keeps on disk what this compiles, so the run need not wait again."""
    with leaving_no_trace(), closing(step_seconds(settings, data, way)) as steps:
        try:
            next(steps)
        except RuntimeError:
            return False
    return True


def _plain(way: Compute) -> dict[str, Any]:
    _, precision, threads, memory_format, _ = way.words()
    return {"precision": precision, "threads": threads, "memory_format": memory_format}


def _from_found(usual: Compute, found: dict[str, Any]) -> Compute | None:
    """`usual` with what was found; None where nothing was, or nothing that can be read."""
    try:
        way = devices.choose(
            usual.device.type,
            str(found["precision"]),
            int(found["threads"]),
            str(found["memory_format"]),
            "on" if usual.compiled else "off",
        )
        _pays(found, 1)
    except (KeyError, TypeError, ValueError, ExplorerError, RuntimeError):
        return None
    return way if way.precision in DTYPES else None


def _key(settings: TrainConfig, data: PreparedSet, usual: Compute) -> str:
    """Machine, network, and what was open, for people to read."""
    network = [settings.model, *(f"{name} {value}" for name, value in model_settings(settings).items())]
    open_ones = [
        name if value in ("auto", 0) else f"{name} {value}"
        for name, value in (
            ("precision", settings.precision), ("threads", settings.threads),
            ("memory_format", settings.memory_format), ("compile", settings.compile),
        )
    ]  # fmt: skip
    return "; ".join([
        devices.machine(usual.device),
        ", ".join([*network, f"{len(data.classes)} classes", *_what_learns(settings)]),
        f"{data.image_size} pixels, batch {settings.batch_size}, {settings.optimizer}",
        f"{', '.join(open_ones)}, {usual.threads} at most",
    ])  # fmt: skip


def _what_learns(settings: TrainConfig) -> list[str]:
    """Where it is not everything: less is computed backwards then."""
    if settings.learn == "everything":
        return []
    return [f"learn {settings.learn}", *[f"after {settings.copy_layers}"] * (settings.copy_layers > 0)]


def _read() -> dict[str, dict[str, Any]]:
    """What is remembered; nothing where there is no file, or one that is not ours."""
    try:
        known = json.loads(measured_file().read_bytes())
    except (OSError, ValueError):
        return {}
    return {key: found for key, found in known.items() if isinstance(found, dict)} if isinstance(known, dict) else {}


def _remember(key: str, found: dict[str, Any], anew: bool) -> None:
    known = _read()
    for other in list(known):
        if other == key or (anew and other.startswith(f"{key}, ")):
            del known[other]
    known[key] = found
    newest = dict(list(known.items())[-KEPT:])
    write_whole(measured_file(), (json.dumps(newest, indent=1) + "\n").encode())
