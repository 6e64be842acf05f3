"""Squares of the picture hidden one after the other: how far the score falls."""

from collections.abc import Iterator

import numpy as np
import torch

from alexnet_core.insight.attribution.baselines import baselines
from alexnet_core.insight.attribution.hidden_windows import HiddenWindows
from alexnet_core.insight.attribution.task import Facts, Setting, Task
from alexnet_core.insight.operations import operations

WINDOW = Setting(
    "window", "Square", "Side of the square that hides, in pixels of a picture of 224; smaller pictures get one in "
    "proportion. Small squares show detail, large ones hide whole things.", 15, least=2, most=112,
)  # fmt: skip
STRIDE = Setting(
    "stride", "Step", "How far the square moves each time, in pixels of a picture of 224. Half the step takes four "
    "times as long.", 8, least=1, most=112,
)  # fmt: skip
COVER = Setting(
    "baseline", "Hidden by", "What stands in the square: the mean colour of the data set, black, white, or the picture "
    "blurred.", "mean", choices=("mean", "black", "white", "blurred"),
)  # fmt: skip

WINDOWS_AT_ONCE = 112
"""In one pass: where it was fastest on two cores, with progress to show after each."""

PIXELS_AT_ONCE = WINDOWS_AT_ONCE * 224**2
"""The same limit for larger pictures, so that their maps take no more memory than those of 112 at 224 pixels."""

COARSE = 4
"""At first every fourth window of every fourth row: a sixteenth of the work."""


def occlusion(task: Task) -> tuple[torch.Tensor, Facts]:
    """The whole map."""
    *_, whole = refined(task)
    return whole


def refined(task: Task) -> Iterator[tuple[torch.Tensor, Facts]]:
    """The map from coarse to whole: first every fourth window in both directions, then every second, then all.

    A place whose windows were not tried yet shows the nearest one that was. The whole map is Captum's: at each pixel
    the mean over the windows that hide it, of how far the score falls.
    """
    size = task.network.preprocessing.size
    window = min(size, max(2, round(size * task.number("window") / 224)))
    # Wider steps than squares would leave places that nothing hides.
    stride = min(window, max(1, round(size * task.number("stride") / 224)))
    starts = list(range(0, size - window + stride, stride)) if window < size else [0]
    drops = np.zeros((len(starts), len(starts)), dtype=np.float32)
    known = np.zeros_like(drops, dtype=bool)
    hiding = _hiding(task)
    facts: Facts = {
        "window": window,
        "stride": stride,
        "windows": drops.size,
        "cover": COVER_WORDS[task.text("baseline")],
    }
    facts["precision"] = hiding.precision
    at_once = max(1, min(WINDOWS_AT_ONCE, PIXELS_AT_ONCE // size**2))
    task.progress(0.0)
    done = 0
    for every in (COARSE, COARSE // 2, 1):
        rows, columns = np.nonzero(_level(len(starts), every) & ~known)
        for first in range(0, len(rows), at_once):
            some = np.s_[first : first + at_once]
            tops, lefts = ([starts[index] for index in part[some]] for part in (rows, columns))
            drops[rows[some], columns[some]] = hiding.drops(tops, lefts, window)
            known[rows[some], columns[some]] = True
            done += len(tops)
            task.progress(done / drops.size)
        if len(rows):
            filled = drops[np.ix_(*(_nearest(len(starts), every),) * 2)]
            yield spread(filled, starts, window, size).to(task.image.device), facts | {"windows_tried": done}


COVER_WORDS = {"mean": "mean colour", "black": "black", "white": "white", "blurred": "the picture blurred"}


def spread(drops: np.ndarray, starts: list[int], window: int, size: int) -> torch.Tensor:
    """At each pixel the mean of the drops of the windows that hide it: (n, n) -> float32 (1, 1, S, S). Windows that
    reach beyond the picture are cut at its edge."""
    places = np.arange(size)
    hides = np.array([(places >= start) & (places < start + window) for start in starts], dtype=np.float64)  # (n, S)
    counts = hides.sum(axis=0)
    total = hides.T @ drops.astype(np.float64) @ hides
    return torch.from_numpy((total / np.outer(counts, counts)).astype(np.float32))[None, None]


def _level(count: int, every: int) -> np.ndarray:
    """Which windows belong to the grid of every `every`-th one: bool (count, count)."""
    on = np.isin(np.arange(count), _grid(count, every))
    return on[:, None] & on[None, :]


def _grid(count: int, every: int) -> np.ndarray:
    return np.arange(0, count, every)


def _nearest(count: int, every: int) -> np.ndarray:
    """For each window the nearest one of the grid."""
    return np.minimum(np.round(np.arange(count) / every).astype(int) * every, _grid(count, every)[-1])


def _hiding(task: Task) -> "HiddenWindows | PlainWindows":
    """The quick way for networks that are a chain of layers it knows, else each picture as a whole."""
    name = task.text("baseline")
    cover = torch.zeros_like(task.image) if name == "mean" else baselines(task)
    chain = operations(task.network).chain
    if chain is not None and HiddenWindows.knows(chain):
        return HiddenWindows(chain, task.score, task.image, cover, task.kind)
    return PlainWindows(task, cover)


class PlainWindows:
    """Each picture with a hidden square passes as a whole, many at a time.

    In single precision always: the differences of nearly equal scores would drown in the rounding of a shorter one.
    """

    precision = "fp32"

    def __init__(self, task: Task, cover: torch.Tensor) -> None:
        self.score, self.cover = task.score, cover
        self.image = task.image
        with torch.no_grad():
            self.whole = self.score(self.image)

    def drops(self, tops: list[int], lefts: list[int], window: int) -> np.ndarray:
        """How far the score falls for each window: (N,)."""
        places = torch.arange(self.image.shape[-1], device=self.image.device)
        rows, columns = (
            (places >= start[:, None]) & (places < start[:, None] + window)
            for start in (torch.tensor(tops, device=places.device), torch.tensor(lefts, device=places.device))
        )
        hidden = (rows[:, :, None] & columns[:, None, :])[:, None]  # (N, 1, S, S)
        pictures = torch.where(hidden, self.cover, self.image).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            return (self.whole - self.score(pictures))[:, 0].float().cpu().numpy()
