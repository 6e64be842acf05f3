"""The big network: `python -m benchmarks.big_network [--rounds 5] [--precision bf16] [--threads 0]`.

`alexnet` at 224 pixels, 1000 classes, batches of 128 (on a CUDA GPU 512): images a second of the program's own training
steps, augmentation on, from uint8 pictures in memory; validation and saving are not counted. A processor learns from
noise, a GPU from a prepared set that it keeps: --photographs, else Imagenette beside the checkout, whose ten classes
are ten of the network's thousand. Beside it, in turns within the same process, the rate of matrix products in the
precision that the training computes in (the best of several large shapes), and the share of it that the training
reaches: arithmetic of an image, forward and backward, times images a second, over that rate. Asked: at least 70 % on
two cores, 20,000 images a second on an H200.

Where the time goes is told by PyTorch's profiler, over a few steps that are not counted. On a GPU the loop in the
manner of torchvision's references takes its turn, too, in a process of its own: the same network, batch and precision,
the same photographs as files, cut as there (RandomResizedCrop), by a worker for each core.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils.flop_counter import FlopCounterMode

from alexnet_core import devices
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.models import build
from alexnet_core.preprocess import Preprocessing
from alexnet_core.training.batches import keep
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.events import Tick
from alexnet_core.training.loop import Training
from alexnet_core.training.recipes import model_settings
from benchmarks import cifar
from benchmarks.report import machine, spread, write

MODEL, SIZE, CLASSES = "alexnet", 224, 1000
PHOTOGRAPHS = cifar.SHARED / "imagenette-160.zip"
ASKED = {"share": 0.7, "images_per_s_h200": 20_000}
SHAPES = ((1024, 1024, 1024), (2048, 2048, 2048), (4096, 4096, 4096), (8192, 8192, 8192))
"""Of the matrix products (rows, inner, columns); the last only where it takes no seconds."""
KINDS = (
    ("convolution", ("conv",)),
    ("linear", ("addmm", "mm", "linear", "bmm")),
    ("pooling", ("pool",)),
    ("casts and copies", ("copy", "_to_copy", "clone", "contiguous")),
    ("ReLU", ("relu", "clamp_min", "threshold")),
    ("dropout", ("dropout", "bernoulli", "mul", "div", "random", "empty_like")),
    ("loss", ("softmax", "nll_loss", "cross_entropy")),
)
"""What an operation is about, by a part of its name; the first that fits."""


def main() -> None:
    """Measure, print the tables, keep the result as big_network.json (on a GPU, big_network_gpu.json)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="turns of training and matrix products")
    parser.add_argument("--seconds", type=float, default=8.0, help="of training in a turn, about")
    parser.add_argument("--batch", type=int, default=0, help="images a step; 0 takes 128, on a GPU 512")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument(
        "--photographs", type=Path, default=PHOTOGRAPHS, help="on a GPU: a folder or zip of train/<class>/..."
    )
    parser.add_argument("--trial", action="store_true", help="write nothing")
    asked = parser.parse_args()
    about = machine()
    devices.keep_freed_memory()  # as the train command does
    compute = devices.choose(asked.device, asked.precision, asked.threads)
    gpu = compute.device.type == "cuda"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        pictures = PreparedSet.open(cifar.prepared(asked.photographs, home, SIZE)[0]) if gpu else None
        training = trained(compute, asked.batch or (512 if gpu else 128), pictures)
        steps, beside = Steps(training), None
        if gpu:
            files = asked.photographs if asked.photographs.is_dir() else cifar.unpacked(asked.photographs, home)[0]
            beside = partial(torchvision_loop, files, training)
        images = training.pictures.images
        result = {
            "command": "python -m benchmarks.big_network",
            "what": f"{MODEL}, {SIZE} pixels, {CLASSES} classes, batch {training.config.batch_size}",
            "machine": about,
            "compute": {field.name: str(getattr(compute, field.name)) for field in fields(compute)},
            "pictures": {
                "from": pictures.title if pictures else "noise",
                "count": len(images),
                "kept": isinstance(images, torch.Tensor),
            },
            "asked": ASKED,
            **measured(training, steps, asked.rounds, asked.seconds, beside),
            "milliseconds_a_step": breakdown(training, steps),
        }
    show(result)
    if not asked.trial:
        write("big_network_gpu" if gpu else "big_network", result)


