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
    question = _of_runner_up(asked)
    both = answers.known(asked), answers.known(question)
    return None if None in both else _beside(asked, answers.explained(question))


def explaining(asked: Asked) -> Explain:
    """The question, to be asked about other networks and other pictures."""
    references = asked.references
    return lambda network, picture: attribute(
        network,
        picture,
        asked.method,
        asked.target,
        against=asked.against,
        settings=dict(asked.settings),
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
            return deletion.curves(
                asked.shared.network, asked.picture.image, asked.target, deletion.order_of(explained)
            )

    return _kept().get(("curves", *asked.key), compute)


def chance_curves(asked: Asked, progress: Progress) -> list[Curves]:
    """The same in random orders: what any map should beat."""

    def compute() -> list[Curves]:
        found = []
        for seed in range(RANDOM_ORDERS):
            order = deletion.random_order(asked.shared.network.preprocessing.size, seed)
            with asked.shared.lock:
                found.append(deletion.curves(asked.shared.network, asked.picture.image, asked.target, order))
            progress(len(found) / RANDOM_ORDERS)
        return found

    return _kept().get(_chance_key(asked), compute)


def _chance_key(asked: Asked) -> tuple[Hashable, ...]:
    return "chance", asked.shared.key, asked.picture.key, asked.target


def rivals(asked: Asked) -> list[str]:
    """The other methods that answer at once on this network."""
    return [
        name
        for name, method in ATTRIBUTIONS.items()
        if name != asked.method and not method.slow and answers.why_not(asked.shared, name) is None
    ]


def rival_curves(asked: Asked, progress: Progress) -> dict[str, Curves]:
    """The curves of the other quick methods, by their names."""
    found: dict[str, Curves] = {}
    names = rivals(asked)
    for name in names:
        found[name] = own_curves(replace(asked, method=name, settings=()))
        progress(len(found) / len(names))
    return found


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

    explained: Attribution
    correlation: float | None
    """Rank correlation of the maps as they are drawn, signs included."""


def runner_up(asked: Asked) -> Beside:
    """The map of the most probable class that is not the target."""
    return _beside(asked, answers.explained(_of_runner_up(asked)))


def _of_runner_up(asked: Asked) -> Asked:
    other = next(one.index for one in answers.top(asked.shared, asked.picture) if one.index != asked.target)
    return replace(asked, target=other, against=None)


def _beside(asked: Asked, other: Attribution) -> Beside:
    return Beside(other, rank_correlation(as_drawn(answers.explained(asked)), as_drawn(other)))


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
    """The map of the network that learned from shuffled labels, for the class of the same name."""
    shared = load(run.id)
    target = shared.network.classes.index(asked.shared.network.classes[asked.target])
    return _beside(asked, answers.explained(replace(asked, shared=shared, target=target, against=None)))


def own_map(asked: Asked) -> Attribution:
    """The map that is judged."""
    return answers.explained(asked)


def drawn(asked: Asked, explained: Attribution) -> Image.Image:
    """A map over the picture, each on its own scale."""
    return answers.laid_over(asked.shared, asked.picture, explained, 0.8)


def areas(curves: Sequence[Curves]) -> tuple[np.ndarray, np.ndarray]:
    """The areas under the deletion and the insertion curves."""
    return np.array([one.deletion.area for one in curves]), np.array([one.insertion.area for one in curves])
