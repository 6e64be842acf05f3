"""Looking at a layer while a picture passes: hooks that live no longer than a `with` block."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from alexnet_core.errors import ExplorerError


@contextmanager
def capture(model: nn.Module, *names: str) -> Iterator[dict[str, torch.Tensor]]:
    """Record what the layers called `names` (dotted, as in the state dict) put out while the block runs.

    Yields a dict that fills with name -> output, detached and cloned: what the model does to its tensors later cannot
    change what was kept. A layer that runs several times keeps its last output. The hooks are gone when the block ends,
    also by an exception. Raises ExplorerError for a name the model does not have.
    """
    layers = dict(model.named_modules())
    for name in names:
        if name not in layers or not name:
            some = [known for known, module in layers.items() if known and not list(module.children())]
            raise ExplorerError(f"The network has no layer called {name!r:.80}. Some it has: {', '.join(some[:6])}.")
    kept: dict[str, torch.Tensor] = {}

    def keep(name: str) -> torch.utils.hooks.RemovableHandle:
        def hook(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
            kept[name] = output.detach().clone()

        return layers[name].register_forward_hook(hook)

    handles = [keep(name) for name in names]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def capture_input(model: nn.Module, name: str) -> Iterator[list[torch.Tensor]]:
    """Record what the layer called `name` takes in while the block runs: one tensor for each time it runs, detached and
    cloned. The hook is gone when the block ends. Raises ExplorerError for a name the model does not have."""
    layers = dict(model.named_modules())
    if name not in layers or not name:
        raise ExplorerError(f"The network has no layer called {name!r:.80}; choose another.")
    kept: list[torch.Tensor] = []
    handle = layers[name].register_forward_pre_hook(lambda module, inputs: kept.append(inputs[0].detach().clone()))
    try:
        yield kept
    finally:
        handle.remove()


@contextmanager
def outputs(model: nn.Module, name: str) -> Iterator[list[torch.Tensor]]:
    """The layer's outputs themselves while the block runs, one for each time it runs: the score has a gradient with
    respect to them. The hook is gone when the block ends. `name` has to be a layer of the model."""
    kept: list[torch.Tensor] = []

    def hook(module: nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
        kept.append(output)
        # What is behind gets a copy: torchvision's blocks add their shortcut to an output in place, and its Inceptions
        # rectify one so.
        return output.clone()

    handle = model.get_submodule(name).register_forward_hook(hook)
    try:
        yield kept
    finally:
        handle.remove()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """`model` in eval mode while the block runs: dropout would make every answer a different one. Each module gets its
    own mode back afterwards."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield model
    finally:
        for module in training:
            module.training = True
