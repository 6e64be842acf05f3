"""`import`: a network from elsewhere, as a finished run."""

import argparse
from pathlib import Path


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The file, and what it may not say itself."""
    parser = verbs.add_parser("import", help="bring in a network that was trained elsewhere")
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="safetensors, a state dict (.pt, .pth), ONNX that `export` wrote, or a folder or zip of `export`",
    )
    parser.add_argument("--model", metavar="NAME", help="the network, where its weights do not tell")
    parser.add_argument(
        "--classes", type=Path, metavar="FILE", help="class names in the order of the outputs: one a line, or JSON"
    )
    parser.add_argument("--size", type=int, metavar="N", help="side in pixels of the pictures that it was trained on")
    parser.add_argument("--name", default="", metavar="TITLE", help="a name for people")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Read the network, keep it, and say what it is and what had to be assumed."""
    from alexnet_core.images import clean_name
    from alexnet_core.models.class_names import read_class_names
    from alexnet_core.models.importing import look, network_of
    from alexnet_core.runs.imports import import_network

    classes = None if arguments.classes is None else read_class_names(arguments.classes)
    found = look(arguments.file, owner=True, image_size=arguments.size)
    network = network_of(found, arguments.model, classes, arguments.size)
    kept = import_network(network, found.name, arguments.name, found.assumed)
    names = ", ".join(map(clean_name, network.classes[:3]))
    more = ", ..." * (len(network.classes) > 3)
    size = network.preprocessing.size
    what = f"{network.title}, {len(network.classes)} classes ({names}{more}), {size} pixels"
    print(f"{found.name} is {found.kind}: {what}.")
    if found.assumed:
        print(found.assumed)
    print(f"Run directory: {kept.path}")
