"""torchvision's Inceptions and ResNets with every ReLU and every maximum pooling a layer of its own.

torchvision's Inceptions compute these between their layers, and a block of its ResNets has one ReLU for two or three
places: their maps cannot be shown, and through what is no layer none but the plain gradient passes back. The networks
take other blocks in place of theirs; with these, weights, names and values stay torchvision's.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torchvision.models.googlenet import BasicConv2d, GoogLeNet, Inception, InceptionAux
from torchvision.models.inception import Inception3, InceptionA, InceptionB, InceptionC, InceptionD, InceptionE
from torchvision.models.inception import InceptionAux as ThirdHead
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet


class Convolution(BasicConv2d):
    """Convolution, normalisation, ReLU; the same block in both Inceptions."""

    def __init__(self, in_channels: int, out_channels: int, **settings: Any) -> None:
        super().__init__(in_channels, out_channels, **settings)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C', H', W')."""
        return self.relu(self.bn(self.conv(x)))


class HalvedFirst(InceptionB):
    """The block of Inception v3 that halves maps of 35 x 35."""

    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels, Convolution)
        self.branch_pool = nn.MaxPool2d(3, stride=2)

    def _forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        small = self.branch3x3(x)
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return [small, double, self.branch_pool(x)]


class HalvedLast(InceptionD):
    """The block of Inception v3 that halves maps of 17 x 17."""

    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels, Convolution)
        self.branch_pool = nn.MaxPool2d(3, stride=2)

    def _forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        small = self.branch3x3_2(self.branch3x3_1(x))
        large = self.branch7x7x3_2(self.branch7x7x3_1(x))
        large = self.branch7x7x3_4(self.branch7x7x3_3(large))
        return [small, large, self.branch_pool(x)]


class Shortcut(BasicBlock):
    """Two convolutions and a way past them."""

    def __init__(self, *settings: Any, **more: Any) -> None:
        super().__init__(*settings, **more)
        self.relu2 = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C', H', W')."""
        past = x if self.downsample is None else self.downsample(x)
        found = self.relu(self.bn1(self.conv1(x)))
        return self.relu2(self.bn2(self.conv2(found)) + past)


class DeepShortcut(Bottleneck):
    """Three convolutions, the outer ones of 1 x 1, and a way past them."""

    def __init__(self, *settings: Any, **more: Any) -> None:
        super().__init__(*settings, **more)
        self.relu2, self.relu3 = nn.ReLU(), nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C', H', W')."""
        past = x if self.downsample is None else self.downsample(x)
        found = self.relu(self.bn1(self.conv1(x)))
        found = self.relu2(self.bn2(self.conv2(found)))
        return self.relu3(self.bn3(self.conv3(found)) + past)


def _third(**settings: Any) -> nn.Module:
    first, middle, last = (partial(kind, conv_block=Convolution) for kind in (InceptionA, InceptionC, InceptionE))
    blocks = [Convolution, first, HalvedFirst, middle, HalvedLast, last, ThirdHead]
    return Inception3(inception_blocks=blocks, aux_logits=False, init_weights=True, **settings)


def _first(**settings: Any) -> nn.Module:
    blocks = [Convolution, partial(Inception, conv_block=Convolution), InceptionAux]
    return GoogLeNet(blocks=blocks, aux_logits=False, init_weights=True, **settings)


REBUILT: dict[str, Callable[..., nn.Module]] = {
    "googlenet": _first,
    "inception_v3": _third,
    "resnet18": partial(ResNet, Shortcut, [2, 2, 2, 2]),
    "resnet50": partial(ResNet, DeepShortcut, [3, 4, 6, 3]),
}
"""By torchvision's names; they take its settings, and random weights. The auxiliary heads of the Inceptions, which only
help training, are left out."""
