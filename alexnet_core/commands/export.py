"""`export`: a run's network, or its curves, in the form another program reads."""

import argparse
from pathlib import Path

from alexnet_core.commands.chosen_network import chosen_run, writable
from alexnet_core.commands.progress import size_in_words
from alexnet_core.errors import ExplorerError

SUFFIXES = {
    "safetensors": (".safetensors",),
    "state_dict": (".pt", ".pth"),
    "onnx": (".onnx",),
    "folder": (".zip", ""),
    "csv": (".csv",),
    "tensorboard": (".zip", ""),
}
"""How a file of each format is called: other programs, and ours, tell them apart by it. No suffix is a folder."""


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The run, the format, the file."""
    parser = verbs.add_parser("export", help="write a run's network or its curves for another program")
    parser.add_argument("run_directory", metavar="RUN_DIR", help="a run: its directory or its name")
    parser.add_argument(
        "--format",
        required=True,
        choices=SUFFIXES,
        help="safetensors brings class names along; folder predicts with PyTorch alone; csv and tensorboard are the "
        "curves",
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="the file; for folder and tensorboard a folder or .zip"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the network of the run's last whole epoch, or the run's events."""
    out, suffixes = arguments.out, SUFFIXES[arguments.format]
    as_folder = not out.suffix and "" in suffixes
    if not as_folder:
        out = writable(out)
    if out.suffix.lower() not in suffixes:
        raise ExplorerError(
            f"{out.name} must end in {' or '.join(filter(None, suffixes))}"
            f"{', or in nothing for a folder,' * ('' in suffixes)} for the format {arguments.format}."
        )

    from alexnet_core.files import write_folder, write_whole, zipped
    from alexnet_core.images import clean_name

    chosen = chosen_run(arguments.run_directory)
    if arguments.format in ("csv", "tensorboard"):
        from alexnet_core.runs.logs import LOGS

        files, words = LOGS[arguments.format](chosen), clean_name(chosen.title())
    else:
        from alexnet_core.models.export import FORMATS
        from alexnet_core.models.plain_folder import folder_files

        network = chosen.network()
        words = f"{network.title}, {len(network.classes)} classes"
        files = folder_files(network) if as_folder else {out.name: FORMATS[arguments.format](network)}
    if as_folder:
        write_folder(out, files)
    else:
        write_whole(out, zipped(files) if arguments.format == "tensorboard" else next(iter(files.values())))
    print(f"{words}, {size_in_words(sum(map(len, files.values())))}: {out}")
