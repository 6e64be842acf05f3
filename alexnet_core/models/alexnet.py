"""AlexNet: five convolutions, three overlapping poolings, three linear layers.

`alexnet` is the network of "One weird trick for parallelizing convolutional neural networks" (Krizhevsky 2014,
arXiv:1404.5997), the one-tower form with 64-192-384-256-256 filters that torchvision ships; names and shapes are
torchvision's, so weights go both ways. `alexnet_bn` normalises after each convolution (Ioffe and Szegedy 2015);
`alexnet_narrow` does too, and has a small classifier: nine tenths of AlexNet's weights are in its linear layers.
`alexnet_mini` keeps the topology and shrinks the widths for pictures of 32 to 128 pixels and minutes on a laptop.

ReLU is never in place: a hook on a convolution must see the convolution's own output.
"""

from dataclasses import dataclass, replace

import torch
from torch import nn

from alexnet_core.errors import ExplorerError


@dataclass(frozen=True)
class Plan:
    """The numbers that tell one AlexNet from another."""

    channels: tuple[int, int, int, int, int]
    """Filters of the five convolutions."""
    hidden: tuple[int, int]
    """Units of the two hidden linear layers."""
    first_kernel: int
    first_stride: int
    first_padding: int
    pooled: int | None
    """Side of the map handed to the classifier, by adaptive average pooling; None keeps the map as it is."""
    first_std: float | None = None
    """Standard deviation of the first filters at the start, where a normalisation behind the layer undoes any scale;
    None keeps PyTorch's. Pictures that were enlarged say nothing about the finest detail, and grey ones nothing about
    colour, so what noise the start has there stays: started small, it is outgrown by what is learned, and the filters
    come out clean."""


FULL = Plan(
    channels=(64, 192, 384, 256, 256),
    hidden=(4096, 4096),
    first_kernel=11,
    first_stride=4,
    first_padding=2,
    pooled=6,
)
"""AlexNet itself, for 224 pixels."""

NARROW = replace(FULL, hidden=(512, 512), pooled=None, first_std=0.001)
"""AlexNet's convolutions with a classifier for pictures of 64 to 224 pixels and some ten classes."""


def mini_plan(image_size: int) -> Plan:
    """The small network for pictures of `image_size` pixels: the stride grows with the picture, so that the map after
    the first convolution stays near 32 x 32 and the cost of a picture hardly depends on its size. Pictures under 48
    pixels have no room for 11x11 filters; they get 5x5 ones, fewer of them, and half the cost."""
    kernel, stride = (5, 1) if image_size < 48 else (11, 2) if image_size < 96 else (11, 4)
    return Plan(
        channels=(24, 48, 96, 64, 64) if image_size < 48 else (48, 96, 192, 128, 128),
        hidden=(256, 256),
        first_kernel=kernel,
        first_stride=stride,
        first_padding=kernel // 2,
        pooled=None,
        first_std=0.001,
    )


def check_size(plan: Plan, image_size: int) -> list[int]:
    """The side of the map after each convolution and pooling of `plan`, in order.

    Raises ExplorerError when a map would vanish, with the layer and the smallest size that works.
    """
    sides, lost_at = _sides(plan, image_size)
    if lost_at is not None:
        smallest = next(size for size in range(image_size + 1, 1025) if _sides(plan, size)[1] is None)
        raise ExplorerError(
            f"Pictures of {image_size} pixels are too small for this network: the map would vanish at {lost_at}. "
            f"The smallest size that works is {smallest} pixels."
        )
    return sides


def _sides(plan: Plan, image_size: int) -> tuple[list[int], str | None]:
    steps = [("the first convolution", plan.first_kernel, plan.first_stride, plan.first_padding)]
    steps += [
        ("the first pooling", 3, 2, 0),
        ("the second convolution", 5, 1, 2),
        ("the second pooling", 3, 2, 0),
    ]
    steps += [(f"the {name} convolution", 3, 1, 1) for name in ("third", "fourth", "fifth")]
    steps += [("the third pooling", 3, 2, 0)]
    side = image_size
    sides: list[int] = []
    for name, kernel, stride, padding in steps:
        side = (side + 2 * padding - kernel) // stride + 1
        if side < 1:
            return sides, name
        sides.append(side)
    return sides, None


