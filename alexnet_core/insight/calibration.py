"""Does a network that says 90 % get nine of ten right? Reliability, its error, and a temperature that mends most of it.

After Guo, Pleiss, Sun, Weinberger 2017, "On calibration of modern neural networks", arXiv:1706.04599.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.gallery import Gallery, numbers
from alexnet_core.insight.hooks import evaluating
from alexnet_core.insight.prediction import BATCH
from alexnet_core.models import Network

BINS = 10
"""Equal parts of the range from 0 to 1; Guo et al. take 15, for ten thousand pictures and more."""
COLDEST, HOTTEST = 0.05, 20.0
"""Bounds of the temperature: beyond them all answers are certain, or all alike."""
HALVINGS = 40
"""Of the range of its logarithm: twelve digits."""


@dataclass(frozen=True)
class Reliability:
    """How often answers of each certainty are right."""

    edges: np.ndarray
    """(BINS + 1,), 0 to 1."""
    counts: np.ndarray
    """int (BINS,), answers whose probability lies between two edges."""
    probability: np.ndarray
    """(BINS,), their mean probability; nan where there are none."""
    accuracy: np.ndarray
    """(BINS,), the share of them that was right; nan where there are none."""

    @property
    def error(self) -> float:
        """The expected calibration error, 0 to 1: the mean gap between probability and accuracy, each part weighted by
        its answers (Guo et al., equation 3)."""
        gaps = np.abs(np.nan_to_num(self.probability) - np.nan_to_num(self.accuracy))
        return float((gaps * self.counts).sum() / self.counts.sum())


def reliability(probabilities: np.ndarray, right: np.ndarray) -> Reliability:
    """From the probabilities of the predicted classes, (N,), and whether each prediction was right, bool (N,).

    Raises ExplorerError where there is no answer to judge by.
    """
    if not len(probabilities):
        raise ExplorerError("There are no answers to judge the network by; choose a data set with pictures.")
    edges = np.linspace(0, 1, BINS + 1)
    places = np.clip(np.ceil(probabilities * BINS).astype(int) - 1, 0, BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    with np.errstate(invalid="ignore"):  # 0 / 0 is nan, as promised
        probability = np.bincount(places, weights=probabilities, minlength=BINS) / counts
        accuracy = np.bincount(places, weights=right, minlength=BINS) / counts
    return Reliability(edges, counts, probability, accuracy)


def answers(network: Network, gallery: Gallery, rows: np.ndarray) -> Iterator[torch.Tensor]:
    """The logits for pictures of a gallery, a batch at a time: float32 (n, K), on the CPU. Between two batches nothing
    of it is on the network or the thread."""
    for start in range(0, len(rows), BATCH):
        with torch.no_grad(), evaluating(network.model):
            found = network.model(numbers(network, gallery, rows[start : start + BATCH])).float().cpu()
        yield found


def fit_temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The number by which to divide logits (N, K) so that the true classes `labels` (N,) become most probable together:
    the least negative log-likelihood. Above 1 the network was too sure of itself. It changes no prediction.

    The likelihood's slope by the inverse temperature rises steadily, so its zero is found by halving. Where there is
    none (every answer right, say) the nearest bound is given, `COLDEST` or `HOTTEST`.
    """
    logits = logits.double()
    true = logits.gather(1, labels[:, None]).squeeze(1)
    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        expected = ((logits * middle).softmax(dim=1) * logits).sum(dim=1)
        if float((expected - true).mean()) > 0:
            high = middle
        else:
            low = middle
    return (low * high) ** -0.5
