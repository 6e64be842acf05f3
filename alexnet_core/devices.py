"""Where we compute: the device, the precision, the threads. What can be measured is measured, not guessed."""

import os
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import psutil
import torch
from torch import nn

from alexnet_core.errors import ExplorerError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Compute:
    """The choice made for one run."""

    device: torch.device
    precision: str
    """fp32, bf16 or fp16: the number format of convolutions and matrix products; weights are kept in fp32."""
    threads: int

    def place(self, model: nn.Module) -> nn.Module:
        """`model` on the device, its convolutions in the memory format."""
        return model.to(self.device).to(memory_format=self.memory_format)

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which the model's forward pass belongs."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=DTYPES[self.precision])

    @property
    def memory_format(self) -> torch.memory_format:
        """Channels last: the convolutions of processors and tensor cores read all channels of a pixel together."""
        return torch.preserve_format if self.device.type == "mps" else torch.channels_last


def choose(device: str = "auto", precision: str = "auto", threads: int = 0) -> Compute:
    """The device, precision and threads to use here; sets PyTorch's number of threads.

    Raises ExplorerError when a device or precision is asked for that this computer does not have.
    """
    chosen = torch.device(_device(device))
    count = threads or cores()
    torch.set_num_threads(count)
    if precision == "fp16" and chosen.type == "cpu":
        raise ExplorerError("fp16 needs a GPU; choose bf16, fp32 or auto on a processor.")
    if precision == "auto":
        precision = _fastest_precision(chosen)
    return Compute(chosen, precision, count)


def cores() -> int:
    """The processor cores this process may use."""
    # macOS cannot tell; there a process may use all of them.
    allowed = psutil.Process().cpu_affinity() if hasattr(psutil.Process, "cpu_affinity") else None
    return len(allowed) if allowed else os.cpu_count() or 1


def threads_beside_pages() -> int:
    """Threads for a training on a machine that also draws pages: one core is left for them.

    PyTorch's threads wait for each other at every layer: on two cores with one busy, two threads trained at a fifth to
    a third of the speed of one.
    """
    return max(1, cores() - 1)


def _device(name: str) -> str:
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise ExplorerError("There is no CUDA GPU here that PyTorch can use; choose the device auto or cpu.")
    if name == "mps" and not has_mps:
        raise ExplorerError("There is no Apple GPU here that PyTorch can use; choose the device auto or cpu.")
    return name


def _fastest_precision(device: torch.device) -> str:
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    if device.type == "mps":
        return "fp32"
    # Processors without 16-bit units emulate them, many times slower; those that have them are several times faster.
    # The gap is so wide that a short measurement decides alike every time.
    return "bf16" if _product_seconds(torch.bfloat16) * 1.3 < _product_seconds(torch.float32) else "fp32"


def _product_seconds(dtype: torch.dtype) -> float:
    matrix = torch.ones(512, 512, dtype=dtype)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - start)
    return min(times)


def memory_mb() -> float:
    """The memory of this process in MB, as the operating system counts it."""
    return psutil.Process().memory_info().rss / 1e6
