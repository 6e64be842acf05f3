"""What a network does with a picture, step by step: its layers in the order they run, and what lies between them.

Some ways of explaining change how layers pass gradients back. They reach only what is a layer of its own, so it has to
be known what a network computes in other ways.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from alexnet_core.insight.hooks import evaluating
from alexnet_core.models import Network

QUESTIONS = frozenset({"size", "dim", "shape", "device", "dtype", "get", "is_floating_point", "numel"})
"""Functions that ask about a tensor and compute none."""

STRAIGHT = frozenset(
    {
        "flatten", "cat", "concat", "stack", "add", "iadd", "sub", "mean", "sum", "view", "reshape", "permute",
        "transpose", "contiguous", "chunk", "split", "unsqueeze", "squeeze", "getitem", "avg_pool2d",
        "adaptive_avg_pool2d", "dropout", "pad", "clone", "to", "float", "detach",
    }
)  # fmt: skip
"""Functions that are linear in the values they take. `mul` and `div` are, too, with plain numbers."""


@dataclass(frozen=True)
class Step:
    """One run of a layer that holds no other layers, or of a function between layers."""

    name: str
    """The layer's dotted name, or the function's."""
    layer: nn.Module | None
    """None for a function."""
    shape: tuple[int, ...]
    """Of what it puts out for one picture."""
    follows: bool
    """Whether it takes what the step before it put out, and nothing else."""


@dataclass(frozen=True)
class Operations:
    """All that one picture passes."""

    steps: tuple[Step, ...]
    maps: dict[str, tuple[int, int]]
    """Height and width of the map that each layer puts out, blocks included, in the order they end; maps of 1 x 1 are
    left out."""
    normalised: dict[str, str]
    """Of each convolution whose output goes straight into a batch normalisation, that normalisation's name."""

    @property
    def bending(self) -> list[str]:
        """The functions between layers that are not linear, each once."""
        names = (step.name for step in self.steps if step.layer is None and step.name not in STRAIGHT)
        return list(dict.fromkeys(names))

    @property
    def kinds(self) -> list[type[nn.Module]]:
        """The kinds of layers, each once."""
        return list(dict.fromkeys(type(step.layer) for step in self.steps if step.layer is not None))

    @property
    def chain(self) -> tuple[nn.Module, ...] | None:
        """The layers to be run one after the other, with `nn.Flatten` where the network flattens; None for a network
        with branches, shortcuts or functions of other kinds between its layers."""
        layers: list[nn.Module] = []
        for step in self.steps:
            if not step.follows or (step.layer is None and step.name != "flatten"):
                return None
            layers.append(nn.Flatten() if step.layer is None else step.layer)
        return tuple(layers)


def operations(network: Network) -> Operations:
    """What `network` does with a picture.

    The first time it looks at a pass of one picture, with hooks: hold the network's lock. It is remembered as long as
    the model lives. Leaves nothing behind, also when the pass fails.
    """
    if network.model not in _known:
        _known[network.model] = _watched(network)
    return _known[network.model]


_known: "WeakKeyDictionary[nn.Module, Operations]" = WeakKeyDictionary()


def pooled_first(layers: Sequence[nn.Module]) -> list[nn.Module]:
    """The layers of a chain, each ReLU behind the pooling that follows it: the same values and gradients for less
    work."""
    found = list(layers)
    for place in range(len(found) - 1):
        if isinstance(found[place], nn.ReLU) and isinstance(found[place + 1], nn.MaxPool2d):
            found[place : place + 2] = found[place + 1], found[place]
    return found


@contextmanager
def rewired(
    model: nn.Module, replace: Callable[[nn.Module, torch.Tensor, torch.Tensor], torch.Tensor | None]
) -> Iterator[None]:
    """While the block runs, every layer without layers of its own puts out what `replace` makes of the layer, what it
    took and what it put out; None keeps the output. The hooks are gone when the block ends, also by an exception."""

    def hook(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor | None:
        return replace(layer, inputs[0], output)

    handles = [layer.register_forward_hook(hook) for layer in model.modules() if not list(layer.children())]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Watch(TorchFunctionMode):
    """Sees each function that the network computes outside its layers. Only in its own thread."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = 0
        """Layers that are running now."""
        self.seen: list[tuple[str, nn.Module | None, torch.Tensor, bool]] = []
        self.last: torch.Tensor | None = None

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        name = getattr(function, "__name__", str(function)).strip("_")
        if not self.inside and isinstance(result, torch.Tensor) and name not in QUESTIONS:
            tensors = [value for value in args if isinstance(value, torch.Tensor)]
            if name in ("mul", "imul", "div", "truediv") and len(tensors) == 1:
                name = "add"  # with a plain number: linear
            self.note(name, None, tensors, result)
        return result

    def note(self, name: str, layer: nn.Module | None, taken: list[torch.Tensor], given: torch.Tensor) -> None:
        """One step more."""
        follows = len(taken) == 1 and taken[0] is self.last
        self.seen.append((name, layer, given, follows))
        self.last = given


def _watched(network: Network) -> Operations:
    model, size = network.model, network.preprocessing.size
    watch = _Watch()
    outputs: list[tuple[str, torch.Tensor]] = []
    takes: dict[int, str] = {}
    gives: list[tuple[str, torch.Tensor]] = []

    def before(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        watch.inside += 1

    def after(name: str, leaf: bool) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        def hook(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if isinstance(output, torch.Tensor):
                outputs.append((name, output))
            if leaf:
                watch.inside -= 1
                tensors = [value for value in inputs if isinstance(value, torch.Tensor)]
                if isinstance(output, torch.Tensor):
                    watch.note(name, layer, tensors, output)
                if isinstance(layer, nn.Conv2d):
                    gives.append((name, output))
                elif isinstance(layer, nn.BatchNorm2d):
                    takes[id(tensors[0])] = name

        return hook

    handles = []
    try:
        for name, layer in model.named_modules():
            leaf = bool(name) and not list(layer.children())
            if leaf:
                handles.append(layer.register_forward_pre_hook(before))
            if name:
                handles.append(layer.register_forward_hook(after(name, leaf)))
        image = next(model.parameters()).new_zeros(1, 3, size, size)
        watch.last = image
        with torch.no_grad(), evaluating(model), watch:
            model(image)
    finally:
        for handle in handles:
            handle.remove()
    maps = {
        name: (int(value.shape[2]), int(value.shape[3]))
        for name, value in outputs
        if value.ndim == 4 and max(value.shape[2:]) > 1
    }
    steps = tuple(Step(name, layer, tuple(value.shape[1:]), follows) for name, layer, value, follows in watch.seen)
    normalised = {name: takes[id(value)] for name, value in gives if id(value) in takes}
    return Operations(steps, maps, normalised)
