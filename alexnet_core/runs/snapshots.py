"""When a run keeps a small copy of its weights for the time machine, and what is in it."""

import torch

from alexnet_core.files import write_whole
from alexnet_core.models import Network
from alexnet_core.models.weights import network_bytes
from alexnet_core.runs.directory import RunDirectory

SNAPSHOTS = 40
"""About how many snapshots a run keeps."""
LARGEST_SNAPSHOT = 8_000_000
"""Numbers. Of larger networks a snapshot holds the first layer alone: forty copies of 61 million are 5 GB."""


def snapshot_steps(steps: int, steps_per_epoch: int) -> set[int]:
    """The steps after which a snapshot is kept: the start, the powers of two, and ends of epochs, evenly thinned."""
    powers = {2**power for power in range(steps.bit_length()) if 2**power <= steps}
    epochs = steps // steps_per_epoch
    every = max(1, round(epochs / (SNAPSHOTS - len(powers))))
    return {0, steps} | powers | {epoch * steps_per_epoch for epoch in range(every, epochs + 1, every)}


def write_snapshot(run: RunDirectory, step: int, network: Network, filters_alone: bool) -> None:
    """The weights of `network` in half precision; of a large one, or where `filters_alone` is asked for, those of the
    first layer. Raises ExplorerError where the disk is full."""
    weights = network.model.state_dict()
    whole = not filters_alone and sum(map(torch.Tensor.numel, weights.values())) <= LARGEST_SNAPSHOT
    if not whole:
        weights = dict(list(weights.items())[:1])
    write_whole(run.snapshot_path(step, whole=whole), network_bytes(network, half=True, weights=weights))
