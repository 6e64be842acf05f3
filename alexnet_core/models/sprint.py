"""Convolutions and poolings in AlexNet's manner, arranged for speed on small pictures.

What makes them quick: pooling comes before normalisation and ReLU, which then have a quarter of the values to pass;
the windows of the poolings do not overlap; and of the three linear layers the last one is left.

`alexnet_track` is made after the network of Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU" (2024,
arXiv:2404.00498, section 2): 128 filters in the middle in place of 256, ReLU in place of GELU, and the first
convolution normalised in place of given a bias. `alexnet_sprint` is made from it for processors: the first convolution
leaves out every second pixel, as AlexNet's leaves out three of four. `alexnet_lap` is wider and has one convolution
more.
"""

from typing import NamedTuple

import torch
from torch import nn


class Row(NamedTuple):
    """One convolution with what follows it."""

    filters: int
    """A multiple of 16 or 32, which processors and tensor cores multiply at a time."""
    kernel: int = 3
    stride: int = 1
    pooled: bool = False


SPRINT = (Row(32, kernel=5, stride=2), Row(32, pooled=True), Row(64, pooled=True), Row(64))
"""For seconds."""
LAP = (Row(32, kernel=5, stride=2), Row(48, pooled=True), Row(96), Row(80), Row(64, pooled=True))
"""For a minute or two."""
TRACK = (
    Row(24, kernel=2),
    *(Row(64, pooled=True), Row(64)),
    *(Row(128, pooled=True), Row(128)),
    *(Row(256, pooled=True), Row(256)),
)
"""For minutes."""


class Sprint(nn.Module):
    """`features` (convolutions and poolings) and `classifier` (one linear layer)."""

    def __init__(
        self, num_classes: int, image_size: int, rows: tuple[Row, ...], dropout: float, one_place: bool = False
    ) -> None:
        """`one_place`: of each of the last maps only the largest value goes on."""
        super().__init__()
        layers: list[nn.Module] = []
        inputs, side = 3, image_size
        for row in rows:
            padding = (row.kernel - 1) // 2
            layers.append(nn.Conv2d(inputs, row.filters, row.kernel, row.stride, padding, bias=False))
            inputs, side = row.filters, (side + 2 * padding - row.kernel) // row.stride + 1
            if row.pooled:
                layers.append(nn.MaxPool2d(2))
                side //= 2
            layers += [nn.BatchNorm2d(inputs), nn.ReLU()]
        if one_place:
            layers.append(nn.MaxPool2d(side))
            side = 1
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs * side * side, num_classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """images (N, 3, S, S) -> logits (N, K)."""
        x = self.features(images)  # (N, 3, S, S) -> (N, C, S', S')
        return self.classifier(torch.flatten(x, 1))  # -> (N, K)


def alexnet_sprint(num_classes: int = 10, image_size: int = 32, dropout: float = 0.0) -> Sprint:
    """The quickest to learn something: seconds on CIFAR-10."""
    return Sprint(num_classes, image_size, SPRINT, dropout)


def alexnet_lap(num_classes: int = 10, image_size: int = 32, dropout: float = 0.0) -> Sprint:
    """The sprint with more filters and one convolution more: a minute or two on CIFAR-10."""
    return Sprint(num_classes, image_size, LAP, dropout)


def alexnet_track(num_classes: int = 10, image_size: int = 32, dropout: float = 0.0) -> Sprint:
    """The most accurate on small pictures: minutes on CIFAR-10."""
    return Sprint(num_classes, image_size, TRACK, dropout, one_place=True)
