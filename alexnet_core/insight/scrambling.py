"""Does a map depend on what the network learned? Its layers are scrambled from the top down, and the map is watched.

The cascading randomisation of Adebayo et al. 2018, "Sanity checks for saliency maps", arXiv:1810.03292, section 3. A
map that stays the same when nothing of the training is left shows the picture, not the network.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import nn

from alexnet_core.insight.attribution import Attribution
from alexnet_core.insight.likeness import magnitudes, rank_correlation, structural_similarity
from alexnet_core.models import Network

Explain = Callable[[Network, Image.Image], Attribution]
"""The question that is asked again and again: one method, one class, whatever the network or the picture."""

MOST_STEPS = 8
"""Each costs one map; deeper networks have several layers scrambled at a step."""

Verdict = Literal["notices", "hardly notices", "cannot tell"]


@dataclass(frozen=True)
class Step:
    """The map after some more layers were scrambled."""

    layers: tuple[str, ...]
    """Those scrambled at this step, the uppermost first; those of the steps before stay so. None at the first step."""
    explained: Attribution
    rank_correlation: float | None
    """With the map of the trained network, -1 to 1; None where a map is the same everywhere."""
    similarity: float
    """Structural similarity to the map of the trained network, at most 1."""
    draws: tuple[float, ...] = ()
    """Halfway: that similarity for several draws of the numbers that take the learned ones' place, this one first. A
    draw through which nothing comes is left out."""


def layers_with_weights(model: nn.Module) -> list[tuple[str, ...]]:
    """The convolutions and linear layers in the order of the model, each with the normalisations that follow it: scaled
    for it alone, they are scrambled with it."""
    found: list[tuple[str, ...]] = []
    for name, module in model.named_modules():
        weight = module._parameters.get("weight")
        if weight is None:
            continue
        if weight.ndim > 1:
            found.append((name,))
        elif found:
            found[-1] = (*found[-1], name)
    return found


def steps_from_the_top(model: nn.Module) -> list[tuple[str, ...]]:
    """What is scrambled at each step, the uppermost first: one layer at a time, or as many as keep to `MOST_STEPS`."""
    layers = layers_with_weights(model)[::-1]
    edges = np.linspace(0, len(layers), min(MOST_STEPS, len(layers)) + 1).round().astype(int).tolist()
    return [tuple(name for layer in layers[first:last] for name in layer) for first, last in pairwise(edges)]


def scramble(module: nn.Module, generator: torch.Generator) -> None:
    """Draw the numbers of one layer anew, in place, as before a training: weights after He et al. 2015
    (arXiv:1502.01852, equation 10), which keep the size of what passes; no biases; a normalisation that
    changes nothing.

    Trained weights in another order would keep more of the layer, but their mean is below zero: most units above would
    fall silent, and nothing could be told.
    """
    with torch.no_grad():
        for name, tensor in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)):
            if tensor.ndim > 1:
                fan_in = tensor[0].numel()
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * (2 / fan_in) ** 0.5)
            else:
                tensor.fill_(1 if name in ("weight", "running_var") and _normalises(module) else 0)


def _normalises(module: nn.Module) -> bool:
    weight = module._parameters.get("weight")
    return weight is not None and weight.ndim == 1


def cascade(network: Network, picture: Image.Image, explain: Explain, seed: int = 0) -> Iterator[Step]:
    """The map of the trained network first, then one after each step of scrambling.

    The copy that is scrambled is made before this returns, and only the copy is used afterwards: who shares the network
    with others needs its lock for this call alone, not while the steps are computed.
    """
    return _steps(replace(network, model=copy.deepcopy(network.model)), picture, explain, seed)


def _steps(own: Network, picture: Image.Image, explain: Explain, seed: int) -> Iterator[Step]:
    generator = torch.Generator().manual_seed(seed)
    modules = dict(own.model.named_modules())
    trained = explain(own, picture)
    original = magnitudes(trained)
    yield Step((), trained, rank_correlation(original, original), 1.0)

    def step(names: tuple[str, ...]) -> Step:
        explained = explain(own, picture)
        now = magnitudes(explained)
        return Step(names, explained, rank_correlation(original, now), structural_similarity(original, now))

    above: list[str] = []
    steps = steps_from_the_top(own.model)
    for count, names in enumerate(steps, 1):
        above += names
        for name in names:
            scramble(modules[name], generator)
        found = step(names)
        if count == _half(len(steps)):
            drawn = [found]
            for draw in range(1, DRAWS):
                others = torch.Generator().manual_seed(seed + draw)
                for name in above:
                    scramble(modules[name], others)
                drawn.append(step(names))
            again = torch.Generator().manual_seed(seed)  # the numbers from before, for less than a copy of them
            for name in above:
                scramble(modules[name], again)
            heard = tuple(one.similarity for one in drawn if one.rank_correlation is not None)
            found = replace(found, draws=heard)
        yield found


DRAWS = 5
"""Of the numbers in the scrambled upper half: with one alone, chance decided on the verdict for some maps."""


def _half(steps: int) -> int:
    """How many of so many steps of scrambling are half of them."""
    return (steps + 1) // 2


NOTICES, HARDLY = 0.4, 0.5
"""Mean structural similarity, when half of the layers are scrambled, below which a map notices, and above which it
hardly does. On the bundled networks and SqueezeNet, with four photographs each, the means of saliency, input x gradient
and Grad-CAM were 0.08 to 0.36, those of guided backpropagation 0.50 to 0.89; rank correlation tells the two kinds apart
less clearly."""


def halfway(steps: Sequence[Step]) -> Step:
    """The step at which half of the layers are scrambled: what decided between the classes is gone, but the first
    filters, which find the edges of any picture, are still the trained ones."""
    return steps[_half(len(steps) - 1)]


def verdict(steps: Sequence[Step]) -> Verdict:
    """Whether the map noticed that the upper half of the network was scrambled, by its mean structural similarity over
    several draws of what takes the learned numbers' place.

    It cannot be told where that lies between the two bounds, and where nothing gets through the scrambled networks,
    because all their units have fallen silent, whatever the method.
    """
    draws = halfway(steps).draws
    if not draws or NOTICES <= fmean(draws) <= HARDLY:
        return "cannot tell"
    return "notices" if fmean(draws) < NOTICES else "hardly notices"
