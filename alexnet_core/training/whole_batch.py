"""Layers that treat the batch of all processes as one, so that a curve does not depend on how many there are.

Dropout draws its mask for the whole batch and takes the rows of this process; normalisation takes mean and variance
over the whole batch (Ioffe and Szegedy 2015, algorithm 1). They have the names and states of the layers they replace.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.autograd import Function

from alexnet_core.distributed import World
from alexnet_core.errors import ExplorerError
from alexnet_core.models.anatomy import anatomy


def replace_layers(model: nn.Module, world: World, batch_size: int, group: dist.ProcessGroup | None) -> None:
    """Put these layers in the place of the ones in `model`, which is trained in batches of `batch_size` rows over all
    processes and whose sums travel over `group`. In one process only dropout is replaced: the mask is then the same
    however many there are."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Dropout):
                setattr(parent, name, WholeBatchDropout(child.p, world, batch_size))
            # torchvision takes seconds to import, and a network that has this layer has done so.
            elif type(child).__name__ == "StochasticDepth":
                setattr(parent, name, WholeBatchDropout(vars(child)["p"], world, batch_size, whole_rows=True))
            elif isinstance(child, nn.BatchNorm2d) and world.world_size > 1:
                setattr(parent, name, _normalisation(child, batch_size, group))


def check_one_picture(model: nn.Module, side: int, resting: Sequence[nn.Module]) -> None:
    """Raises ExplorerError where a batch of one picture of `side` pixels gives a normalisation of `model`, unless it is
    `resting`, a single value of each channel: it would see no variance, only itself."""
    for layer in anatomy(model, side):
        lone = layer.kind == "batch normalisation" and layer.output_shape[1:] == (1, 1)
        if lone and model.get_submodule(layer.name) not in resting:
            raise ExplorerError(
                "One picture is too few for the batch normalisation of this network, whose last maps have a single "
                "place; choose a batch size of at least 2.",
                remedy=("batch_size", 2),
            )


class WholeBatchDropout(nn.Dropout):
    """Dropout with the mask of the whole batch; with `whole_rows` it drops all of a picture's values or none, which is
    torchvision's StochasticDepth."""

    def __init__(self, p: float, world: World, batch_size: int, whole_rows: bool = False) -> None:
        super().__init__(p)
        self.rows, self.batch_size, self.whole_rows = world.share(batch_size), batch_size, whole_rows

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(rows of this process, ...) -> the same shape."""
        if not self.training or self.p == 0:
            return input
        rest = [1] * (input.ndim - 1) if self.whole_rows else input.shape[1:]
        kept = torch.empty((self.batch_size, *rest), dtype=input.dtype, device=input.device).bernoulli_(1 - self.p)
        return input * (kept[self.rows] / (1 - self.p))


class WholeBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the whole batch. PyTorch's SyncBatchNorm works on GPUs alone, and waits for them at each
    layer: it looks for processes without pictures, of which there are none here."""

    batch_size: int
    group: dist.ProcessGroup | None

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(rows of this process, C, H, W) -> the same shape."""
        if not self.training:
            return super().forward(input)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        values = input.to(torch.promote_types(input.dtype, torch.float32))
        count = self.batch_size * input.shape[2] * input.shape[3]
        mean = _Sum.apply(values.sum((0, 2, 3)), self.group) / count
        centred = values - mean[:, None, None]
        variance = _Sum.apply(centred.square().sum((0, 2, 3)), self.group) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / max(1, count - 1)), self.momentum)
        scale = (variance + self.eps).rsqrt() * self.weight
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(input.dtype)


class _Sum(Function):
    """The sum over all processes. Each one's part moves the losses of all, so the gradients are summed as well."""

    @staticmethod
    def forward(context: Any, part: torch.Tensor, group: dist.ProcessGroup | None) -> torch.Tensor:
        context.group = group
        total = part.clone()
        dist.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        total = gradients[0].clone()
        dist.all_reduce(total, group=context.group)
        return total, None


def _normalisation(layer: nn.BatchNorm2d, batch_size: int, group: dist.ProcessGroup | None) -> WholeBatchNorm:
    whole = WholeBatchNorm(layer.num_features, layer.eps, layer.momentum)
    whole.batch_size, whole.group = batch_size, group
    # The very same parameters: an optimiser may know them already.
    whole.weight, whole.bias = layer.weight, layer.bias
    whole.running_mean, whole.running_var = layer.running_mean, layer.running_var
    whole.num_batches_tracked = layer.num_batches_tracked
    return whole
