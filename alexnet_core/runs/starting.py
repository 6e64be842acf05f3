"""The network that a training begins with: ImageNet's, another run's, or one in a file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alexnet_core.errors import ExplorerError
from alexnet_core.runs.directory import RUN_ID, RunDirectory
from alexnet_core.training.config import TrainConfig

if TYPE_CHECKING:
    from alexnet_core.models import Network
    from alexnet_core.models.fetching import Cancelled, Progress

IMAGENET = "imagenet"
"""In `start_from`: the ImageNet weights of the network that is to be trained."""


def source_of(
    start_from: str, model: str, progress: "Progress | None" = None, cancelled: "Cancelled | None" = None
) -> "Network":
    """The trained network that `start_from` names; `model` is the kind that is to be trained. ImageNet's weights are
    fetched on first use.

    Raises ExplorerError where there is none, or none that has been trained yet.
    """
    from alexnet_core.models.weights import FORMAT, imagenet_network, load_network, network_from_file, network_header

    if start_from == IMAGENET:
        return imagenet_network(model, progress=progress, cancelled=cancelled)
    path = Path(start_from)
    if os.path.isdir(path):  # unlike Path's, these answer for impossible names, and for folders that nobody may enter
        return RunDirectory.open(path).network()
    if os.path.isfile(path):
        own = path.suffix == ".safetensors" and network_header(path).get("format") == FORMAT
        return load_network(path) if own else network_from_file(model, path)
    if RUN_ID.fullmatch(start_from):
        return RunDirectory.find(start_from).network()
    raise ExplorerError(
        f"There is no network {start_from[:60]!r} to start from; give imagenet, the name of a run, or a file."
    )


def with_source(
    explicit: dict[str, Any], progress: "Progress | None" = None
) -> "tuple[dict[str, Any], Network | None]":
    """The settings in `explicit` with what the network they start from decides, and that network; None where they start
    from nothing.

    A run or a file decides which network is trained, and whether it has batch normalisation. Where paths are given they
    are made whole, for the training may begin in another folder. Raises ExplorerError as `source_of` does.
    """
    start_from = explicit.get("start_from", "")
    if not start_from:
        return explicit, None
    source = source_of(start_from, explicit.get("model", TrainConfig.model), progress)
    decided: dict[str, Any] = {}
    if start_from != IMAGENET:
        decided["model"] = source.name
        if "batch_norm" in source.settings:
            decided["batch_norm"] = source.settings["batch_norm"]
        if os.path.exists(start_from):
            decided["start_from"] = str(Path(start_from).resolve())
    return decided | explicit | {"start_from": decided.get("start_from", start_from)}, source


def check_fit(settings: TrainConfig, source: "Network", classes: tuple[str, ...], image_size: int) -> None:
    """Raises ExplorerError where a run of `settings` (settled ones) could not begin with `source`: better said before
    it is queued."""
    import torch

    from alexnet_core.models import build
    from alexnet_core.training.recipes import model_settings
    from alexnet_core.training.transfer import weights_to_copy

    with torch.device("meta"):
        model = build(settings.model, len(classes), image_size, **model_settings(settings))
    weights_to_copy(model, classes, source, settings)
