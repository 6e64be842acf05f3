"""The runs of a staircase put together: one line a network, and a table."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from alexnet_core.runs.climbed import Climbed, summary
from alexnet_core.runs.stairs import STAIRS
from app.figures.climbing import Ascent


def ascents(results: Sequence[Climbed]) -> list[Ascent]:
    """The mean over the seeds at each epoch that all of them have ended; networks without one are left out."""
    found = []
    for stair, entry in STAIRS.items():
        runs = [one for one in results if one.stair == stair and one.val_top1]
        if not runs:
            continue
        epochs = min(len(one.val_top1) for one in runs)
        accuracies = np.array([one.val_top1[:epochs] for one in runs])  # (seeds, epochs)
        minutes = np.array([one.minutes[:epochs] for one in runs])
        found.append(
            Ascent(
                entry.title,
                minutes.mean(0).tolist(),
                accuracies.mean(0).tolist(),
                accuracies.min(0).tolist(),
                accuracies.max(0).tolist(),
                len(runs),
            )
        )
    return found


def rows(results: Sequence[Climbed]) -> list[dict[str, Any]]:
    """One row for each network with a finished run; accuracies in percent."""
    found = summary(list(results))
    first = found.get("alexnet")
    return [
        {
            "Network": one["title"],
            "Epochs": one["epochs"],
            "Minutes": round(one["minutes"]["median"], 2),
            "Top-1": 100 * one["top1"]["median"],
            "Least": 100 * one["top1"]["least"],
            "Largest": 100 * one["top1"]["largest"],
            "Points gained": None if first is None else 100 * (one["top1"]["median"] - first["top1"]["median"]),
            "Runs": one["top1"]["runs"],
        }
        for one in found.values()
    ]
