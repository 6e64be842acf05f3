"""A network as a row of stages, so that a pass can stop at a layer, or begin behind one.

Most networks are such a row: AlexNet's layers, SqueezeNet's fire modules, the blocks of a ResNet. What lies inside a
block stays there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import capture, evaluating
from alexnet_core.models import Network


@dataclass(frozen=True)
class Stage:
    """A layer or a block that takes what the stage before it puts out."""

    name: str
    """Dotted, as in the state dict; "flatten" where maps become a list, which is no layer of its own."""
    module: nn.Module


FLATTEN = "flatten"


_KNOWN: WeakKeyDictionary[nn.Module, tuple[str, ...]] = WeakKeyDictionary()
"""The names of the stages of models that were checked before: the check takes two passes, and lives as long as they."""


def stages(network: Network) -> list[Stage]:
    """The stages of `network`, checked: one picture of noise passes them to the same answer as it passes the model.

    A model that is no such row is one single stage without a name.
    """
    names = _KNOWN.get(network.model)
    if names is None:
        names = _KNOWN[network.model] = _checked(network)
    return [Stage(name, nn.Flatten() if name == FLATTEN else network.model.get_submodule(name)) for name in names]


def _checked(network: Network) -> tuple[str, ...]:
    model = network.model
    size = network.preprocessing.size
    parameter = next(model.parameters())
    noise = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)).to(parameter.device)
    names: list[str] = []
    x = noise
    with torch.no_grad(), evaluating(model):
        try:
            for stage in _unfolded("", model):
                if isinstance(stage.module, nn.Linear) and x.dim() == 4:
                    names.append(FLATTEN)
                    x = torch.flatten(x, 1)
                names.append(stage.name)
                x = stage.module(x)
        except RuntimeError:  # shapes that do not fit one behind the other: the model connects its parts otherwise
            return ("",)
        if x.dim() == 4:
            names.append(FLATTEN)
            x = torch.flatten(x, 1)
        expected = model(noise)
    same = x.shape == expected.shape and torch.allclose(x, expected, rtol=1e-4, atol=1e-5, equal_nan=True)
    return tuple(names) if same else ("",)


def _unfolded(name: str, module: nn.Module) -> Iterator[Stage]:
    """The stages inside `module`, where it passes its parts one after another; the model itself always counts so."""
    parts = list(module.named_children())
    in_turn = type(module).forward is nn.Sequential.forward
    if not parts or not (in_turn or not name):
        yield Stage(name, module)
        return
    for part, child in parts:
        yield from _unfolded(f"{name}.{part}" if name else part, child)


def place_of(row: Sequence[Stage], layer: str) -> int:
    """Which stage is the layer called `layer`, holds it, or is the last one in it. Raises ExplorerError where none
    does."""
    for place in range(len(row) - 1, -1, -1):
        if layer and (
            row[place].name == layer or row[place].name.startswith(f"{layer}.") or _inside(row[place], layer)
        ):
            return place
    raise ExplorerError(f"The network has no layer called {layer!r:.80}; choose another.")


def _inside(stage: Stage, layer: str) -> str:
    """The layer's name within the stage; empty where it is not in there."""
    if stage.name and not layer.startswith(f"{stage.name}."):
        return ""
    name = layer.removeprefix(f"{stage.name}.") if stage.name else layer
    return name if name in dict(stage.module.named_modules()) else ""


def passed(row: Sequence[Stage], images: torch.Tensor) -> torch.Tensor:
    """What comes out when `images` pass these stages."""
    for stage in row:
        images = stage.module(images)
    return images


def output_of(row: Sequence[Stage], layer: str, images: torch.Tensor) -> torch.Tensor:
    """What `layer` puts out for images (N, 3, S, S) as the network reads them, without computing what lies behind the
    stage that it is in. Detached; belongs into a block with `evaluating`."""
    place = place_of(row, layer)
    stage = row[place]
    inside = _inside(stage, layer)
    with torch.no_grad():
        before = passed(row[:place], images)
        if not inside:
            return stage.module(before)
        with capture(stage.module, inside) as kept:
            stage.module(before)
    return kept[inside]
