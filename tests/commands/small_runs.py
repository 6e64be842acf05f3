"""A small finished run on disk, and the command line called as a person calls it."""

from pathlib import Path

import torch

from alexnet_core.__main__ import main
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen, save_network
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.training.config import TrainConfig

CLASSES = ("cat", "dog", "bird")


def small_run(path: Path) -> RunDirectory:
    """A run at `path` whose network is alexnet_mini with random weights for pictures of 32 pixels."""
    torch.manual_seed(0)
    run = RunDirectory.create(TrainConfig(), DataIdentity("there", "pets", "Pets", "0"), path, title="Pets at home")
    model = frozen(build("alexnet_mini", 3, 32, batch_norm=False))
    save_network(
        run.network_path, Network("alexnet_mini", model, CLASSES, Preprocessing(32, 36), {"batch_norm": False})
    )
    return run


def refusal(capsys, *arguments: object) -> str:
    """The sentence on standard error of a command that must end with exit code 2 and print nothing else."""
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert output.err.startswith("alexnet: ")
    return output.err


def printed(capsys, *arguments: object) -> str:
    """What a command that must succeed prints."""
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out
