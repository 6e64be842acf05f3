"""What a network can do without: units switched off, weakened or amplified, and what that does to each class.

Ablation of single units as in Morcos et al. 2018 (arXiv:1803.06959) and Zhou et al. 2018 (arXiv:1806.02891): the class
whose accuracy falls is the class that needed the unit. What others can do in its place shows nothing, though.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.gallery import Gallery, evenly, numbers
from alexnet_core.insight.hooks import evaluating
from alexnet_core.insight.stages import Stage, output_of, passed, place_of, stages
from alexnet_core.models import Network

FACTORS = (0.0, 3.0)
"""What a unit's output may be multiplied by: 0 switches it off, 3 is far beyond what the layers behind ever met."""
KEPT_BYTES = 128_000_000
"""What the activations before a lesion may take in memory; it decides how many pictures are looked at."""
AT_ONCE = 128
"""Pictures in one pass through the layers behind the lesion."""
CHANGED = 1e-7
"""A unit whose largest output is below this for all pictures changes nothing when it is switched off."""


@dataclass(frozen=True)
class Outcome:
    """How a network, whole or with a lesion, does on labelled pictures of K classes."""

    accuracy: np.ndarray
    """float32 (K,): the share of each class's pictures that are right; nan for a class without pictures."""
    probability: np.ndarray
    """float32 (K,): the mean probability of the true class. It moves before the accuracy does."""
    overall: float
    """The share of all pictures that are right."""


@dataclass(frozen=True)
class Need:
    """What happens to each class when one unit is switched off."""

    unit: int
    units: int
    """How many the layer has."""
    outcome: Outcome


@contextmanager
def lesioned(model: nn.Module, layer: str, factors: Mapping[int, float]) -> Iterator[nn.Module]:
    """`model` with the output of some units of `layer` multiplied by their factors while the block runs.

    The hook is gone when the block ends, also by an exception. Raises ExplorerError for a layer or a unit that does not
    exist and for a factor that is out of bounds.
    """
    layers = dict(model.named_modules())
    if layer not in layers or not layer:
        raise ExplorerError(f"The network has no layer called {layer!r:.80}; choose another.")

    def hook(module: nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
        return changed(output, factors)

    handle = layers[layer].register_forward_hook(hook)
    try:
        yield model
    finally:
        handle.remove()


def changed(output: torch.Tensor, factors: Mapping[int, float]) -> torch.Tensor:
    """A layer's output (N, C, H, W) or (N, C), units multiplied by their factors; a new tensor.

    Raises ExplorerError for a unit that does not exist and for a factor that is out of bounds.
    """
    scale = torch.ones(output.shape[1], device=output.device, dtype=output.dtype)
    for unit, factor in factors.items():
        if not 0 <= unit < len(scale):
            raise ExplorerError(f"There is no unit number {unit}; this layer has 0 to {len(scale) - 1}.")
        if not FACTORS[0] <= factor <= FACTORS[1]:
            raise ExplorerError(f"A unit can be multiplied by {FACTORS[0]:g} to {FACTORS[1]:g}, not by {factor:g}.")
        scale[unit] = factor
    return output * scale.view(1, -1, *[1] * (output.dim() - 2))


@dataclass(frozen=True)
class Patient:
    """A network on labelled pictures, computed up to the layer that is to be changed, so that a change is quick."""

    network: Network
    layer: str
    units: int
    kept: torch.Tensor
    """What goes into `behind`, of all pictures: the layer's own output, or the input of the block that it is in."""
    behind: tuple[Stage, ...]
    """What is computed anew for each change."""
    inside: str | None
    """The layer's name in the first stage of `behind`; None where `kept` is the layer's own output."""
    largest: np.ndarray
    """float32 (C,): the largest magnitude of each unit's output over all pictures."""
    labels: torch.Tensor
    """int64 (N,), on the CPU."""


def prepare(
    network: Network,
    gallery: Gallery,
    layer: str,
    most: int = 1000,
    lock: AbstractContextManager[object] | None = None,
) -> Patient:
    """Compute the pictures of `gallery`, `most` of them or as many as fit into KEPT_BYTES, up to `layer`.

    `lock`, that of a shared network, is held for a batch at a time: a thousand pictures take seconds, and others may
    ask in between. Raises ExplorerError for a layer that does not exist, and for a gallery without classes or pictures.
    """
    if gallery.labels is None or not len(gallery):
        raise ExplorerError("These pictures have no classes, so nothing can be right or wrong; choose a data set.")
    turn = nullcontext() if lock is None else lock
    one = numbers(network, gallery, slice(0, 1))
    with turn, torch.no_grad(), evaluating(network.model):
        row = stages(network)
        place = place_of(row, layer)
        own = row[place].name == layer
        first = place + 1 if own else place
        bytes_each = passed(row[:first], one).numel() * 4
        units = output_of(row, layer, one).shape[1]
    count = max(1, min(most, len(gallery), KEPT_BYTES // bytes_each))
    rows = evenly(len(gallery), count)
    kept, largest = [], torch.zeros(units, device=one.device)
    for start in range(0, count, AT_ONCE):
        images = numbers(network, gallery, rows[start : start + AT_ONCE])
        with turn, torch.no_grad(), evaluating(network.model):
            before = passed(row[:first], images)
            output = before if own else output_of([Stage(row[place].name, row[place].module)], layer, before)
            magnitude = output.float().abs()
        largest = torch.maximum(largest, magnitude.amax(dim=[0, *range(2, magnitude.dim())]))
        kept.append(before)
    inside = None if own else layer.removeprefix(f"{row[place].name}.")
    return Patient(
        network=network,
        layer=layer,
        units=units,
        kept=torch.cat(kept),
        behind=tuple(row[first:]),
        inside=inside,
        largest=largest.cpu().numpy(),
        labels=torch.from_numpy(gallery.labels[rows]),
    )


def outcome(patient: Patient, factors: Mapping[int, float] | None = None) -> Outcome:
    """How the network does with these factors on its units; without any, whole.

    Raises ExplorerError for a unit or a factor that is not possible.
    """
    wished = factors or {}
    answers = []
    with torch.no_grad(), evaluating(patient.network.model):
        for start in range(0, len(patient.kept), AT_ONCE):
            part = patient.kept[start : start + AT_ONCE]
            if patient.inside is None:
                answers.append(passed(patient.behind, changed(part, wished)))
            else:
                with lesioned(patient.behind[0].module, patient.inside, wished):
                    answers.append(passed(patient.behind, part))
    return _outcome(torch.cat(answers).float().cpu(), patient.labels, len(patient.network.classes))


def needs(patient: Patient, begin: int = 0) -> Iterator[Need]:
    """Switch off each unit of the layer in turn, from unit `begin` on. Between two of them nothing of it is on the
    network."""
    whole = outcome(patient)
    for unit in range(begin, patient.units):
        unchanged = patient.largest[unit] < CHANGED
        yield Need(unit, patient.units, whole if unchanged else outcome(patient, {unit: 0.0}))


def _outcome(logits: torch.Tensor, labels: torch.Tensor, classes: int) -> Outcome:
    """logits (N, K), labels (N,) -> how many are right."""
    member = torch.nn.functional.one_hot(labels, classes).float()  # (N, K)
    counts = member.sum(dim=0)
    right = (logits.argmax(dim=1) == labels).float()
    true = logits.softmax(dim=1).gather(1, labels[:, None])[:, 0]
    return Outcome(
        accuracy=((right @ member) / counts).numpy(),
        probability=((true @ member) / counts).numpy(),
        overall=float(right.mean()),
    )
