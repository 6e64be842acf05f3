"""The way of gradients back through convolutions, quicker than PyTorch takes it.

Back to the picture: a processor goes back through a convolution of few channels with wide steps at a tenth of its
speed. Steps of s pixels are steps of 1 between blocks of s x s pixels, whose colours count as so many channels more;
that way takes a quarter of the time, and its values are the same within rounding.

In 16 bits, where a caller asks for it: the way forward stays in 32, so each ReLU and each pooling decides as it would,
and only the gradients are rounded: by less than a thousandth of the largest on the bundled networks, over fifty steps.
With both ways in 16 bits it was up to a quarter.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_input

from alexnet_core.insight.operations import rewired

FEW_CHANNELS = 4
"""As many as a picture has, or one more."""


@contextmanager
def quick_way_back(model: nn.Module, kind: torch.dtype = torch.float32) -> Iterator[None]:
    """While the block runs, gradients with respect to pictures pass back through the convolutions of `model` quickly,
    in the precision `kind`. The weights have to be frozen: they get none. Nothing is left behind when it ends."""

    def replace(layer: nn.Module, taken: torch.Tensor, given: torch.Tensor) -> torch.Tensor | None:
        if not isinstance(layer, nn.Conv2d) or not taken.requires_grad or not _plain(layer):
            return None
        blocks = taken.device.type == "cpu" and layer.in_channels <= FEW_CHANNELS and _steps(layer)
        if not blocks and kind == torch.float32:
            return None
        return _WayBack.apply(taken, given.detach(), layer, kind, blocks)

    with rewired(model, replace):
        yield


def _plain(layer: nn.Conv2d) -> bool:
    return layer.padding_mode == "zeros" and not isinstance(layer.padding, str) and not layer.weight.requires_grad


def _steps(layer: nn.Conv2d) -> bool:
    """Whether the convolution's steps are wide and the same in both directions."""
    return layer.stride[0] == layer.stride[1] > 1 and layer.groups == 1 and layer.dilation == (1, 1)


class _WayBack(torch.autograd.Function):
    """A convolution that was computed already, with a way back of its own."""

    @staticmethod
    def forward(
        ctx: Any, taken: torch.Tensor, given: torch.Tensor, layer: nn.Conv2d, kind: torch.dtype, blocks: bool
    ) -> torch.Tensor:
        ctx.layer, ctx.kind, ctx.blocks, ctx.shape = layer, kind, blocks, taken.shape
        return given

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None, None, None]:
        layer: nn.Conv2d = ctx.layer
        if ctx.blocks:
            return _from_blocks(gradient, layer, ctx.shape), None, None, None, None
        weight = layer.weight.to(ctx.kind, memory_format=torch.channels_last)
        found = conv2d_input(
            ctx.shape, weight, gradient.to(ctx.kind), layer.stride, layer.padding, layer.dilation, layer.groups
        )
        return found.to(gradient.dtype), None, None, None, None


def _from_blocks(gradient: torch.Tensor, layer: nn.Conv2d, shape: torch.Size) -> torch.Tensor:
    """The way back from (N, C', H', W') to pictures of `shape` (N, C, H, W)."""
    step, (high, wide) = layer.stride[0], layer.kernel_size
    filled = F.pad(layer.weight, (0, -wide % step, 0, -high % step))  # zeros, up to whole blocks
    found = F.pixel_shuffle(F.conv_transpose2d(gradient, F.pixel_unshuffle(filled, step)), step)
    top, left = (int(value) for value in layer.padding)
    # What the last steps did not reach has no gradient; padding is cut off.
    found = F.pad(found, (0, max(0, left + shape[3] - found.shape[3]), 0, max(0, top + shape[2] - found.shape[2])))
    return found[:, :, top : top + shape[2], left : left + shape[3]]
