"""What tells how far to believe one map, computed once and remembered: for the honesty panel."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from alexnet_core.errors import ExplorerError
from alexnet_core.insight import deletion, faithfulness, scrambling
from alexnet_core.insight.attribution import ATTRIBUTIONS, Attribution, attribute
from alexnet_core.insight.deletion import Curves
from alexnet_core.insight.faithfulness import Infidelity
from alexnet_core.insight.likeness import as_drawn, rank_correlation
from alexnet_core.insight.scrambling import Explain, Step
from alexnet_core.models import Network
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.listing import list_runs
from app import answers
from app.answers import Asked
from app.figures.mosaic import mosaic
from app.session import SharedNetwork, load
from app.store import Store
from app.waiting import FairLock

RANDOM_ORDERS = 5
"""Enough to see how much luck an order can have; each costs as much as a map's own curves."""

Progress = Callable[[float], object]


@st.cache_resource
def _kept() -> Store:
    """Nine maps of 0.6 MB each at most."""
    return Store(40)


@st.cache_resource
def _one_copy() -> FairLock:
    """A scrambled copy of a large network takes 250 MB: only one at a time."""
    return FairLock()


def known(test: str, asked: Asked) -> Any:
    """What “scrambled”, “curves”, “infidelity” or “sensitivity” found, if it was asked for; else None."""
    return _kept().known((test, *asked.key))


def known_chance(asked: Asked) -> list[Curves] | None:
    """The random orders' curves, if they were asked for."""
    return _kept().known(_chance_key(asked))


def known_runner_up(asked: Asked) -> "Beside | None":
    """The runner-up's map beside this one, where both were computed."""
    return _known_beside(asked, _of_runner_up(asked))


def known_shuffled(asked: Asked) -> "Beside | None":
    """The map of the network that learned from shuffled labels beside this one, where both were computed."""
    run = shuffled_run(asked.shared)
    return None if run is None else _known_beside(asked, _of_shuffled(asked, run))


def explaining(asked: Asked) -> Explain:
    """The question, to be asked again and again about other networks and other pictures."""
    references = asked.references
    return lambda network, picture: attribute(
        network,
        picture,
        asked.method,
        asked.target,
        against=asked.against,
        settings=dict(asked.settings) | ATTRIBUTIONS[asked.method].again,
        references=references,
    )


def scrambled(asked: Asked, progress: Progress, waiting: Callable[[], object]) -> list[Step]:
    """The map while the network is scrambled from the top down. `waiting` is told now and then while others are before
    this one."""

    def compute() -> list[Step]:
        network = asked.shared.network
        total = len(scrambling.steps_from_the_top(network.model)) + 1
        # Telling is where a page that was left goes away; others may scramble for a minute.
        with _one_copy().turn(lambda before: waiting()):
            with asked.shared.lock:
                steps = scrambling.cascade(network, asked.picture.image, explaining(asked))
            found = []
            for step in steps:  # on a copy: the shared network is free meanwhile
                found.append(step)
                progress(len(found) / total)
        return found

    return _kept().get(("scrambled", *asked.key), compute, waiting)


def own_curves(asked: Asked) -> Curves:
    """Deletion and insertion in the order of the map."""
    explained = answers.explained(asked)

    def compute() -> Curves:
        with asked.shared.lock:
            return _curves(asked, deletion.order_of(explained))

    return _kept().get(("curves", *asked.key), compute)


def chance_curves(asked: Asked, progress: Progress) -> list[Curves]:
    """The same in random orders: what any map should beat."""

    def compute() -> list[Curves]:
        found = []
        for seed in range(RANDOM_ORDERS):
            order = deletion.random_order(asked.shared.network.preprocessing.size, seed)
            with asked.shared.lock:
                found.append(_curves(asked, order))
            progress(len(found) / RANDOM_ORDERS)
        return found

    return _kept().get(_chance_key(asked), compute)


def _curves(asked: Asked, order: np.ndarray) -> Curves:
    return deletion.curves(asked.shared.network, asked.picture.image, asked.target, order, asked.against)


def _chance_key(asked: Asked) -> tuple[Hashable, ...]:
    return "chance", asked.shared.key, asked.picture.key, asked.target, asked.against


def rivals(asked: Asked) -> list[str]:
    """The other methods that answer at once on this network, and the slow ones that have answered already."""

    def at_once(name: str) -> bool:
        return not ATTRIBUTIONS[name].slow or answers.known(_by(name, asked)) is not None

    others = (name for name in ATTRIBUTIONS if name != asked.method and answers.why_not(asked.shared, name) is None)
    return [name for name in others if at_once(name)]