def trained(compute: devices.Compute, batch: int, pictures: PreparedSet | None) -> Training:
    """The program's training of the big network, on prepared pictures that are kept on the device where they fit, as
    the train command keeps them; without any, on noise, 16 batches of it."""
    config = TrainConfig(model=MODEL, batch_size=batch, epochs=10_000, lr=1e-3, seed=0)
    if pictures is None:
        pixels = torch.randint(0, 256, (16 * batch, SIZE, SIZE, 3), dtype=torch.uint8, device=compute.device)
        labels = np.random.default_rng(0).integers(0, CLASSES, len(pixels))
        train, val = (pixels, labels), (pixels[:batch], labels[:batch])
        preprocessing, covariance = Preprocessing(SIZE, SIZE), np.diag([0.08, 0.07, 0.08])
    else:
        train, val = (
            (keep(pictures.images(split), compute.device), pictures.labels(split)) for split in ("train", "val")
        )
        preprocessing, covariance = pictures.preprocessing, np.array(pictures.rgb_covariance)
    torch.manual_seed(0)
    model = build(MODEL, CLASSES, SIZE, **model_settings(config))
    return Training(model, config, compute, preprocessing, train, val, covariance)


class Steps:
    """The training, a few steps at a time."""

    def __init__(self, training: Training) -> None:
        self.device, self.batch = training.compute.device, training.config.batch_size
        self.per_epoch = training.steps_per_epoch
        self._ticks = (event for event in training.events() if isinstance(event, Tick))
        self._step = 0

    def take(self, count: int) -> float:
        """Seconds of `count` steps, without those after which an epoch is examined (they are taken, not counted). A GPU
        is waited for where the counting begins and ends, and not between two steps, as in any training."""
        seconds, start = 0.0, self._now()
        while count:
            examined = (self._step + 1) % self.per_epoch == 0
            if examined:
                seconds += self._now() - start
            self._step = next(self._ticks).step
            if examined:
                start = self._now()
            else:
                count -= 1
        return seconds + self._now() - start

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()


def measured(
    training: Training, steps: Steps, rounds: int, seconds: float, beside: Callable[[], float] | None
) -> dict[str, Any]:
    """Images a second and the rate of matrix products, in turns, and what follows from them; `beside` is another loop,
    which takes its turn and says its images a second."""
    batch, compute = training.config.batch_size, training.compute
    steps.take(3)
    count = max(2, round(seconds / (steps.take(2) / 2)))
    with torch.device("meta"):  # shapes and no numbers, and a network without what training puts into it
        flop = arithmetic(build(MODEL, CLASSES, SIZE))
    paces, rates, shares, others = [], [], [], []
    print(f"{'':<9}{'images/s':>10}{'GFLOP/s':>10}{'products':>10}{'share':>8}{'torchvision' if beside else '':>13}")
    for number in range(rounds):
        before = product_rate(compute)
        pace = count * batch / steps.take(count)
        rate = max(before, product_rate(compute))
        paces.append(pace)
        rates.append(rate)
        shares.append(pace * flop / rate)
        reached, told = f"{pace * flop / 1e9:,.0f}", ""
        if beside:
            others.append(beside())
            told = f"{others[-1]:,.1f}"
        print(
            f"turn {number + 1:<4}{pace:>10,.1f}{reached:>10}{rate / 1e9:>10,.0f}{shares[-1]:>8.1%}{told:>13}",
            flush=True,
        )
    found = {
        "gflop_an_image": round(flop / 1e9, 4),
        "images_per_s": spread(paces, 1),
        "matrix_product_gflop_per_s": spread([rate / 1e9 for rate in rates], 0),
        "share": spread(shares, 3),
    }
    if beside:
        found["torchvision_loop_images_per_s"] = spread(others, 1)
        found["times_torchvision_loop"] = spread([ours / other for ours, other in zip(paces, others, strict=True)], 2)
    return found


def arithmetic(model: nn.Module) -> int:
    """Floating-point operations of one image, forward and backward (two for a multiplication with its addition),
    counted while they are done; the pictures need no gradient, so the first layer's backward is half the others'."""
    image = torch.zeros(2, 3, SIZE, SIZE, device=next(model.parameters()).device)
    with FlopCounterMode(display=False) as counter:
        model(image).sum().backward()
    return counter.get_total_flops() // len(image)


