"""Where and how we compute: device, precision, threads, memory format, compilation.

`choose` takes what a person asked for and the usual for the rest; `training/pace` times real steps and finds better.
"""

import ctypes
import os
import platform
import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch
from torch import nn

from alexnet_core import precision as precisions
from alexnet_core.errors import ExplorerError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
MEMORY_FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


@dataclass(frozen=True)
class Compute:
    """The choice made for one run."""

    device: torch.device
    precision: str
    """fp32, bf16 or fp16: the number format of convolutions and matrix products; weights are kept in fp32."""
    threads: int
    memory_format: torch.memory_format = torch.channels_last
    """How the numbers of a map lie: channels last, all channels of a pixel together, or contiguous, map after map."""
    compiled: bool = False
    """Whether PyTorch translates the network's steps into a program of their own."""

    def __str__(self) -> str:
        """For people: “cpu, bf16, 2 threads, channels last”."""
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        words = [self.device.type, self.precision, threads, self.words()[3].replace("_", " ")]
        return ", ".join(words + ["compiled"] * self.compiled)

    def words(self) -> tuple[str, str, int, str, str]:
        """The choice as plain values, to be written down or sent to others: `choose(*words)` makes it again."""
        memory_format = next(word for word, value in MEMORY_FORMATS.items() if value == self.memory_format)
        return self.device.type, self.precision, self.threads, memory_format, "on" if self.compiled else "off"

    def take_threads(self) -> None:
        """Let PyTorch compute with these threads from now on."""
        torch.set_num_threads(self.threads)

    def wait(self) -> None:
        """Until the device has done what it was given; a processor always has."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def place(self, model: nn.Module) -> nn.Module:
        """`model` on the device, its convolutions in the memory format."""
        return model.to(self.device).to(memory_format=self.memory_format)

    def for_steps(self, model: nn.Module) -> nn.Module:
        """What training calls in place of `model`; states and names are those of `model` itself. Compilation happens at
        the first call, and for the shape of batch that training has, so looking at other pictures goes on without."""
        return torch.compile(model) if self.compiled else model  # type: ignore[return-value]

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which the model's forward pass belongs."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=DTYPES[self.precision])


def choose(
    device: str = "auto", precision: str = "auto", threads: int = 0, memory_format: str = "auto", compiled: str = "auto"
) -> Compute:
    """What was asked for, and the usual where that was left open; sets PyTorch's number of threads, and on a GPU that
    equal steps give equal bits and 32 bits are 32.

    Raises ExplorerError when a device or precision is asked for that this computer does not have.
    """
    chosen = torch.device(_device(device))
    if precision == "fp16" and chosen.type == "cpu":
        raise ExplorerError("fp16 needs a GPU; choose bf16, fp32 or auto on a processor.")
    if memory_format == "auto":
        memory_format = "contiguous" if chosen.type == "mps" else "channels_last"
    count = threads or min(cores(), physical_cores())
    torch.set_num_threads(count)
    if precision == "auto":
        precision = _fastest_precision(chosen)
    if chosen.type == "cuda":
        # Left to itself cuDNN may take ways to a gradient that add up in another order each time: equal runs, and those
        # that were resumed, would differ in their bits.
        torch.backends.cudnn.deterministic = True
        # Convolutions in 32 bits would be rounded to the 19 of TF32.
        torch.backends.cudnn.allow_tf32 = False
    return Compute(chosen, precision, count, MEMORY_FORMATS[memory_format], compiled == "on")


def cores() -> int:
    """The processor cores this process may use."""
    # macOS cannot tell; there a process may use all of them.
    allowed = psutil.Process().cpu_affinity() if hasattr(psutil.Process, "cpu_affinity") else None
    return len(allowed) if allowed else os.cpu_count() or 1


def physical_cores() -> int:
    """The processor's cores, each counted once also where it shows itself as two."""
    return psutil.cpu_count(logical=False) or cores()


def machine(device: torch.device) -> str:
    """The GPU, or the processor with its cores, and PyTorch's version: where one way to compute is fastest, it is so on
    all of this name."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    name = platform.processor() or platform.machine()
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{device.type}, {name}, {capability}, {cores()} cores, torch {torch.__version__}"


def threads_beside_pages() -> int:
    """Threads for a training on a machine that also draws pages: one core is left for them.

    PyTorch's threads wait for each other at every layer: on two cores with one busy, two threads trained at a fifth to
    a third of the speed of one.
    """
    return max(1, min(cores() - 1, physical_cores()))


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
    return precisions.name_of(precisions.fastest(device))


def memory_mb() -> float:
    """The memory of this process in MB, as the operating system counts it."""
    return psutil.Process().memory_info().rss / 1e6


def keep_freed_memory() -> None:
    """Keep what a step has freed for the next one, and in large pages; for a process that does nothing but train.

    Otherwise each step gives hundreds of megabytes back and gets them anew, page by page: on Linux that was a sixth of
    the time of alexnet_mini's steps at 32 pixels, and a quarter of alexnet's at 224.
    """
    if sys.platform != "linux":
        return
    # PyTorch looks at this when it first asks for memory on a processor.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    with suppress(AttributeError):  # another C library than GNU's
        mallopt = ctypes.CDLL(None).mallopt
        for parameter in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
            mallopt(parameter, 2**31 - 1)


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Names of mallopt(3), from malloc.h."""
