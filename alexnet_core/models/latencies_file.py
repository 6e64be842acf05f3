"""How fast the networks were when they were last measured on this machine, kept in the home folder.

A home may lie on a disk that several machines share, so each machine has its own measurement. A network that has been
changed since, by the arithmetic of a picture, counts as not measured.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import torch

from alexnet_core.devices import machine
from alexnet_core.files import write_whole
from alexnet_core.models import MODELS
from alexnet_core.models.family import costs
from alexnet_core.models.measuring import Measured, Spread
from alexnet_core.places import latencies_file


@dataclass(frozen=True)
class Measurement:
    """Networks that were measured in turns."""

    networks: Mapping[str, Measured]
    """By name."""
    created: datetime
    threads: int
    """Of the processor, that PyTorch had."""


def write(device: torch.device, found: Sequence[Measured]) -> Measurement:
    """Keep what was just found on the device, in place of what was found there before. Raises ExplorerError where the
    home folder cannot be written."""
    now = Measurement({one.name: one for one in found}, datetime.now().replace(microsecond=0), torch.get_num_threads())
    said = {
        "created": now.created.isoformat(),
        "threads": now.threads,
        "networks": [asdict(one) | {"multiply_adds": costs(one.name).multiply_adds} for one in found],
    }
    known = _known() | {machine(device): said}
    write_whole(latencies_file(), (json.dumps(known, indent=1) + "\n").encode())
    return now


def read(device: torch.device) -> Measurement | None:
    """What was last found on this very device; None before, and where the file is damaged."""
    try:
        said = _known()[machine(device)]
        networks = {one["name"]: _measured(one) for one in said["networks"] if _is_still(one)}
        created, threads = datetime.fromisoformat(said["created"]), int(said["threads"])
    except (KeyError, TypeError, ValueError):
        return None
    return Measurement(networks, created, threads) if networks else None


def _is_still(said: Mapping[str, Any]) -> bool:
    """Whether the network computes what it computed when it was measured."""
    return said["name"] in MODELS and costs(said["name"]).multiply_adds == said["multiply_adds"]


def _measured(said: Mapping[str, Any]) -> Measured:
    return Measured(said["name"], Spread(**said["latency_ms"]), Spread(**said["images_per_s"]))


def _known() -> dict[str, Any]:
    """What is kept, by machine; nothing where there is no file, or one that is not ours."""
    try:
        known = json.loads(latencies_file().read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
