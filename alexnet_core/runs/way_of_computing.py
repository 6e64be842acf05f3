"""In which way a run computes: as it began, else as is fastest here."""

from collections.abc import Callable
from dataclasses import replace

import torch

from alexnet_core import devices
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.distributed import World
from alexnet_core.errors import ExplorerError
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.pace import can_compile, fastest


def chosen_way(
    settings: TrainConfig,
    data: PreparedSet,
    words: tuple[str | int, ...] | None,
    world: World,
    say: Callable[[str], None],
) -> tuple[devices.Compute, list[str]]:
    """Where and how to compute, as in `words`, else the fastest way; and a sentence where that is not possible. What
    the main process finds holds for all, each on a GPU or on cores of its own."""

    def found() -> tuple[tuple[str | int, ...], list[str]]:
        own = replace(settings, batch_size=max(1, settings.batch_size // world.world_size))
        share = 0 if world.world_size == 1 else max(1, devices.cores() // world.local_world_size)
        way = _as_it_began(words) if words else fastest(own, data, threads=share, tell=say)
        if way.compiled and world.world_size > 1:
            # What can be tried here is one process alone, not gradients and normalisation over several.
            return replace(way, compiled=False).words(), ["Compiling is for one process; training goes on without."]
        if not way.compiled or can_compile(own, data, way):
            return way.words(), []
        return replace(way, compiled=False).words(), ["Compiling failed on this machine; training goes on without."]

    chosen, sentences = world.from_main(found)

    def follow() -> devices.Compute:
        world.take_device(torch.device(str(chosen[0])))
        return devices.choose(*chosen)  # type: ignore[arg-type]

    return world.together(follow), sentences


def _as_it_began(words: tuple[str | int, ...]) -> devices.Compute:
    try:
        return devices.choose(*words)  # type: ignore[arg-type]
    except ExplorerError as error:
        # Its settings cannot be changed any more, so there is no other device to choose.
        raise ExplorerError(
            f"The run began on a computer with the device {words[0]} in {words[1]}, which is not to be had here, and "
            "any other gives other bits. Resume it there, or begin a new run: train --settings RUN_DIR/config.json."
        ) from error
