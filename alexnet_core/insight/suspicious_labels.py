"""Which labels of a data set a trained network doubts: confident learning.

After Northcutt, Jiang, Chuang 2021, "Confident learning: estimating uncertainty in dataset labels", JAIR 70. A network
is not equally sure of all classes, so the probability of another class is held against what the pictures of that class
usually get. What is found is suspicious, not wrong: a rare view is doubted like a wrong label.

A network that has learned its pictures by heart has learned their wrong labels, too, and its own answers no longer
doubt them. So the answers are those of a linear classifier on its last hidden layer that has learned from all other
pictures but the one it judges. For least squares that takes no more than one fit (Cook 1977).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.gallery import Gallery, evenly, numbers
from alexnet_core.insight.neighbours import BATCH, SAMPLE, axes, depths, features
from alexnet_core.models import Network

NUMBERS = 256
"""Kept of the last hidden layer: coordinates along the directions in which the pictures differ most."""
RIDGE = 0.01
"""How strongly the classifier's weights are pulled towards zero; from 0.001 to 0.1 as many flipped labels are found."""
SHARPEST, STEPS = 60.0, 40
"""The largest factor for the scores on their way to probabilities, and how many are tried, evenly in the logarithm."""


@dataclass(frozen=True)
class Suspect:
    """A picture whose label is doubted."""

    row: int
    label: int
    """The class that it is said to show."""
    likely: int
    """The class that the network finds more likely, for what it usually gives the two."""
    probability: float
    """Of the likely class; `of_label` of the label's."""
    of_label: float


@dataclass(frozen=True)
class Looking:
    """How far the pictures have passed the network."""

    done: int
    total: int
    features: np.ndarray | None = None
    """At the end: float32 (N, d), what the last hidden layer holds of each."""


def looking(network: Network, gallery: Gallery) -> Iterator[Looking]:
    """Let all pictures pass the network to its last hidden layer, and say how far they are.

    Between two reports nothing is left of it on the network: hold its lock for each step alone, and stop at any of
    them. Raises ExplorerError for an empty gallery and for features that are not finite.
    """
    if not len(gallery):
        raise ExplorerError("There are no pictures to look through; choose others.")
    last = depths(network)[-1:]
    directions = axes(features(network, numbers(network, gallery, evenly(len(gallery), SAMPLE)), last)[0], NUMBERS)
    found = []
    for first in range(0, len(gallery), BATCH):
        rows = slice(first, min(first + BATCH, len(gallery)))
        found.append(directions.coordinates(features(network, numbers(network, gallery, rows), last)[0]).numpy())
        yield Looking(rows.stop, len(gallery))
    yield Looking(len(gallery), len(gallery), np.concatenate(found))


def held_out(values: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """The probabilities of all classes for each picture, float (N, classes), by a linear classifier that has learned
    from all the others: ridge regression on features (N, d), left one out in closed form.

    Its scores become probabilities by the one factor that makes the labels most likely.
    """
    centred = values.astype(np.float64) - values.mean(axis=0)
    centred /= max(float(centred.std()), 1e-12)
    inputs = np.concatenate([centred, np.ones((len(values), 1))], axis=1)
    targets = np.eye(classes)[labels]
    normal = inputs.T @ inputs + RIDGE * len(inputs) * np.eye(inputs.shape[1])
    inverse = np.linalg.solve(normal, inputs.T)  # (d + 1, N)
    influence = np.einsum("nd,dn->n", inputs, inverse)  # of each picture on its own answer, 0 to 1
    misses = (targets - inputs @ (inverse @ targets)) / np.maximum(1 - influence, 1e-9)[:, None]
    scores = targets - misses
    tried = (_softmax(factor * scores) for factor in np.geomspace(1.0, SHARPEST, STEPS))
    return max(tried, key=lambda found: float(np.log(found[np.arange(len(labels)), labels] + 1e-12).mean()))


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def usual(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What each class's own pictures get on average, float (K,): the thresholds of Northcutt et al., equation 2. A
    class without pictures has 1, which nothing reaches."""
    own = probabilities[np.arange(len(labels)), labels]
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    sums = np.bincount(labels, weights=own, minlength=probabilities.shape[1])
    return np.divide(sums, counts, out=np.ones(len(counts)), where=counts > 0)


def suspects(probabilities: np.ndarray, labels: np.ndarray) -> list[Suspect]:
    """The pictures whose label is doubted, the most suspicious first.

    `probabilities` are float (N, K), `labels` int (N,). A picture counts for the class whose threshold it reaches, of
    several for the most probable one (the confident joint of Northcutt et al., section 3.1), and where it reaches none
    for the most probable class of all; where that is not its label, it is a suspect. They are ordered by how far the
    likely class lies above its threshold and the label below its own.

    Of 67 labels flipped among 1,349 digits the joint alone found 51 with an `alexnet_mini` trained for 8 passes and 31
    after 22; with the second rule it was all 67, and 63, and no other label in either.
    """
    thresholds = usual(probabilities, labels)
    rows = np.arange(len(labels))
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    likely = np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), probabilities.argmax(axis=1))
    doubted = likely != labels
    above = probabilities - thresholds
    margin = above[rows, labels] - above[rows, likely]
    order = np.argsort(margin, kind="stable")
    return [
        Suspect(
            int(row),
            int(labels[row]),
            int(likely[row]),
            float(probabilities[row, likely[row]]),
            float(probabilities[row, labels[row]]),
        )
        for row in order[doubted[order]]
    ]
