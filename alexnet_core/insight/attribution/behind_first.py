"""What lies behind a network's first convolution, for pictures that are sums of a few others.

A convolution is linear: behind it, points on the way from one picture to another lie on a straight way, too, and what
pieces of a picture give adds up. So the first one, which has the largest maps, is computed for the few pictures alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call

from alexnet_core.insight.attribution.task import Task
from alexnet_core.insight.operations import operations, pooled_first


@dataclass(frozen=True)
class BehindFirst:
    """A network that is a chain and begins with a convolution, in two parts."""

    first: nn.Conv2d
    rest: nn.Sequential
    """The layers behind it; the network's own."""

    def value(self, images: torch.Tensor) -> torch.Tensor:
        """What `images` (N, 3, S, S) give behind the convolution: (N, C, H, W), channels last."""
        found = self.first(images.contiguous(memory_format=torch.channels_last))
        return found.contiguous(memory_format=torch.channels_last)

    def change(self, images: torch.Tensor) -> torch.Tensor:
        """What adding `images` to any picture adds there: the same without the bias."""
        # Padding of other kinds than zeros is a layer's own; its forward pass takes any weight.
        found = self.first._conv_forward(images.contiguous(memory_format=torch.channels_last), self.first.weight, None)
        return found.contiguous(memory_format=torch.channels_last)

    def rest_in(self, kind: torch.dtype) -> Callable[[torch.Tensor], torch.Tensor]:
        """The layers behind with weights of this precision, which are copied once and not at every pass."""
        layers = {name for name, layer in self.rest.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)}
        known = self.rest.named_parameters()
        weights = {name: value.to(kind) for name, value in known if name.rpartition(".")[0] in layers}

        def passed(value: torch.Tensor) -> torch.Tensor:
            with torch.autocast(value.device.type, kind, enabled=kind != torch.float32):
                return functional_call(self.rest, weights, (value,))

        return passed


def behind_first(task: Task) -> BehindFirst | None:
    """The two parts of the network; None for one of another kind. Hold the network's lock."""
    chain = operations(task.network).chain
    if chain is None or not isinstance(chain[0], nn.Conv2d):
        return None
    return BehindFirst(chain[0], nn.Sequential(*pooled_first(chain[1:])))
