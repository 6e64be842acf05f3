"""ImageNet, calculated, not measured: `python -m benchmarks.imagenet` writes its section of ARCHITECTURE.md.

What a picture costs comes from the program itself (layers, weights, the size of a prepared row), what the hardware does
is assumed and said so, each in one place below.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alexnet_core.data.shards import SHARD_BYTES
from alexnet_core.models import build
from alexnet_core.models.anatomy import anatomy

DOCUMENT = Path(__file__).resolve().parents[1] / "ARCHITECTURE.md"
BEGIN, END = "<!-- calculated: begin -->", "<!-- calculated: end -->"

TRAIN, VAL = 1_281_167, 50_000
"""Pictures of ILSVRC2012 (Russakovsky et al. 2015, table 2)."""
SOURCE_BYTES = 110_000
"""Of a JPEG of its, on average: 138 GB of files for training."""
SIZES = (224, 256)
EPOCHS = 90
"""As in the 2012 paper, section 5."""
BATCH_PER_GPU = 512

DECODED_PER_CORE = 212
"""Pictures of 500 x 375 a second that one core prepares at 224 pixels; `benchmarks.prepare` found 424 for two."""
CORES = (2, 16, 64)
THREADS_END = 4_000
"""Pictures a second at which the interpreter, a quarter of a millisecond a picture, holds up all threads of one
process, however many cores there are."""
GPU_RATES = (60e12, 300e12)
"""Arithmetic a second that training reaches on one GPU: a careful and a hopeful assumption for one of the kind of an
H100 or H200, whose dense 16-bit peak is 990e12."""
DISK, NETWORK = 5e9, 12.5e9
"""Bytes a second that a machine reads from its NVMe disk, and that it exchanges with the next over 100 Gbit/s."""
NVLINK = 300e9
"""Bytes a second and direction between GPUs within a machine."""
GATHERED = 14_000
"""Prepared pictures of 224 pixels a second that the one thread of each process gathers from memory into batches;
`benchmarks.prepare` measures it, where it reads an epoch."""
GPUS = (1, 8, 64)
GPUS_PER_MACHINE = 8


@dataclass(frozen=True)
class Plan:
    """Training `alexnet` for EPOCHS on so many GPUs, each at `rate` of arithmetic a second."""

    gpus: int
    rate: float

    @property
    def machines(self) -> int:
        """Of eight GPUs; each reads its share of an epoch from a copy of its own."""
        return -(-self.gpus // GPUS_PER_MACHINE)

    @property
    def images_per_s(self) -> float:
        """Of all GPUs, if nothing but arithmetic takes time."""
        return self.gpus * self.rate / operations()

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return -(-TRAIN // (self.gpus * BATCH_PER_GPU))

    @property
    def read_per_s(self) -> float:
        """Bytes a machine reads to keep its GPUs busy."""
        return self.images_per_s * row_bytes(224) / self.machines

    @property
    def traffic(self) -> float:
        """Bytes each GPU sends in a step, and receives: a ring passes 2 (n - 1) / n of the gradients on."""
        return 2 * (self.gpus - 1) / self.gpus * gradient_bytes()

    @property
    def link(self) -> float:
        """Bytes a second of the slowest link of the ring."""
        return NVLINK if self.machines == 1 else NETWORK

    @property
    def exchange(self) -> float:
        """Seconds of a step for the gradients, were nothing of it hidden behind the backward pass."""
        return self.traffic / self.link

    @property
    def computing(self) -> float:
        """Seconds of a step for the arithmetic."""
        return BATCH_PER_GPU * operations() / self.rate

    @property
    def gathering(self) -> float:
        """Seconds of a step for the thread that brings a GPU its pictures."""
        return BATCH_PER_GPU / GATHERED

    @property
    def reading(self) -> float:
        """Seconds of a step for a machine's disk."""
        return BATCH_PER_GPU * self.gpus / self.machines * row_bytes(224) / DISK

    @property
    def from_memory(self) -> tuple[float, float]:
        """Seconds of a step where no disk is waited for: the exchange hidden behind arithmetic, and not; pictures are
        gathered meanwhile."""
        best, worst = max(self.computing, self.exchange), self.computing + self.exchange
        return max(best, self.gathering), max(worst, self.gathering)

    @property
    def from_disk(self) -> float:
        """Seconds of a step where every epoch is read from the disk, at best."""
        return max(self.from_memory[0], self.reading)

    def time(self, step: float) -> str:
        """Of all epochs, without validation, in words."""
        minutes = EPOCHS * self.steps * step / 60
        return f"{minutes / 60:.1f} h" if minutes >= 60 else f"{minutes:.0f} min"


def row_bytes(size: int) -> int:
    """Of a prepared picture."""
    return size * size * 3


@cache
def operations() -> float:
    """Floating-point operations a picture, forward and backward: each multiply-add is two, and the backward pass does
    each twice, for the weights and for the inputs; but nothing asks for the gradient of the picture itself."""
    multiply_adds = [layer.multiply_adds for layer in anatomy(build("alexnet", 1000, 224), 224) if layer.multiply_adds]
    return 2.0 * (3 * sum(multiply_adds) - multiply_adds[0])