class AlexNet(nn.Module):
    """`features` (convolutions and poolings), `avgpool`, `classifier` (linear layers): torchvision's three parts.

    Legend: N images, S their side in pixels, K classes.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        *,
        image_size: int = 224,
        plan: Plan = FULL,
        batch_norm: bool = False,
        dropout: float = 0.5,
    ) -> None:
        """Raises ExplorerError when pictures of `image_size` pixels are too small for `plan`."""
        super().__init__()
        last_side = check_size(plan, image_size)[-1]

        def convolution(inputs: int, outputs: int, kernel: int, stride: int, padding: int) -> list[nn.Module]:
            # The normalisation has a bias of its own, so the convolution before it needs none.
            layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=not batch_norm)]
            if batch_norm:
                layers.append(nn.BatchNorm2d(outputs))
            return [*layers, nn.ReLU()]

        def pooling() -> nn.Module:
            return nn.MaxPool2d(kernel_size=3, stride=2)  # overlapping: the window is wider than the step (section 3.4)

        c1, c2, c3, c4, c5 = plan.channels
        self.features = nn.Sequential(
            *convolution(3, c1, plan.first_kernel, plan.first_stride, plan.first_padding),
            pooling(),
            *convolution(c1, c2, 5, 1, 2),
            pooling(),
            *convolution(c2, c3, 3, 1, 1),
            *convolution(c3, c4, 3, 1, 1),
            *convolution(c4, c5, 3, 1, 1),
            pooling(),
        )
        side = plan.pooled or last_side
        self.avgpool = nn.AdaptiveAvgPool2d(side)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(c5 * side * side, plan.hidden[0]),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(plan.hidden[0], plan.hidden[1]),
            nn.ReLU(),
            nn.Linear(plan.hidden[1], num_classes),
        )
        self._start(plan.first_std if batch_norm else None, batch_norm)

    def _start(self, first_std: float | None, batch_norm: bool) -> None:
        """The weights to begin with. Eight layers without normalisation want those of He et al. 2015 (arXiv:1502.01852,
        section 2.2), or the signal dies on its way: with PyTorch's own, `paper_2012` hardly learns the digits."""
        first = self.features[0]
        assert isinstance(first, nn.Conv2d)
        if first.weight.is_meta:
            return  # weights from a file are to come; drawing numbers would take a second for nothing
        if first_std is not None:
            nn.init.normal_(first.weight, std=first_std)
        if not batch_norm:
            for layer in self.modules():
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                    assert layer.bias is not None
                    nn.init.zeros_(layer.bias)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """images (N, 3, S, S) -> logits (N, K)."""
        x = self._quick_features(images) if self.training else self.features(images)  # (N, 3, S, S) -> (N, C, S', S')
        x = self.avgpool(x)  # -> (N, C, 6, 6) in the full size
        x = torch.flatten(x, 1)  # -> (N, 9216)
        return self.classifier(x)  # -> (N, K)

    def _quick_features(self, images: torch.Tensor) -> torch.Tensor:
        """`features` with each pooling before the ReLU it follows: the same values and gradients, for the largest of
        the rectified is the largest, rectified; and the ReLU has a quarter of the values to pass."""
        x, waiting = images, None
        for layer in self.features:
            if isinstance(layer, nn.ReLU):
                waiting = layer
                continue
            if waiting is not None and not isinstance(layer, nn.MaxPool2d):
                x, waiting = waiting(x), None
            x = layer(x)
        return x if waiting is None else waiting(x)


def alexnet(num_classes: int = 1000, image_size: int = 224, dropout: float = 0.5) -> AlexNet:
    """AlexNet as torchvision has it: 61,100,840 parameters at 1000 classes."""
    return AlexNet(num_classes, image_size=image_size, dropout=dropout)


def alexnet_bn(num_classes: int = 1000, image_size: int = 224, dropout: float = 0.5) -> AlexNet:
    """AlexNet with batch normalisation between each convolution and its ReLU."""
    return AlexNet(num_classes, image_size=image_size, dropout=dropout, batch_norm=True)


def alexnet_narrow(num_classes: int = 10, image_size: int = 128, dropout: float = 0.5) -> AlexNet:
    """AlexNet's convolutions, normalised, before 512-512 linear layers: 4 million parameters at 128 pixels."""
    return AlexNet(num_classes, image_size=image_size, plan=NARROW, dropout=dropout, batch_norm=True)


def alexnet_mini(num_classes: int = 10, image_size: int = 64, dropout: float = 0.5, batch_norm: bool = True) -> AlexNet:
    """The same topology for 32 to 128 pixels; batch normalisation is a setting here, on unless asked otherwise."""
    plan = mini_plan(image_size)
    return AlexNet(num_classes, image_size=image_size, plan=plan, dropout=dropout, batch_norm=batch_norm)
