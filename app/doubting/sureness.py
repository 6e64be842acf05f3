"""How far a network's probabilities can be believed, measured once and remembered: for the page How sure is it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from PIL import Image

from alexnet_core.errors import ExplorerError
from alexnet_core.insight import calibration, certainty
from alexnet_core.insight.calibration import Reliability
from alexnet_core.insight.certainty import Spread
from alexnet_core.insight.distortions import probabilities
from alexnet_core.insight.gallery import Gallery, evenly
from alexnet_core.runs.directory import RunDirectory
from app import session
from app.gallery import galleries
from app.session import IMAGENET, Picture, SharedNetwork
from app.store import Store

PICTURES = 1000
"""Of each split: the calibration error is then known to about a percentage point."""
STRANGE_SAMPLES = {"waves": "A test pattern", "china": "A Chinese palace", "flower": "A dahlia"}
"""Samples that show a test pattern, and photographs of what most networks here have no class for."""

Progress = Callable[[float], object]


@st.cache_resource
def _kept() -> Store:
    """Small tables of numbers, and a few pictures."""
    return Store(100)


# -- the present picture -------------------------------------------------------------------------------------------


def alone(shared: SharedNetwork, picture: Picture) -> np.ndarray:
    """The probabilities of all classes, asked once: float32 (K,)."""
    return _asked(shared, (shared.network.preprocessing.crop(picture.image),), ("alone", picture.key))[0]


def crops(shared: SharedNetwork, picture: Picture) -> tuple[np.ndarray, Spread]:
    """The crops, uint8 (10, S, S, 3), and the answers to them; five of a network that has learned from no mirrored
    pictures, such as digits, for which a mirror image is another thing."""

    def compute() -> tuple[np.ndarray, Spread]:
        cut = certainty.crops(shared.network, picture.image, _mirrors(shared.choice))
        with shared.lock:
            return cut, Spread(probabilities(shared.network, cut))

    return _kept().get((shared.key, picture.key, "crops"), compute)


def _mirrors(choice: str) -> bool:
    """Whether a network has learned that a picture stays what it is when mirrored."""
    if not choice or choice.startswith(IMAGENET):
        return True
    try:
        return RunDirectory.find(choice).config().settings.reflect
    except ExplorerError:  # gone meanwhile; the network is still in memory
        return True


def samples(shared: SharedNetwork, picture: Picture) -> Spread | None:
    """The answers with units switched off at random; None for a network without dropout."""
    if not certainty.dropout_layers(shared.network.model):
        return None

    def compute() -> Spread:
        with shared.lock:
            return certainty.dropout_spread(shared.network, picture.image)

    return _kept().get((shared.key, picture.key, "dropout"), compute)


# -- pictures of none of the classes -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Strange:
    """A picture that shows none of the classes, and what is said about it all the same."""

    title: str
    picture: Image.Image
    answer: str
    probability: float


def strange(shared: SharedNetwork) -> list[Strange]:
    """Noise, an even grey, a chessboard; then samples of things that hardly any network here has a class for."""
    preprocessing = shared.network.preprocessing
    shown = certainty.strangers(preprocessing.size) | {
        title: preprocessing.crop(session.sample(name).image) for name, title in STRANGE_SAMPLES.items()
    }
    answers = _asked(shared, tuple(shown.values()), ("strange",))
    return [
        Strange(title, picture, shared.network.classes[int(row.argmax())], float(row.max()))
        for (title, picture), row in zip(shown.items(), answers, strict=True)
    ]


def _asked(shared: SharedNetwork, squares: tuple[Image.Image, ...], key: tuple[str, ...]) -> np.ndarray:
    def compute() -> np.ndarray:
        with shared.lock:
            return probabilities(shared.network, np.stack([np.asarray(square) for square in squares]))

    return _kept().get((shared.key, *key), compute)


# -- many pictures -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recorded:
    """What a run itself wrote down at its end."""

    reliability: Reliability
    split: str
    count: int
    views: str
    """How often each picture was looked at: one, mirrored or ten."""


def recorded(choice: str) -> Recorded | None:
    """The reliability of the answers in a run's evaluation; None for networks that are no run, or were not tested."""
    if choice.startswith(IMAGENET):
        return None
    try:
        run = RunDirectory.find(choice)
        evaluation, views = run.evaluation(), run.config().settings.views
    except ExplorerError:  # gone meanwhile; the network is still in memory
        return None
    if evaluation is None or not len(evaluation.labels):
        return None
    found = calibration.reliability(evaluation.probabilities, evaluation.labels == evaluation.predictions)
    return Recorded(found, evaluation.split, len(evaluation.labels), views)