@cache
def parameters() -> int:
    """Weights and biases of `alexnet` with 1000 classes."""
    return sum(parameter.numel() for parameter in build("alexnet", 1000, 224).parameters())


def gradient_bytes() -> int:
    """32-bit numbers, as DistributedDataParallel sends them unless told otherwise."""
    return 4 * parameters()


def section() -> str:
    """The tables and the sentences between the two marks."""
    pictures = TRAIN + VAL
    lines = [
        f"Calculated by `python -m benchmarks.imagenet`, **not measured**: {TRAIN:,} pictures for training and {VAL:,} "
        f"for validation, {pictures * SOURCE_BYTES / 1e9:,.0f} GB of JPEGs.",
        "",
        f"**Preparing**, assumed {DECODED_PER_CORE} photographs a second and core (`benchmarks/prepare.py` measures "
        f"two cores) and at most {THREADS_END:,} a second by the threads of one process; about 0.6 GB of memory for "
        "the list of files:",
        "",
        "| Cores | Photographs a second | Time | Read | Written at 224 px |",
        "|---|---|---|---|---|",
    ]
    for cores in CORES:
        rate = min(cores * DECODED_PER_CORE, THREADS_END)
        lines.append(
            f"| {cores} | {rate:,} | {pictures / rate / 60:,.0f} min | {rate * SOURCE_BYTES / 1e6:,.0f} MB/s "
            f"| {rate * row_bytes(224) / 1e6:,.0f} MB/s |"
        )
    lines += [
        "",
        "**On the disk**, and read once an epoch:",
        "",
        "| Side | A picture | All | Shards |",
        "|---|---|---|---|",
    ]
    for size in SIZES:
        shards = -(-pictures // (SHARD_BYTES // row_bytes(size)))
        lines.append(
            f"| {size} px | {row_bytes(size) / 1e3:.1f} kB | {pictures * row_bytes(size) / 1e9:,.0f} GB | {shards} |"
        )
    lines += [
        "",
        f"**Training** `alexnet` at 224 px, {EPOCHS} epochs, {BATCH_PER_GPU} pictures a GPU and step. A picture costs "
        f"{operations() / 1e9:.2f} GFLOP forward and backward; the gradients of {parameters() / 1e6:.1f} million "
        f"weights are {gradient_bytes() / 1e6:.0f} MB. Assumed: {GPU_RATES[0] / 1e12:.0f} or {GPU_RATES[1] / 1e12:.0f} "
        f"TFLOP/s reached on a GPU, {GPUS_PER_MACHINE} GPUs a machine, {DISK / 1e9:.0f} GB/s from each machine's disk, "
        f"{NVLINK / 1e9:.0f} GB/s between GPUs of a machine and {NETWORK / 1e9:.1f} GB/s between machines; "
        f"{GATHERED:,} pictures a second from memory by the one thread that gathers them in each process; an exchange "
        "of gradients by one ring, hidden behind the backward pass wholly or not at all:",
        "",
        "| GPUs | TFLOP/s each | Pictures a second by arithmetic alone | Bytes these are, a machine "
        "| Sent a GPU and step "
        "| A step: arithmetic, exchange, gathering, disk | Time, pictures from memory | Time, from the disk |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for gpus in GPUS:
        for reached in GPU_RATES:
            lines.append(_row(Plan(gpus, reached)))
    dear, wide = Plan(8, GPU_RATES[0]), Plan(64, GPU_RATES[0])
    lines += [
        "",
        f"What the table says: AlexNet is cheap to compute and dear to feed. Eight GPUs, even at the careful rate, ask "
        f"for {dear.read_per_s / 1e9:.0f} GB/s of pictures, more than a disk gives: a machine whose memory holds the "
        f"{TRAIN * row_bytes(224) / 1e9:,.0f} GB reads them from the disk once and then from the page cache. From "
        f"there one thread a GPU brings as many as {GATHERED * operations() / 1e12:.0f} TFLOP/s of arithmetic use up: "
        "a faster GPU waits for it. Across "
        f"machines the gradients take {1e3 * wide.exchange:.0f} ms a step, as long as the arithmetic: sending them in "
        "16 bits, or twice the pictures a GPU and step, halves their share. A GPU's memory of 80 GB holds no such set; "
        "its pictures are gathered from the shards, up to three batches ahead.",
        "",
    ]
    return "\n".join(lines)


def _row(plan: Plan) -> str:
    sent = f"{plan.traffic / 1e6:.0f} MB" if plan.gpus > 1 else "nothing"
    best, worst = (plan.time(step) for step in plan.from_memory)
    return (
        f"| {plan.gpus} | {plan.rate / 1e12:.0f} | {plan.images_per_s:,.0f} | {plan.read_per_s / 1e9:.1f} GB/s "
        f"| {sent} | {1e3 * plan.computing:.1f}, {1e3 * plan.exchange:.1f}, {1e3 * plan.gathering:.1f}, "
        f"{1e3 * plan.reading:.1f} ms "
        f"| {best if best == worst else f'{best} to {worst}'} | {plan.time(plan.from_disk)} |"
    )


def main() -> None:
    """Put the section between its two marks."""
    text = DOCUMENT.read_text("utf-8")
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    DOCUMENT.write_text(text[:begin] + "\n" + section() + text[end:], "utf-8")
    print(section())


if __name__ == "__main__":
    main()
