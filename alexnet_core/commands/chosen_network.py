"""The flags by which `predict` and `explain` are told which network to use, and where `--out` may write."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from alexnet_core.errors import ExplorerError

if TYPE_CHECKING:
    from alexnet_core.models import Network
    from alexnet_core.runs.directory import RunDirectory


def add_network_flags(parser: argparse.ArgumentParser) -> None:
    """`--run`, or `--model` with or without `--weights`."""
    parser.add_argument("--run", dest="run_directory", metavar="RUN_DIR", help="a run: its directory or its name")
    parser.add_argument("--model", metavar="NAME", help="a network by name; without --weights, with ImageNet's")
    parser.add_argument("--weights", metavar="FILE", type=Path, help="a network file, or a state dict of ImageNet's")


def chosen_network(arguments: argparse.Namespace) -> "Network":
    """The network that the flags name. Raises ExplorerError when they name none, or two."""
    if (arguments.run_directory is None) == (arguments.model is None):
        raise ExplorerError("Say which network to use: either --run RUN_DIR or --model NAME.")
    if arguments.run_directory is not None:
        if arguments.weights is not None:
            raise ExplorerError("A run brings its own weights; use --weights with --model.")
        return chosen_run(arguments.run_directory).network()
    from alexnet_core.models.weights import imagenet_network, network_from_file

    if arguments.weights is None:
        from alexnet_core.commands.progress import ProgressShown

        with ProgressShown() as shown:
            return imagenet_network(arguments.model, progress=shown.update)
    return network_from_file(arguments.model, arguments.weights)


def chosen_run(text: str) -> "RunDirectory":
    """The run that `text` names: a directory where there is one, else a run's name."""
    from alexnet_core.runs.directory import RUN_ID, RunDirectory

    path = Path(text)
    named = RUN_ID.fullmatch(text) and not os.path.isdir(path)
    return RunDirectory.find(text) if named else RunDirectory.open(path)


def writable(path: Path) -> Path:
    """`path`, once it is sure that its folder exists and that it is none itself: better said before the long work."""
    if os.path.isdir(path):
        raise ExplorerError(f"{path.name} is a folder; give --out the name of a file.")
    if not os.path.isdir(path.parent):
        raise ExplorerError(f"There is no folder {path.parent}; make it first, or choose another place for --out.")
    return path
