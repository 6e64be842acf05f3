"""`models`: the networks there are, how fast they are here, or the layers of one."""

import argparse
import json
import sys
from typing import Any


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """A name, or none for all."""
    parser = verbs.add_parser("models", help="list the networks, or the layers of one")
    parser.add_argument("name", nargs="?", metavar="NAME", help="a network, for its layer table")
    parser.add_argument("--classes", type=int, default=1000, metavar="N", help="number of classes (default: 1000)")
    parser.add_argument(
        "--size", type=int, metavar="S", help="side of the picture in pixels (default: the network's own)"
    )
    parser.add_argument(
        "--measure",
        action="store_true",
        help="time them on this machine, or the named one alone: one picture, and a batch; at most a minute for all",
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda", "mps"), default="cpu", help="where to measure (default: cpu)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the table of networks, what was measured, or the layer table of one."""
    if arguments.measure:
        _measure(arguments.name, arguments.device, arguments.json)
    elif arguments.name is None:
        _families(arguments.classes, arguments.size, arguments.json)
    else:
        _layers(arguments.name, arguments.classes, arguments.size, arguments.json)


def _families(classes: int, size: int | None, as_json: bool) -> None:
    from alexnet_core.models import MODELS
    from alexnet_core.models.family import published

    # Where none takes such pictures, the first one says why.
    fitting = [name for name in MODELS if size is None or size >= MODELS[name].smallest] or list(MODELS)
    rows = []
    for name in fitting:
        entry = MODELS[name]
        side = entry.image_size if size is None else size
        layers = _anatomy(name, classes, side)
        reached = published(name)
        rows.append(
            {
                "name": name,
                "title": entry.title,
                "year": entry.year,
                "image_size": side,
                "smallest": entry.smallest,
                "parameters": sum({layer.name: layer.parameters for layer in layers}.values()),
                "multiply_adds": sum(layer.multiply_adds for layer in layers),
                "imagenet_weights": entry.imagenet_weights is not None,
                "imagenet_top1": None if reached is None else reached.top1,
                "about": entry.about,
            }
        )
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    print(f"{'name':<20}{'year':>5}{'pixels':>8}{'parameters':>14}{'multiply-adds':>16}  about")
    for row in rows:
        numbers = f"{row['year']:>5}{row['image_size']:>8}{row['parameters']:>14,}{row['multiply_adds']:>16,}"
        print(f"{row['name']:<20}{numbers}  {row['about']}")
    if others := [name for name in MODELS if name not in fitting]:
        print(f"For larger pictures only: {', '.join(others)}.")


def _measure(name: str | None, device: str, as_json: bool) -> None:
    from dataclasses import asdict

    from alexnet_core import devices
    from alexnet_core.models import MODELS, find_model
    from alexnet_core.models.family import costs
    from alexnet_core.models.measuring import BATCH, measure

    if name is not None:
        find_model(name)
    said = ""

    def tell(done: int, total: int, title: str) -> None:
        nonlocal said
        sentence = f"\rMeasuring, {done} of {total}: {title}" if title else "\r"
        if sys.stderr.isatty():
            # At the end wiped away, and back to the edge, where the table begins.
            print(sentence.ljust(len(said)), end="" if title else "\r", file=sys.stderr, flush=True)
        elif not said:
            print("Measuring; at most a minute.", file=sys.stderr, flush=True)
        said = sentence

    compute = devices.choose(device, "fp32")
    found = measure([name] if name else list(MODELS), compute.device, tell)
    if as_json:
        rows = [asdict(one) | {"costs": asdict(costs(one.name)), "device": compute.device.type} for one in found]
        print(json.dumps(rows, indent=1))
        return
    print(f"On {compute.device.type}, {compute.threads} threads, 32 bits: median (least to largest) of the rounds.")
    batch = f"pictures/s of {BATCH}"
    print(f"{'name':<20}{'pixels':>7}{'multiply-adds':>16}{'MB':>7}{'ms, one picture':>26}{batch:>26}")
    for one in found:
        its, slow, fast = costs(one.name), one.latency_ms, one.images_per_s
        print(
            f"{one.name:<20}{its.image_size:>7}{its.multiply_adds:>16,}{its.file_bytes / 1e6:>7,.1f}"
            f"{f'{slow.median:.1f} ({slow.least:.1f} to {slow.largest:.1f})':>26}"
            f"{f'{fast.median:,.0f} ({fast.least:,.0f} to {fast.largest:,.0f})':>26}"
        )


def _layers(name: str, classes: int, size: int | None, as_json: bool) -> None:
    from dataclasses import asdict

    from alexnet_core.models import find_model

    entry = find_model(name)
    side = entry.image_size if size is None else size
    layers = _anatomy(name, classes, side)
    if as_json:
        print(json.dumps({"name": name, "image_size": side, "layers": [asdict(layer) for layer in layers]}, indent=1))
        return
    print(f"{entry.title}: {entry.about} {classes} classes, pictures of {side} pixels.")
    wide = max(len(layer.name) for layer in layers) + 2
    print(
        f"{'name':<{wide}}{'kind':<20}{'kernel':>7}{'stride':>7}{'output':>16}{'parameters':>13}"
        f"{'multiply-adds':>16}{'memory':>10}{'sees':>6}"
    )
    for layer in layers:
        shape = " x ".join(map(str, layer.output_shape))
        print(
            f"{layer.name:<{wide}}{layer.kind:<20}{_or_blank(layer.kernel):>7}{_or_blank(layer.stride):>7}{shape:>16}"
            f"{layer.parameters:>13,}{layer.multiply_adds:>16,}{layer.activation_bytes / 1024:>7,.0f} kB"
            f"{_or_blank(layer.receptive_field):>6}"
        )
    print(
        f"In all {sum(layer.parameters for layer in layers):,} parameters and "
        f"{sum(layer.multiply_adds for layer in layers):,} multiply-adds a picture."
    )


def _anatomy(name: str, classes: int, size: int) -> list[Any]:
    import torch

    from alexnet_core.models import build
    from alexnet_core.models.anatomy import anatomy

    with torch.device("meta"):  # shapes and counts need no numbers
        model = build(name, classes, size)
    return anatomy(model, size)


def _or_blank(number: int | None) -> str:
    return "" if number is None else str(number)