@dataclass(frozen=True)
class Calibration:
    """A temperature and what it mends."""

    temperature: float
    before: Reliability
    after: Reliability
    fitted_on: str
    judged_on: str
    """In words, with how many pictures."""


def splits(shared: SharedNetwork, choice: str) -> tuple[Gallery, Gallery | None] | None:
    """Where to fit and where to judge: validation and test pictures; without a second split (None) two halves of one;
    None where no pictures with classes are here."""
    found = galleries(choice, shared.network)
    unseen = [found[split] for split in ("val", "test") if split in found]
    if not unseen:
        return None
    return unseen[0], unseen[1] if len(unseen) > 1 else None


def fitted(shared: SharedNetwork, fit: Gallery, judge: Gallery | None, progress: Progress) -> Calibration:
    """The temperature of the least negative log-likelihood on pictures of `fit`, judged on others."""

    def compute() -> Calibration:
        if judge is not None:
            first = _answers(shared, fit, evenly(len(fit), PICTURES), lambda share: progress(share / 2))
            second = _answers(shared, judge, evenly(len(judge), PICTURES), lambda share: progress((1 + share) / 2))
            places = f"{len(first[1]):,} of {fit.title}", f"{len(second[1]):,} of {judge.title}"
        else:
            rows = evenly(len(fit), 2 * PICTURES)
            logits, labels = _answers(shared, fit, rows, progress)
            first, second = (logits[::2], labels[::2]), (logits[1::2], labels[1::2])
            places = f"{len(first[1]):,} of {fit.title}", f"{len(second[1]):,} others of {fit.title}"
        temperature = calibration.fit_temperature(*first)
        return Calibration(temperature, _judged(*second, 1.0), _judged(*second, temperature), *places)

    return _kept().get((shared.key, "calibration", fit.key, judge.key if judge else None), compute)


def _answers(
    shared: SharedNetwork, gallery: Gallery, rows: np.ndarray, progress: Progress
) -> tuple[torch.Tensor, torch.Tensor]:
    """The logits and the true classes. What was answered for a page that was left, or interrupted by a click, is kept:
    the next one who asks goes on from there."""
    found: list[torch.Tensor] = _kept().get((shared.key, gallery.key, len(rows), "answers until now"), list)
    batches = calibration.answers(shared.network, gallery, rows[sum(map(len, found)) :])
    while (count := sum(map(len, found))) < len(rows):
        progress(count / len(rows))
        with shared.lock:  # a batch at a time: others may ask in between
            found.append(next(batches))
    assert gallery.labels is not None
    return torch.cat(found), torch.from_numpy(gallery.labels[rows])


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (K,) as they are when the logits are divided by `temperature`."""
    logits = torch.from_numpy(probabilities).double().clamp(min=torch.finfo(torch.float64).tiny).log()
    return (logits / temperature).softmax(dim=0).numpy()


def _judged(logits: torch.Tensor, labels: torch.Tensor, temperature: float) -> Reliability:
    probability, predicted = (logits / temperature).softmax(dim=1).max(dim=1)
    return calibration.reliability(probability.numpy(), (predicted == labels).numpy())
