"""`explain`: which pixels speak for a class, as a picture or as numbers."""

import argparse
import json
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from alexnet_core.commands.chosen_network import add_network_flags, chosen_network, writable
from alexnet_core.errors import ExplorerError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from alexnet_core.insight.attribution import Method, Setting

SUFFIXES = (".png", ".npy")


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The picture, the network, the method, the class, the file to write."""
    parser = verbs.add_parser("explain", help="show which pixels speak for a class")
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="a picture file")
    add_network_flags(parser)
    parser.add_argument("--method", default="saliency", metavar="NAME", help="default: saliency; --list names them all")
    parser.add_argument("--target", metavar="CLASS", help="a class's name or number (default: the predicted one)")
    parser.add_argument(
        "--against", metavar="CLASS", help="a second class: explain why the target rather than this one"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the method; --list names them"
    )
    parser.add_argument(
        "--references", metavar="DIR", help="a prepared data set, for methods that compare with many pictures: they "
        "take some of its training pictures (default: this picture's own pixels in random order)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="map.png: drawn over the picture; map.npy: the numbers"
    )
    parser.add_argument("--list", action="store_true", help="name the methods and what each can say")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """List the methods, or compute one map and write it."""
    if arguments.list:
        list_methods(arguments.json)
        return
    if arguments.image is None or arguments.out is None:
        raise ExplorerError("Give a picture and a file to write: explain IMAGE --out map.png; or explain --list.")
    if arguments.out.suffix.lower() not in SUFFIXES:
        raise ExplorerError(f"{arguments.out.name} must end in {' or '.join(SUFFIXES)}.")
    out = writable(arguments.out)

    from alexnet_core.files import write_whole
    from alexnet_core.images import clean_name, decode_file
    from alexnet_core.insight.attribution import attribute, find_class, find_method

    method = find_method(arguments.method)
    references = None if arguments.references is None else compared_with(method, arguments.references)
    picture = decode_file(arguments.image)
    network = chosen_network(arguments)
    target, against = (
        None if name is None else find_class(network, name) for name in (arguments.target, arguments.against)
    )
    with _Bar() as bar:
        attribution = attribute(
            network,
            picture,
            arguments.method,
            target,
            progress=bar,
            against=against,
            settings=named(arguments.set),
            references=references,
        )
    crop = network.preprocessing.crop(picture)
    as_numbers = out.suffix.lower() == ".npy"
    write_whole(out, _npy(attribution.values) if as_numbers else _png(crop, attribution.values, method.signed))
    if arguments.json:
        facts: dict[str, object] = {"method": attribution.method}
        facts |= {"target": attribution.target, "class": attribution.target_name}
        if attribution.against is not None:
            facts |= {"against": attribution.against, "against_class": attribution.against_name}
        if attribution.settings:
            facts["settings"] = attribution.settings
        print(json.dumps(facts | {"shape": attribution.values.shape, "out": str(out)} | attribution.facts, indent=1))
        return
    facts_text = ", ".join(f"{key.replace('_', ' ')} {_short(value)}" for key, value in attribution.facts.items())
    asked = f"class {attribution.target} ({clean_name(attribution.target_name)})"
    if attribution.against_name is not None:
        asked += f" against class {attribution.against} ({clean_name(attribution.against_name)})"
    print(f"{method.title} for {asked}: {facts_text}")
    print(out)


def compared_with(method: "Method", directory: str) -> "np.ndarray":
    """Training pictures of a prepared set, uint8 (n, S, S, 3). Raises ExplorerError for what is none, and for a method
    that would not look at them."""
    from alexnet_core.data.prepared import PreparedSet
    from alexnet_core.insight.gallery import evenly_spread

    if not method.compares:
        raise ExplorerError(f"{method.title} compares with no pictures of a data set; leave --references out.")
    return evenly_spread(PreparedSet.open(directory).images("train"))


def named(texts: list[str]) -> dict[str, float | int | str | None]:
    """Settings from texts like "steps=20". Raises ExplorerError for a text of another form, or a name given twice."""
    settings: dict[str, float | int | str | None] = {}
    for text in texts:
        name, given, value = text.partition("=")
        if not name or not given or name in settings:
            raise ExplorerError(f"--set takes one NAME=VALUE for each setting, such as steps=20, not {text!r:.80}.")
        settings[name] = value
    return settings


def list_methods(as_json: bool) -> None:
    """Print the table of methods."""
    from alexnet_core.insight.attribution import ATTRIBUTIONS

    if as_json:
        keys = ("title", "computes", "says", "silent_on", "paper", "signed", "group", "slow")
        known = ("name", "title", "help", "default", "choices", "least", "most")
        rows = [
            {"name": name}
            | {key: getattr(method, key) for key in keys}
            | {"settings": [{key: getattr(setting, key) for key in known} for setting in method.settings]}
            for name, method in ATTRIBUTIONS.items()
        ]
        print(json.dumps(rows, indent=1))
        return
    for name, method in ATTRIBUTIONS.items():
        print(f"{name}: {method.title}\n  {method.computes}\n  It says: {method.says}")
        print(f"  It does not say: {method.silent_on}\n  {method.paper}")
        for setting in method.settings:
            default = "the last layer with a map" if setting.default is None else setting.default
            print(f"  --set {setting.name}={default}  {_range(setting)}{setting.help}")


class _Bar:
    """A progress bar in a terminal, nothing elsewhere: one map is short."""

    def __enter__(self) -> "_Bar":
        from tqdm import tqdm

        self.bar = tqdm(total=100, unit="%", leave=False, disable=None)
        return self

    def __call__(self, share: float) -> None:
        self.bar.update(100 * share - self.bar.n)

    def __exit__(self, *exception: object) -> None:
        self.bar.close()


def _npy(values: "np.ndarray") -> bytes:
    import numpy as np

    buffer = BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def _png(crop: "Image.Image", values: "np.ndarray", signed: bool) -> bytes:
    from alexnet_core.insight.colours import draw

    # Whole multiples, so that every value of a map for 64 pixels is a square of its own.
    factor = max(1, round(448 / crop.width))
    buffer = BytesIO()
    drawn = draw(crop, values, signed)
    drawn.resize((crop.width * factor, crop.height * factor), 0).save(buffer, "PNG")  # 0: nearest neighbour
    return buffer.getvalue()


def _range(setting: "Setting") -> str:
    if setting.choices is not None:
        return f"({', '.join(setting.choices)}) "
    return "" if setting.least is None else f"({setting.least:.10g} to {setting.most:.10g}) "


def _short(value: float | int | str) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
