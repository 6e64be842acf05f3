"""How long a person waits for an explanation: `python -m benchmarks.explain`.

Predictions and the four maps of `alexnet` at 224 pixels with random weights (the numbers do not change the time), one
picture at a time, as the app asks for them. Asked of two cores: a prediction within 50 ms, saliency within 100 ms, the
occlusion map within 5 s.
"""

import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from alexnet_core.insight.attribution import ATTRIBUTIONS, attribute
from alexnet_core.insight.prediction import predict
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing
from benchmarks.report import machine, spread, write

RUNS = {"integrated_gradients": 7, "occlusion": 5}
ASKED_MS = {"prediction": 50, "saliency": 100, "occlusion": 5000}


def main() -> None:
    """Time everything, print the table, write results/explain.json."""
    torch.manual_seed(0)
    network = Network("alexnet", frozen(build("alexnet", 1000)), tuple(map(str, range(1000))), Preprocessing(224, 256))
    pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    result = {
        "command": "python -m benchmarks.explain",
        "what": "alexnet, 1000 classes, one picture of 640 x 480 prepared to 224 pixels",
        "machine": machine() | {"threads": torch.get_num_threads()},
        "asked_ms": ASKED_MS,
    }
    rows = {"prediction": timed(lambda: predict(network, [picture]), 30)}
    for name in ATTRIBUTIONS:
        rows[name] = timed(lambda name=name: attribute(network, picture, name, target=3), RUNS.get(name, 20))
    print(f"{'ms':<24}{'median':>9}{'least':>10}{'largest':>10}{'runs':>6}{'asked':>10}")
    for name, row in rows.items():
        asked = f"{ASKED_MS[name]:,}" if name in ASKED_MS else ""
        print(
            f"{name:<24}{row['median']:>9,.1f}{row['least']:>10,.1f}{row['largest']:>10,.1f}{row['runs']:>6}{asked:>10}"
        )
    write("explain", result | {"ms": rows})


def timed(work: Callable[[], object], runs: int) -> dict[str, float | int]:
    """The spread of `runs` calls in ms, after one that is not counted."""
    work()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - started))
    return spread(times)


if __name__ == "__main__":
    main()
