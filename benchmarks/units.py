"""How long one waits for a unit: `python -m benchmarks.units`.

The bundled network of 64 pixels and the test split of CIFAR-10, 10,000 pictures prepared at 64 pixels: nine strongest
and nine weakest patches and the class means of one unit, for the first time in a layer (which answers for all units of
the layer), and of another unit of that layer afterwards. Asked of two cores: 3 s and 100 ms. And pictures made to
excite: `alexnet` at 128 pixels with random weights, a first look within 1 s and all steps within 15 s.
"""

import time

import torch

from alexnet_core.insight import feature_visualisation, gallery, units
from alexnet_core.insight.gallery import Gallery
from alexnet_core.insight.receptive_field import receptive_field
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.directory import RunDirectory
from benchmarks import cifar
from benchmarks.report import machine, spread, write

RUN = "alexnet-mini-cifar10"
ASKED = {"first": 3.0, "afterwards": 0.1, "first_picture": 1.0, "whole_picture": 15.0}
"""Seconds."""
RUNS = 3


def main() -> None:
    """Time everything, print the table, keep the result as units.json."""
    network = RunDirectory.find(RUN).network()
    rows = {}
    with cifar.at_hand(network.preprocessing.size) as prepared:
        pictures = gallery.of_set(prepared, "test", network.classes)
        for layer in _layers(network):
            first, afterwards = zip(*(_passport(network, pictures, layer) for _ in range(RUNS)), strict=True)
            rows[layer] = {"first": spread(first, 2), "afterwards": spread(afterwards, 3)}
    looks, wholes = zip(*(_grown() for _ in range(RUNS)), strict=True)
    grown = {"first_picture": spread(looks, 2), "whole_picture": spread(wholes, 1)}
    print(f"{len(pictures):,} pictures, seconds{'':<12}{'first':>8}{'afterwards':>12}")
    for layer, row in rows.items():
        print(f"{layer:<34}{row['first']['median']:>8}{row['afterwards']['median']:>12}")
    print(f"A picture made to excite: first look {grown['first_picture']['median']} s, all "
          f"{feature_visualisation.STEPS} steps {grown['whole_picture']['median']} s")  # fmt: skip
    write(
        "units",
        {
            "command": "python -m benchmarks.units",
            "what": f"one unit over {len(pictures):,} pictures of 64 pixels, {RUN}; a picture grown by alexnet at 128",
            "machine": machine() | {"threads": torch.get_num_threads()},
            "asked_s": ASKED,
            "pictures": len(pictures),
            "passport_s": rows,
            "picture_s": grown,
        },
    )


def _layers(network: Network) -> list[str]:
    """The first ReLU, the last one with maps, and the answer."""
    found = units.layers_with_units(network)
    rectified = [layer.name for layer in found if layer.kind == "ReLU" and layer.side]
    return [rectified[0], rectified[-1], found[-1].name]


def _passport(network: Network, pictures: Gallery, layer: str) -> tuple[float, float]:
    """Seconds for one unit of a layer, and for another one then."""
    started = time.perf_counter()
    field = receptive_field(network, layer)
    survey = units.survey(network, pictures, layer)
    _both_ends(network, pictures, survey, field, 0)
    first = time.perf_counter()
    _both_ends(network, pictures, survey, field, 1)
    return first - started, time.perf_counter() - first


def _both_ends(network: Network, pictures: Gallery, survey: units.Survey, field: units.Field, unit: int) -> None:
    for strongest in (True, False):
        units.patches(network, pictures, survey, field, unit, strongest)
    survey.selectivity(unit)


def _grown() -> tuple[float, float]:
    """Seconds until the first picture, and until the last, of a class of alexnet at 128 pixels."""
    torch.manual_seed(0)
    network = Network(
        "alexnet", frozen(build("alexnet", 1000, 128)), tuple(map(str, range(1000))), Preprocessing(128, 128)
    )
    started, first = time.perf_counter(), 0.0
    for drawing in feature_visualisation.visualise(network, feature_visualisation.Objective(1)):
        first = first or time.perf_counter() - started
        assert drawing.pixels.shape == (128, 128, 3)
    return first, time.perf_counter() - started


if __name__ == "__main__":
    main()
