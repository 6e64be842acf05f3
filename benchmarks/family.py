"""All families side by side: `python -m benchmarks.family`.

Every network of the table passes one picture and a batch, in rounds that take turns, as `alexnet models --measure` and
the page The family do it. Asked of two cores: all of them in at most 60 s.
"""

import time
from dataclasses import asdict

import torch

from alexnet_core import devices
from alexnet_core.models import MODELS
from alexnet_core.models.family import costs
from alexnet_core.models.measuring import BATCH, measure
from benchmarks.report import machine, write

ASKED_SECONDS = 60


def main() -> None:
    """Measure, print the table, keep the result as family.json."""
    compute = devices.choose("cpu", "fp32")
    result = {"command": "python -m benchmarks.family", "machine": machine(), "asked_s": ASKED_SECONDS}
    start = time.monotonic()
    found = measure(list(MODELS), torch.device("cpu"))
    seconds = time.monotonic() - start
    networks = {one.name: {"title": MODELS[one.name].title, **asdict(costs(one.name)), **asdict(one)} for one in found}
    write("family", result | {"threads": compute.threads, "batch": BATCH, "seconds": seconds, "networks": networks})
    print(f"{'':<20}{'ms, one picture':>26}{f'images/s of {BATCH}':>26}")
    for one in found:
        slow, fast = one.latency_ms, one.images_per_s
        print(
            f"{one.name:<20}{f'{slow.median:.1f} ({slow.least:.1f} to {slow.largest:.1f})':>26}"
            f"{f'{fast.median:,.0f} ({fast.least:,.0f} to {fast.largest:,.0f})':>26}"
        )
    print(f"All in {seconds:.1f} s; asked: {ASKED_SECONDS} s.")


if __name__ == "__main__":
    main()