def product_rate(compute: devices.Compute) -> float:
    """Floating-point operations a second of the best of several large matrix products in the training's precision."""
    gpu = compute.device.type == "cuda"
    best = 0.0
    for rows, inner, columns in SHAPES if gpu else SHAPES[:-1]:
        dtype = devices.DTYPES[compute.precision]
        left = torch.randn(rows, inner, device=compute.device).to(dtype)
        right = torch.randn(inner, columns, device=compute.device).to(dtype)
        flop = 2 * rows * inner * columns
        times = max(1, round((1e13 if gpu else 4e10) / flop))
        for _ in range(4):
            if gpu:
                torch.cuda.synchronize()
            start = time.perf_counter()
            for _ in range(times):
                left @ right
            if gpu:
                torch.cuda.synchronize()
            best = max(best, times * flop / (time.perf_counter() - start))
    return best


def breakdown(training: Training, steps: Steps, count: int = 3) -> dict[str, float]:
    """Milliseconds of a step by what they went into, largest first, as PyTorch's profiler sees it."""
    gpu = training.compute.device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if gpu else [])]
    with _forward_marked(training.model), profile(activities=activities) as profiled:
        steps.take(count)
    sums = milliseconds(profiled.events(), gpu)
    return {kind: round(spent / count, 2) for kind, spent in sorted(sums.items(), key=lambda item: -item[1])}


def milliseconds(events: Iterable[Any], gpu: bool) -> dict[str, float]:
    """What the operations among the profiler's events took, by what they are about."""
    sums: dict[str, float] = {}
    for event in events:
        # What a GPU did stands there again by itself, and once more for the whole forward pass; all of it is in the
        # times of the operations that started it.
        if event.device_type != DeviceType.CPU:
            continue
        spent = event.self_device_time_total if gpu else event.self_cpu_time_total
        if spent:
            kind = kind_of(event)
            sums[kind] = sums.get(kind, 0.0) + spent / 1000
    return sums


def kind_of(event: Any) -> str:
    """What an operation is about: by its own name, and by the names of those that called it."""
    names = [event.name]
    while event.cpu_parent is not None:
        event = event.cpu_parent
        names.append(event.name)
    if any(name.startswith("Optimizer.") for name in names):
        return "optimizer"
    backward = any(name.startswith("autograd::") for name in names)
    if not backward and "forward" not in names:
        return "batches, augmentation, loss"
    if any("AccumulateGrad" in name for name in names):
        return "gradients kept"
    told = (kind for name in names for kind, parts in KINDS if any(part in name.lower() for part in parts))
    kind = next(told, "other")
    return f"{kind}, {'backward' if backward else 'forward'}"


@contextmanager
def _forward_marked(model: nn.Module) -> Iterator[None]:
    """Within it the profiler sees the forward pass of `model` under the name "forward"."""
    marks: list[Any] = []

    def enter(*_: Any) -> None:
        marks.append(record_function("forward"))
        marks[-1].__enter__()

    def leave(*_: Any) -> None:
        marks.pop().__exit__(None, None, None)

    handles = [model.register_forward_pre_hook(enter), model.register_forward_hook(leave)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def torchvision_loop(photographs: Path, training: Training) -> float:
    """Images a second of the loop of torchvision's references: the network, batch and precision of `training`."""
    command = [sys.executable, "-m", "benchmarks.peer_loops", "torchvision", "--data", str(photographs)]
    command += ["--network", MODEL, "--classes", str(CLASSES), "--size", str(SIZE)]
    command += ["--batch", str(training.config.batch_size), "--workers", str(devices.cores()), "--lr", "0.01"]
    command += ["--bf16"] if training.compute.precision == "bf16" else []
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])["images_per_s"]


def show(result: dict[str, Any]) -> None:
    """The outcome against what is asked, and where the time goes."""
    share, pace = result["share"]["median"], result["images_per_s"]["median"]
    rate = result["matrix_product_gflop_per_s"]["median"]
    print(
        f"\n{'reached' if share >= ASKED['share'] else 'MISSED'}: {share:.1%} of the measured matrix products' "
        f"{rate:,.0f} GFLOP/s (asked: {ASKED['share']:.0%}); {pace:,.1f} images/s of {result['gflop_an_image']} GFLOP"
    )
    if "torchvision_loop_images_per_s" in result:
        beside, times = (result[name]["median"] for name in ("torchvision_loop_images_per_s", "times_torchvision_loop"))
        print(f"The loop of torchvision's references: {beside:,.0f} images/s; this program {times:.1f} times as many")
    total = sum(result["milliseconds_a_step"].values())
    print(f"\n{'a step':<32}{'ms':>10}{'share':>8}")
    for kind, spent in result["milliseconds_a_step"].items():
        print(f"{kind:<32}{spent:>10.1f}{spent / total:>8.1%}")


if __name__ == "__main__":
    main()
