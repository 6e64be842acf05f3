"""How long it takes to find a picture's neighbours at every depth: `python -m benchmarks.neighbours [--asks 40]`.

The bundled small network, and the 50,000 training and validation pictures of CIFAR-10 at 64 pixels. Asked of two cores:
all nearest neighbours over 50,000 pictures within 100 ms once the index stands. Beside the time: how many of the eight
nearest pictures are the same as without the reduction to a few numbers, over `--exact` pictures.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.shards import StoredImages
from alexnet_core.insight.gallery import Gallery, numbers, of_set
from alexnet_core.insight.neighbours import Index, features, indexing, located, nearest
from alexnet_core.models import Network
from alexnet_core.runs.directory import RunDirectory
from benchmarks import cifar
from benchmarks.report import machine, spread, write

RUN = "alexnet-mini-cifar10"
ASKED_MS = 100
SHOWN = 8


def main() -> None:
    """Measure, print the table, keep the result as neighbours.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--asks", type=int, default=40, help="pictures whose neighbours are looked for")
    parser.add_argument("--exact", type=int, default=4_000, help="pictures among which the exact neighbours are found")
    asked = parser.parse_args()
    network = RunDirectory.find(RUN).network()
    about = machine() | {"threads": torch.get_num_threads()}
    with cifar.at_hand(network.preprocessing.size) as prepared:
        gallery, test = _learned_from(prepared), of_set(prepared, "test", network.classes)
        started = time.perf_counter()
        index = _built(network, gallery, len(gallery))
        build_s = time.perf_counter() - started
        looked, searched, together = [], [], []
        for row in np.linspace(0, len(test) - 1, asked.asks + 1).astype(int)[1:]:
            images = numbers(network, test, np.array([row]))
            first = time.perf_counter()
            places = located(network, index, images)
            middle = time.perf_counter()
            nearest(index, places, SHOWN)
            last = time.perf_counter()
            looked.append(1000 * (middle - first))
            searched.append(1000 * (last - middle))
            together.append(1000 * (last - first))
        kept = _kept(network, gallery, test, asked.exact)
    rows = {"the network looks": spread(looked), "all depths are searched": spread(searched), "both": spread(together)}
    print(
        f"{len(gallery):,} pictures, {len(index.depths)} depths: indexed in {build_s:.1f} s, {index.bytes / 1e6:.0f} MB"
    )
    print(f"{'ms':<26}{'median':>9}{'least':>9}{'largest':>9}{'runs':>6}")
    for name, row in rows.items():
        print(f"{name:<26}{row['median']:>9}{row['least']:>9}{row['largest']:>9}{row['runs']:>6}")
    print(f"Asked: both within {ASKED_MS} ms. Load: {about['load_at_start']}, at the end {os.getloadavg()[0]:.1f}.")
    for depth, share in kept.items():
        print(f"{depth:<40}{share:>7.0%} of the {SHOWN} nearest kept")
    write(
        "neighbours",
        {
            "command": "python -m benchmarks.neighbours",
            "what": f"{RUN}, {prepared.title} at {prepared.image_size} pixels",
            "machine": about | {"load_at_end": round(os.getloadavg()[0], 2)},
            "pictures": len(gallery),
            "index_s": round(build_s, 1),
            "index_mb": round(index.bytes / 1e6, 1),
            "asked_ms": ASKED_MS,
            "ms": rows,
            "kept_of_nearest": {depth: round(share, 3) for depth, share in kept.items()},
            "kept_among": asked.exact,
        },
    )


def _learned_from(prepared: PreparedSet) -> Gallery:
    """Training and validation pictures as one gallery."""
    first, last = prepared.splits["train"][0], prepared.splits["val"][1]
    folder = Path(prepared.directory)
    images = StoredImages(folder, prepared.image_size, prepared.rows_per_shard, first, last)
    return Gallery("learned from", prepared.title, images, None, range(last - first))


def _built(network: Network, gallery: Gallery, most: int) -> Index:
    for step in indexing(network, gallery, most):
        if step.index is not None:
            return step.index
    raise AssertionError("an index comes at the end")


def _kept(network: Network, gallery: Gallery, test: Gallery, count: int) -> dict[str, float]:
    """The share of the nearest pictures that are also the nearest by all numbers of a depth."""
    index = _built(network, gallery, count)
    levels = [
        features(network, numbers(network, gallery, rows), index.depths)
        for rows in np.array_split(index.rows, -(-len(index.rows) // 128))
    ]
    full = [torch.cat(parts) for parts in zip(*levels, strict=True)]
    shares: dict[str, list[float]] = {depth.title: [] for depth in index.depths}
    for row in range(0, len(test), len(test) // 20):
        images = numbers(network, test, np.array([row]))
        exact = features(network, images, index.depths)
        found = nearest(index, located(network, index, images), SHOWN)
        for level, own, neighbours in zip(full, exact, found, strict=True):
            best = index.rows[(level - own).norm(dim=1).topk(SHOWN, largest=False).indices.numpy()]
            shares[neighbours.depth.title].append(len(set(best) & set(neighbours.rows)) / SHOWN)
    return {title: float(np.mean(values)) for title, values in shares.items()}


if __name__ == "__main__":
    main()