def rival_curves(asked: Asked, progress: Progress) -> dict[str, Curves]:
    """The curves of the `rivals`, by their names."""
    found: dict[str, Curves] = {}
    names = rivals(asked)
    for name in names:
        found[name] = own_curves(_by(name, asked))
        progress(len(found) / len(names))
    return found


def _by(method: str, asked: Asked) -> Asked:
    """The same question to another method, with its usual settings."""
    return replace(asked, method=method, settings=())


def infidelity(asked: Asked) -> Infidelity | None:
    """How badly the map foretells what hiding does to the number that it explains."""
    explained = answers.explained(asked)

    def compute() -> Infidelity | None:
        with asked.shared.lock:
            return faithfulness.unfaithful(asked.shared.network, asked.picture.image, explained)

    return _kept().get(("infidelity", *asked.key), compute)


def sensitivity(asked: Asked) -> float:
    """The largest relative change of the map among pictures that nobody can tell apart."""

    def compute() -> float:
        question = explaining(asked)  # once: it may read two hundred pictures of the data set

        def explain(network: Network, picture: Image.Image) -> Attribution:
            with asked.shared.lock:  # a map at a time: others may ask in between
                return question(network, picture)

        return faithfulness.unsteady(asked.shared.network, asked.picture.image, explain)

    return _kept().get(("sensitivity", *asked.key), compute)


@dataclass(frozen=True)
class Beside:
    """Another map of the same picture, and how alike it is to the one that is judged."""

    asked: Asked
    explained: Attribution
    correlation: float | None
    """Rank correlation of the maps as they are drawn, signs included."""


def runner_up(asked: Asked) -> Beside | None:
    """The map of the most probable class that the question does not name, told apart from the same class if from any;
    None where there is no other class."""
    question = _of_runner_up(asked)
    return None if question is None else _beside(asked, question)


def _of_runner_up(asked: Asked) -> Asked | None:
    likely = (one.index for one in answers.top(asked.shared, asked.picture))
    other = next((index for index in likely if index not in (asked.target, asked.against)), None)
    return None if other is None else replace(asked, target=other)


def _beside(asked: Asked, question: Asked) -> Beside:
    own, other = answers.explained(asked), answers.explained(question)
    return Beside(question, other, rank_correlation(as_drawn(own), as_drawn(other)))


def _known_beside(asked: Asked, question: Asked | None) -> Beside | None:
    if question is None or answers.known(asked) is None or answers.known(question) is None:
        return None
    return _beside(asked, question)


def shuffled_run(shared: SharedNetwork) -> RunDirectory | None:
    """The newest run with shuffled labels that trained a network of the same kind, size and classes."""
    network = shared.network
    for run in list_runs():
        try:
            settings = run.config().settings
            if not settings.shuffle_labels or settings.model != network.name or not run.network_path.exists():
                continue
            other = load(run.id).network
        except ExplorerError:  # gone or damaged in this moment
            continue
        alike = other.preprocessing.size == network.preprocessing.size
        if alike and set(other.classes) == set(network.classes):
            return run
    return None


def of_shuffled(asked: Asked, run: RunDirectory) -> Beside:
    """The map of the network that learned from shuffled labels, for the classes of the same names."""
    return _beside(asked, _of_shuffled(asked, run))


def _of_shuffled(asked: Asked, run: RunDirectory) -> Asked:
    shared, names = load(run.id), asked.shared.network.classes
    target, against = (
        None if index is None else shared.network.classes.index(names[index]) for index in (asked.target, asked.against)
    )
    assert target is not None
    return replace(asked, shared=shared, target=target, against=against)


def own_map(asked: Asked) -> Attribution:
    """The map that is judged."""
    return answers.explained(asked)


def drawn(asked: Asked, explained: Attribution) -> Image.Image:
    """A map over the picture, each on its own scale."""
    return answers.laid_over(asked.shared, asked.picture, explained, 0.8)


def cascade_drawn(asked: Asked, steps: Sequence[Step]) -> Image.Image:
    """The map of the trained network and after each step of scrambling, in rows of five."""
    maps = [np.asarray(drawn(asked, step.explained).resize((TILE, TILE))) for step in steps]
    return mosaic(np.stack(maps), 5, TILE, step_names(steps))


def step_names(steps: Sequence[Step]) -> list[str]:
    """What the steps are called on the screen."""
    return ["trained", *(f"{place}" for place in range(1, len(steps)))]


TILE = 150
"""Pixels of a map in the rows of scrambled ones."""


def areas(curves: Sequence[Curves]) -> tuple[np.ndarray, np.ndarray]:
    """The areas under the deletion and the insertion curves."""
    return np.array([one.deletion.area for one in curves]), np.array([one.insertion.area for one in curves])
