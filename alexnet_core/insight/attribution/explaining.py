"""Asking a method of the table: `attribute` computes one map, `refine_occlusion` one that grows."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.attribution.occlusion import refined
from alexnet_core.insight.attribution.table import ATTRIBUTIONS
from alexnet_core.insight.attribution.task import Facts, Method, Progress, Task, Value
from alexnet_core.insight.hooks import evaluating
from alexnet_core.insight.prediction import logits
from alexnet_core.models import Network


@dataclass(frozen=True)
class Attribution:
    """A map in the coordinates of the preprocessed picture."""

    method: str
    target: int
    target_name: str
    values: np.ndarray
    """float32 (3, S, S), one value a colour value, or (1, S, S), one a pixel. Units: logits per normalised colour step
    for gradients, their squares for squared gradients and variances, logits for contributions and perturbations,
    Grad-CAM's own for Grad-CAM."""
    facts: Facts = field(default_factory=dict)
    """`seconds`, and by method `convergence_delta`, `layer`, `window`, ..."""
    against: int | None = None
    """The second class, whose logit is taken off; None where there is none."""
    against_name: str | None = None
    settings: dict[str, Value | None] = field(default_factory=dict)
    """All settings of the method, with their defaults."""


def attribute(
    network: Network,
    picture: Image.Image,
    method: str,
    target: int | None = None,
    progress: Progress | None = None,
    *,
    against: int | None = None,
    settings: Mapping[str, Value | None] | None = None,
    references: np.ndarray | None = None,
) -> Attribution:
    """Explain by `method` what speaks for the class `target` in `picture`; without one, for the class predicted.

    `against` names a second class: then the difference of the two logits is explained. `settings` are the method's own,
    by name; what is not named takes its default. `references`, uint8 (n, S, S, 3), are pictures of the data set at the
    network's size, for methods that compare with many; without them these use the picture's own pixels in random order.

    Leaves no hook, gradient or changed mode on the network, also when it fails. Not safe for two threads at once on
    one network: hold its lock. Raises ExplorerError for an unknown method, class or setting, a setting out of bounds, a
    method that cannot work on this network, and a map that is not finite.
    """
    entry = find_method(method)
    with _asked(network, picture, entry, target, progress, against, settings, references) as task:
        started = time.perf_counter()
        values, facts = entry.compute(task)
        facts["seconds"] = time.perf_counter() - started
        return _attribution(method, entry, task, values, facts)


def refine_occlusion(
    network: Network,
    picture: Image.Image,
    target: int | None = None,
    progress: Progress | None = None,
    *,
    against: int | None = None,
    settings: Mapping[str, Value | None] | None = None,
) -> Iterator[Attribution]:
    """The occlusion map from coarse to whole: a sixteenth of the windows, a quarter, all. The last one is what
    `attribute` gives. The network's lock has to be held until the iterator ends or is closed. Raises as `attribute`."""
    entry = find_method("occlusion")
    with _asked(network, picture, entry, target, progress, against, settings, None) as task:
        started = time.perf_counter()
        for values, facts in refined(task):
            yield _attribution("occlusion", entry, task, values, facts | {"seconds": time.perf_counter() - started})


def why_not(network: Network, method: str) -> str | None:
    """One sentence on why `method` cannot work on `network`; None where it can.

    The first question about a network runs it once: hold its lock. Raises ExplorerError for an unknown method.
    """
    return find_method(method).obstacle(network)


def find_method(name: str) -> Method:
    """The method called `name`. Raises ExplorerError, naming the ones there are."""
    if name not in ATTRIBUTIONS:
        raise ExplorerError(f"There is no method called {name!r:.80}. Choose one of: {', '.join(ATTRIBUTIONS)}.")
    return ATTRIBUTIONS[name]


def chosen_settings(
    network: Network, method: str, settings: Mapping[str, Value | None] | None
) -> dict[str, Value | None]:
    """All settings of `method`: the given ones, checked, and the defaults of the others.

    Raises ExplorerError for a setting that the method does not have, and for a value it cannot take.
    """
    entry, given = find_method(method), dict(settings or {})
    names = [setting.name for setting in entry.settings]
    unknown = [name for name in given if name not in names]
    if unknown:
        has = f"Its settings are: {', '.join(names)}." if names else "It has none."
        raise ExplorerError(f"{entry.title} has no setting called {unknown[0]!r:.80}. {has}")
    return {
        setting.name: setting.checked(network, given.get(setting.name, setting.default)) for setting in entry.settings
    }


@contextmanager
def _asked(
    network: Network,
    picture: Image.Image,
    entry: Method,
    target: int | None,
    progress: Progress | None,
    against: int | None,
    settings: Mapping[str, Value | None] | None,
    references: np.ndarray | None,
) -> Iterator[Task]:
    """The task, checked, with the network in eval mode while the block runs."""
    name = next(name for name, known in ATTRIBUTIONS.items() if known is entry)
    for number in (target, against):
        if number is not None and not 0 <= number < len(network.classes):
            raise ExplorerError(f"There is no class number {number}; this network has 0 to {len(network.classes) - 1}.")
    obstacle = entry.obstacle(network)
    if obstacle is not None:
        raise ExplorerError(obstacle)
    chosen = chosen_settings(network, name, settings)
    if target is None:
        target = int(logits(network, [picture]).argmax())
    if target == against:
        raise ExplorerError(
            f"The class {network.classes[target]!r:.80} cannot be set against itself; choose another second class."
        )
    device = next(network.model.parameters()).device
    image = network.preprocessing.tensor(picture).to(device)
    compared = None if references is None else _fitting(network, references)
    with evaluating(network.model):
        yield Task(network, image, target, progress or _unheard, against, chosen, compared)


def _fitting(network: Network, references: np.ndarray) -> torch.Tensor:
    size = network.preprocessing.size
    if references.shape[1:] != (size, size, 3) or references.dtype != np.uint8:
        raise ExplorerError(
            f"The pictures to compare with must have the network's size of {size} pixels; choose another data set."
        )
    return torch.from_numpy(np.array(references))


def _attribution(method: str, entry: Method, task: Task, values: torch.Tensor, facts: Facts) -> Attribution:
    if not bool(torch.isfinite(values).all()):
        raise ExplorerError(
            f"The {entry.title} map holds values that are not numbers: the network's answers grow beyond what can be "
            "computed. Choose another network."
        )
    classes = task.network.classes
    return Attribution(
        method,
        task.target,
        classes[task.target],
        values[0].detach().float().cpu().numpy(),
        facts,
        task.against,
        None if task.against is None else classes[task.against],
        task.settings,
    )


def _unheard(share: float) -> None:
    """Progress that nobody listens to."""
