"""Checkpoints that are whole or not there, and known to be whole when they are loaded.

Each file carries the beginning of its own SHA-256 in its name: neither torch.load nor safetensors notices a flipped
byte. The last two are kept, so that a damaged one costs some steps and never the run.
"""

import hashlib
import pickle
import re
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from alexnet_core.files import read_whole, write_whole
from alexnet_core.memory import is_lack_of_memory

KEPT = 2
_NAME = re.compile(r"step-(\d{8})-([0-9a-f]{16})\.pt")


def save_checkpoint(folder: Path, step: int, state: dict[str, Any]) -> Path:
    """Write `state` (tensors and plain values) as the checkpoint of `step` and drop all but the last two.

    Raises ExplorerError when it cannot be written; the older ones are then still there.
    """
    buffer = BytesIO()
    torch.save(state, buffer)
    data = buffer.getvalue()
    path = folder / f"step-{step:08d}-{hashlib.sha256(data).hexdigest()[:16]}.pt"
    write_whole(path, data)
    for old in checkpoints(folder)[KEPT:]:
        # On Windows what another program reads, a scanner or a backup, stays; it goes with the next one.
        with suppress(PermissionError):
            old.unlink(missing_ok=True)
    return path


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoint files in `folder`, newest first."""
    return sorted((path for path in folder.glob("step-*.pt") if _NAME.fullmatch(path.name)), reverse=True)


def load_newest(folder: Path, metrics_size: int | None = None) -> tuple[dict[str, Any] | None, list[str]]:
    """The newest checkpoint that is whole, on the CPU, and one sentence for each that was passed over.

    A checkpoint remembers how long metrics.jsonl was; one that remembers more than the `metrics_size` bytes there are
    would leave a hole in them, and is no use. None when there is no checkpoint to go on from. Those passed over are
    removed, so that they are never taken for the last two.
    """
    reasons: list[str] = []
    state = None
    for path in checkpoints(folder):
        state = _load(path)
        if state is None:
            reasons.append(f"The checkpoint of step {int(path.name[5:13])} is damaged")
        elif metrics_size is not None and state["metrics_size"] > metrics_size:
            reasons.append(f"metrics.jsonl has lost its end, which the checkpoint of step {int(path.name[5:13])} needs")
            state = None
        else:
            break
        path.unlink()
    way = "going on from the one before" if state is not None else "there is none before it: beginning anew"
    return state, [f"{reason}; {way}." for reason in reasons]


def _load(path: Path) -> dict[str, Any] | None:
    """What a checkpoint holds; None when it is damaged. Where memory ends, the error goes on: it is not."""
    try:
        data = read_whole(path)
        if hashlib.sha256(data).hexdigest()[:16] != path.stem.rsplit("-", 1)[1]:
            return None
        return torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    except (OSError, pickle.UnpicklingError, RuntimeError) as error:
        if is_lack_of_memory(error):
            raise
        # On a part of the disk that can no longer be read; or whole, and written by a version with other contents.
        return None
