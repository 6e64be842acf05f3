"""The engine broken on purpose, each way by itself, in the child alone: every one must be caught by `differences`.

A broken run is compared with an undisturbed one that is broken in the same way: what is caught is what the disturbance
shows, as a person would meet it.
"""

import io
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from alexnet_core.data.augment import Chance
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.models import weights
from alexnet_core.runs import recording
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.training import batches
from alexnet_core.training.loop import Training

from . import child, kills
from .runs import EVERYTHING, new_run


def dropout_from_the_global_state() -> None:
    """Dropout goes on from wherever the process's random state happens to be."""
    learn = Training._learn

    def unseeded(*arguments: Any) -> None:
        with patch.object(torch, "manual_seed"):
            learn(*arguments)

    Training._learn = unseeded  # type: ignore[method-assign]


def augmentation_from_the_global_state() -> None:
    """So does what happens to the pictures."""
    batches.draw = lambda _seed, _epoch, images: Chance(torch.rand(images, 5), torch.randn(images, 3))  # type: ignore[attr-defined]


def order_from_an_unseeded_generator() -> None:
    """The order of an epoch is another one each time it is drawn."""

    def unseeded(_seed: int, _epoch: int, images: int) -> torch.Tensor:
        generator = torch.Generator()
        generator.seed()
        return torch.randperm(images, generator=generator)

    batches.order = unseeded  # type: ignore[attr-defined]


def batch_index_not_restored() -> None:
    """An epoch that was left in the middle begins again at its first batch."""
    epoch = batches.Batches.epoch
    batches.Batches.epoch = lambda self, number, _first=0: epoch(self, number, 0)  # type: ignore[method-assign]


def _forgetting(*names: str) -> Callable[[], None]:
    def forget() -> None:
        load = Training.load_state_dict

        def forgetful(self: Training, state: dict[str, Any]) -> None:
            fresh = self.state_dict()
            load(self, state | {name: fresh[name] for name in names})

        Training.load_state_dict = forgetful  # type: ignore[method-assign]

    return forget


optimizer_not_restored = _forgetting("optimizer")
averaged_weights_not_restored = _forgetting("averaged")
sums_of_the_epoch_not_restored = _forgetting("since_epoch")


def running_statistics_not_restored() -> None:
    """Weights come back, what batch normalisation has seen does not."""
    load = Training.load_state_dict

    def forgetful(self: Training, state: dict[str, Any]) -> None:
        fresh = {name: value.clone() for name, value in self.model.state_dict().items() if "running" in name}
        load(self, state | {"model": state["model"] | fresh})

    Training.load_state_dict = forgetful  # type: ignore[method-assign]


def another_number_of_threads() -> None:
    """A resumed run takes two threads where it began with one."""
    load = recording.load_newest

    def on_two(*arguments: Any) -> Any:
        saved, sentences = load(*arguments)
        return saved and saved | {"machine": (*saved["machine"][:2], 2)}, sentences

    recording.load_newest = on_two  # type: ignore[attr-defined]


def saved_in_place() -> None:
    """One checkpoint file, written over, without a temporary one and without a checksum."""

    def save(folder: Path, _step: int, state: dict[str, Any]) -> None:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        (folder / "last.pt").write_bytes(buffer.getvalue())

    def load(folder: Path, *_: int) -> tuple[Any, list[str]]:
        path = folder / "last.pt"
        return torch.load(path) if path.exists() else None, []

    recording.save_checkpoint, recording.load_newest = save, load  # type: ignore[attr-defined, assignment]


def metrics_not_truncated() -> None:
    """Lines that came after the checkpoint stay, and are written again."""
    RunDirectory.truncate = lambda *_, **__: None  # type: ignore[method-assign, assignment]


def metrics_not_truncated_before_the_first_checkpoint() -> None:
    """The same, but only where there is no checkpoint yet."""
    truncate = RunDirectory.truncate

    def unless_anew(self: RunDirectory, *, metrics: int, timing: int) -> None:
        if metrics:
            truncate(self, metrics=metrics, timing=timing)

    RunDirectory.truncate = unless_anew  # type: ignore[method-assign]


def leftovers_not_cleared() -> None:
    """Half-written files of killed processes stay for ever."""
    RunDirectory.clear_leftovers = lambda _: None  # type: ignore[method-assign, assignment]


def header_in_any_order() -> None:
    """Network files as safetensors writes them."""
    weights._in_order = lambda data: data  # type: ignore[attr-defined]


BROKEN: dict[str, kills.Way] = {
    "dropout_from_the_global_state": kills.in_training,
    "augmentation_from_the_global_state": kills.in_training,
    "order_from_an_unseeded_generator": kills.in_training,
    "batch_index_not_restored": kills.in_training,
    "optimizer_not_restored": kills.in_training,
    "averaged_weights_not_restored": kills.in_training,
    "sums_of_the_epoch_not_restored": kills.in_training,
    "running_statistics_not_restored": kills.in_training,
    "another_number_of_threads": kills.in_training,
    "saved_in_place": kills.in_saving,
    "metrics_not_truncated": kills.in_training,
    "metrics_not_truncated_before_the_first_checkpoint": kills.before_first_checkpoint,
    "leftovers_not_cleared": kills.in_saving,
    "header_in_any_order": kills.in_training,
}
"""The broken engines, and the kills that show what is broken."""
KILLS, RUNS = 2, 16
"""A run of two kills is enough for most; a saving that cannot be trusted may survive several such runs."""


def tried(name: str, data: PreparedSet, place: Path, lot: random.Random) -> kills.Account:
    """What the comparison finds when the engine that is broken in this way is killed."""
    settings, change = EVERYTHING | {"epochs": 3}, f"broken.{name}"
    expected = child.undisturbed(new_run(data, place / "whole", settings), change)
    account = kills.Account()
    while not account.found and account.runs < RUNS:
        run = new_run(data, place / f"killed-{account.runs}", settings)
        account.add(kills.endure(run, expected, lot, [BROKEN[name]], change, kills=KILLS))
    return account


def caught(about: str) -> str:
    """Which check caught it, from one of the phrases of `differences`."""
    return re.sub(r"\d{3,}|-[0-9a-f]{16}\S*", "…", about.partition(":")[0])
