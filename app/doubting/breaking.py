"""What a network says about pictures that were made worse, remembered: for the page Break it."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from PIL import Image

from alexnet_core.insight import adversarial, colours, distortions
from alexnet_core.insight.adversarial import EPSILONS, Adversary, Attack
from alexnet_core.insight.attribution import ATTRIBUTIONS, Attribution, attribute
from alexnet_core.insight.distortions import Box, find_distortion
from alexnet_core.insight.gallery import Gallery, evenly
from app.answers import SHOWN_SIDE
from app.figures.mosaic import enlarged
from app.gallery import galleries
from app.session import Picture, SharedNetwork
from app.store import Store

PICTURES = 200
"""Of a data set, on which accuracy against strength is measured at first: known to 3.5 percentage points (one standard
deviation, at 50 %)."""
AT_ONCE = 50
"""Of them, changed and asked about at all strengths before the next ones: what a click on the page interrupts goes on
after the last so many."""

Progress = Callable[[float], object]


@st.cache_resource
def _kept() -> Store:
    """A series of eleven pictures takes up to 2 MB at 224 pixels, one of attacked pictures 5 MB."""
    return Store(20)


@st.cache_resource
def _measured() -> Store:
    """A few numbers each, which took seconds or minutes: apart, for a look at forty pictures would push them out."""
    return Store(200)


@dataclass(frozen=True)
class Series:
    """One picture at every level of a distortion."""

    squares: np.ndarray
    """uint8 (L, S, S, 3)."""
    probabilities: np.ndarray
    """float32 (L, K)."""


def seen(shared: SharedNetwork, picture: Picture) -> np.ndarray:
    """The square that the network looks at, uint8 (S, S, 3)."""
    return np.asarray(shared.network.preprocessing.crop(picture.image))


def series(shared: SharedNetwork, picture: Picture, name: str, box: Box) -> Series:
    """The picture at every level of the distortion called `name`, and the answers, in one batch."""

    def compute() -> Series:
        squares = distortions.series(seen(shared, picture), name, box)
        with shared.lock:
            return Series(squares, distortions.probabilities(shared.network, squares))

    return _kept().get((shared.key, picture.key, "series", name, box), compute)


def labelled(shared: SharedNetwork, choice: str) -> Gallery | None:
    """Pictures with classes that the network has not learned from, where they are on this computer."""
    found = galleries(choice, shared.network)
    return next((found[split] for split in ("test", "val") if split in found), None)


def accuracies(
    shared: SharedNetwork, gallery: Gallery, name: str, box: Box, progress: Progress, most: int = PICTURES
) -> list[float]:
    """The share of right answers at every level, over `most` pictures spread evenly over the gallery."""

    def parts(squares: np.ndarray, labels: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        return enumerate(distortions.right_answers(shared.network, squares, labels, name, box))

    levels = len(find_distortion(name).levels)
    key = (shared.key, gallery.key, "accuracies", name, box, most)
    return _measured().get(key, lambda: _shares(shared, gallery, key, most, levels, parts, progress))


def attacked_accuracies(
    shared: SharedNetwork, gallery: Gallery, kind: Attack, progress: Progress, most: int = PICTURES
) -> list[float]:
    """The share of right answers when each picture is attacked, away from its own class, within each of the bounds
    `EPSILONS`; over `most` pictures spread evenly over the gallery."""

    def parts(squares: np.ndarray, labels: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        return adversarial.right_answers(shared.network, squares, labels, kind)

    key = (shared.key, gallery.key, "attacked", kind, most)
    return _measured().get(key, lambda: _shares(shared, gallery, key, most, len(EPSILONS), parts, progress))


@dataclass
class _Count:
    """How far a measurement has come."""

    right: np.ndarray
    """float (L,): right answers at each level."""
    done: int = 0
    """Pictures."""


def _shares(
    shared: SharedNetwork,
    gallery: Gallery,
    key: tuple[Hashable, ...],
    most: int,
    levels: int,
    parts: Callable[[np.ndarray, np.ndarray], Iterator[tuple[int, np.ndarray]]],
    progress: Progress,
) -> list[float]:
    """How many are right at each level. `parts` gives, of squares and their labels, (level, which are right) in pieces.
    What was counted for a page that was left is kept under `key`: the next one who asks goes on from there."""
    rows = evenly(len(gallery), most)
    assert gallery.labels is not None
    count: _Count = _measured().get((*key, "until now"), lambda: _Count(np.zeros(levels)))
    progress(count.done / len(rows))
    while count.done < len(rows):
        some = rows[count.done : count.done + AT_ONCE]
        pieces = parts(gallery.images[some], gallery.labels[some])
        right, left = np.zeros(levels), levels * len(some)
        while left:
            with shared.lock:  # a piece at a time: others may ask in between
                level, answers = next(pieces)
            right[level] += answers.sum()
            left -= len(answers)
            progress((count.done + len(some) - left / levels) / len(rows))
        count.right += right
        count.done += len(some)
    return (count.right / len(rows)).tolist()


def attacks(
    shared: SharedNetwork, picture: Picture, kind: Attack, target: int | None, progress: Progress
) -> list[Adversary]:
    """The picture attacked within each of the bounds `EPSILONS`."""

    def compute() -> list[Adversary]:
        pixels, found = seen(shared, picture), []
        for place, epsilon in enumerate(EPSILONS):
            with shared.lock:
                found.append(adversarial.attack(shared.network, pixels, kind, epsilon, target))
            progress((place + 1) / len(EPSILONS))
        return found

    return _kept().get((shared.key, picture.key, kind, target), compute)


def explained(
    shared: SharedNetwork, pixels: np.ndarray, key: tuple[object, ...], method: str, target: int
) -> Attribution:
    """The map of the square `pixels`, uint8 (S, S, 3), which is known under `key`."""

    def compute() -> Attribution:
        preprocessing = shared.network.preprocessing
        # The square is all there is: nothing may be cut from it.
        whole = replace(shared.network, preprocessing=replace(preprocessing, resize=preprocessing.size))
        with shared.lock:
            return attribute(whole, Image.fromarray(pixels), method, target)

    return _kept().get((shared.key, "map", method, target, *key), compute)


def shown(pixels: np.ndarray) -> Image.Image:
    """A square for the screen, each pixel a visible square where there are few."""
    return enlarged(pixels, max(1, round(SHOWN_SIDE / len(pixels))))


def laid_over(pixels: np.ndarray, answer: Attribution) -> Image.Image:
    """A map in colour over its square."""
    return colours.draw(shown(pixels), answer.values, ATTRIBUTIONS[answer.method].signed)


def change_shown(adversary: Adversary) -> tuple[Image.Image, int]:
    """What was added to the pixels, on middle grey, and how many times it was enlarged to be seen."""
    factor = adversarial.amplification(adversary.change)
    return shown(adversarial.amplified(adversary.change, factor)), factor


def whole_file(shared: SharedNetwork, square: np.ndarray) -> Image.Image:
    """A changed square, uint8 (S, S, 3), so that this program, given the file, looks at the very same one."""
    return adversarial.as_file(shared.network.preprocessing, square)
