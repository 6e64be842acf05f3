"""`export`: a run's network in the form another program reads."""

import argparse
from pathlib import Path

from alexnet_core.commands.chosen_network import chosen_run, writable
from alexnet_core.errors import ExplorerError

SUFFIXES = {"safetensors": (".safetensors",), "state_dict": (".pt", ".pth"), "onnx": (".onnx",)}
"""How a file of each format is called: other programs, and ours, tell them apart by it."""


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The run, the format, the file."""
    parser = verbs.add_parser("export", help="write a run's network for another program")
    parser.add_argument("run_directory", metavar="RUN_DIR", help="a run: its directory or its name")
    parser.add_argument("--format", required=True, choices=SUFFIXES, help="safetensors brings class names along")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the network of the run's last whole epoch."""
    out, suffixes = writable(arguments.out), SUFFIXES[arguments.format]
    if out.suffix.lower() not in suffixes:
        raise ExplorerError(f"{out.name} must end in {' or '.join(suffixes)} for the format {arguments.format}.")

    from alexnet_core.files import write_whole
    from alexnet_core.models.export import FORMATS

    network = chosen_run(arguments.run_directory).network()
    data = FORMATS[arguments.format](network)
    write_whole(out, data)
    print(f"{network.title}, {len(network.classes)} classes, {len(data) / 1e6:.1f} MB: {out}")
