"""AlexNet's successors, small enough to learn in minutes: the one idea of each, for pictures of 32 to 128 pixels.

Each costs about as many multiply-adds a picture as `alexnet_mini`, so that what differs between them is the idea:

* `vgg_mini`: stacks of 3x3 filters (Simonyan and Zisserman 2014, arXiv:1409.1556);
* `inception_mini`: filters of several sizes side by side (Szegedy et al. 2014, arXiv:1409.4842);
* `resnet_mini`: shortcuts around every two convolutions (He et al. 2015, arXiv:1512.03385);
* `efficientnet_mini`: filters that look at one map each, and maps weighted by what the picture shows (Tan and Le 2019,
  arXiv:1905.11946, of the blocks of Sandler et al. 2018, arXiv:1801.04381).

All normalise over the batch, which VGG and GoogLeNet at first did not, and ReLU takes the place of EfficientNet's SiLU:
without that they would differ by more than the idea. It is never in place, and a layer of its own wherever it is used,
so that one can look inside.
"""

import torch
from torch import nn

HIDDEN = 256
"""Units of VGG's hidden linear layer; of `alexnet_mini`'s, too."""


class Mini(nn.Module):
    """`features` (stages of maps), `avgpool`, `classifier`: the three parts that AlexNet has.

    Legend: N images, S their side in pixels, K classes, C maps.
    """

    def __init__(self, features: nn.Sequential, avgpool: nn.Module, classifier: nn.Sequential) -> None:
        super().__init__()
        self.features, self.avgpool, self.classifier = features, avgpool, classifier
        for layer in self.modules():
            # What He et al. 2015 draw (arXiv:1502.01852, section 2.2), which keeps the size of what passes: the running
            # variances begin at one, and where maps begin far below, they are wrong for the first hundred steps. On the
            # meta device there are no numbers to draw.
            if isinstance(layer, nn.Conv2d) and not layer.weight.is_meta:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """images (N, 3, S, S) -> logits (N, K)."""
        x = self.avgpool(self.features(images))  # (N, 3, S, S) -> (N, C, S', S')
        return self.classifier(torch.flatten(x, 1))  # -> (N, K)


class Convolution(nn.Sequential):
    """Convolution, normalisation and, unless `linear`, ReLU; padded so that only the step shrinks a map."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, linear: bool = False
    ) -> None:
        # The normalisation has a bias of its own, so the convolution before it needs none.
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        super().__init__(*layers, *[] if linear else [nn.ReLU()])


class Inception(nn.Module):
    """Filters of 1x1, 3x3 and 5x5 and a pooling look at the same maps; what they find is laid side by side. 1x1
    filters before the large ones make that cheap (Szegedy et al. 2014, figure 2b)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        """`outputs`: a multiple of 16; a quarter from 1x1, a half from 3x3, an eighth each from 5x5 and pooling."""
        super().__init__()
        self.one = Convolution(inputs, outputs // 4, 1)
        self.three = nn.Sequential(Convolution(inputs, outputs // 4, 1), Convolution(outputs // 4, outputs // 2, 3))
        self.five = nn.Sequential(Convolution(inputs, outputs // 16, 1), Convolution(outputs // 16, outputs // 8, 5))
        self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1), Convolution(inputs, outputs // 8, 1))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W)."""
        return torch.cat([self.one(maps), self.three(maps), self.five(maps), self.pooled(maps)], 1)


class Residual(nn.Module):
    """Two convolutions that learn what to add to the maps they take; a shortcut passes those on as they are, or, where
    their number or size changes, through a 1x1 convolution (He et al. 2015, figure 2)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else Convolution(inputs, outputs, 1, stride, linear=True)
        self.first = Convolution(inputs, outputs, 3, stride)
        self.second = Convolution(outputs, outputs, 3, linear=True)
        self.relu = nn.ReLU()

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) -> (N, outputs, H / stride, W / stride)."""
        return self.relu(self.second(self.first(maps)) + self.shortcut(maps))


class Excitation(nn.Module):
    """Weights each map by a number from 0 to 1 that is computed from the means of all maps (Hu et al. 2017,
    arXiv:1709.01507)."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.means = nn.AdaptiveAvgPool2d(1)
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.relu = nn.ReLU()
        self.excite = nn.Conv2d(squeezed, channels, 1)
        self.gate = nn.Sigmoid()

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> the same shape."""
        weights = self.gate(self.excite(self.relu(self.squeeze(self.means(maps)))))  # -> (N, C, 1, 1)
        return maps * weights


class Inverted(nn.Module):
    """Few maps are spread to several times as many, each filtered on its own, weighted, and brought together again; a
    shortcut goes around where the shape stays (Sandler et al. 2018, figure 3; Tan and Le 2019, table 1)."""

    def __init__(self, inputs: int, outputs: int, stride: int, kernel: int, times: int = 4) -> None:
        """`times` as many maps; 1 leaves that out, as the first block of EfficientNet does, whose maps are large."""
        super().__init__()
        wide = times * inputs
        self.expand = nn.Identity() if times == 1 else Convolution(inputs, wide, 1)
        self.each = Convolution(wide, wide, kernel, stride, groups=wide)
        self.weigh = Excitation(wide, max(4, inputs // 4))
        self.project = Convolution(wide, outputs, 1, linear=True)
        self.same = inputs == outputs and stride == 1

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) -> (N, outputs, H / stride, W / stride)."""
        found = self.project(self.weigh(self.each(self.expand(maps))))
        return found + maps if self.same else found


def vgg_mini(num_classes: int = 10, image_size: int = 32, dropout: float = 0.5) -> Mini:
    """Two 3x3 convolutions, a pooling, and again, and again; then linear layers, as in AlexNet."""
    width, side = (20 if image_size < LARGE else 42), _side(image_size)
    stacks = [
        [*_threes(width, image_size), Convolution(width, width, 3)],
        [Convolution(width, 2 * width, 3), Convolution(2 * width, 2 * width, 3)],
        [Convolution(2 * width, 4 * width, 3), Convolution(4 * width, 4 * width, 3)],
    ]
    layers: list[nn.Module] = []
    for stack in stacks:
        # Layers without a stack around them: a plain row of layers can be drawn, and its receptive field followed.
        layers += [*(layer for convolution in stack for layer in convolution), nn.MaxPool2d(2)]
    classifier = nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(4 * width * (side // 8) ** 2, HIDDEN),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(HIDDEN, num_classes),
    )
    return Mini(nn.Sequential(*layers), nn.Identity(), classifier)


def inception_mini(num_classes: int = 10, image_size: int = 32, dropout: float = 0.5) -> Mini:
    """A convolution and a pooling, two pairs of Inception modules with a pooling between them, and the mean of each
    map in place of hidden linear layers."""
    width = 32 if image_size < LARGE else 64
    features = nn.Sequential(
        *_first(width, image_size),
        nn.MaxPool2d(3, 2, 1),
        Inception(width, 3 * width),
        Inception(3 * width, 3 * width),
        nn.MaxPool2d(3, 2, 1),
        Inception(3 * width, 5 * width),
        Inception(5 * width, 5 * width),
    )
    return _with_means(features, 5 * width, num_classes, dropout)


def resnet_mini(num_classes: int = 10, image_size: int = 32, dropout: float = 0.0) -> Mini:
    """A convolution and a pooling, three pairs of blocks with shortcuts: thirteen convolutions one behind another."""
    width = 24 if image_size < LARGE else 48
    features = nn.Sequential(
        *_first(width, image_size),
        nn.MaxPool2d(3, 2, 1),
        Residual(width, width, 1),
        Residual(width, width, 1),
        Residual(width, 2 * width, 2),
        Residual(2 * width, 2 * width, 1),
        Residual(2 * width, 4 * width, 2),
        Residual(4 * width, 4 * width, 1),
    )
    return _with_means(features, 4 * width, num_classes, dropout)


def efficientnet_mini(num_classes: int = 10, image_size: int = 32, dropout: float = 0.2) -> Mini:
    """A 3x3 convolution and seven blocks of filters for one map each, of 3x3 and of 5x5; a 1x1 convolution before the
    means."""
    width = 32 if image_size < LARGE else 72
    features = nn.Sequential(
        *_threes(width // 2, image_size),
        Inverted(width // 2, width, 2, 3, times=1),
        Inverted(width, width, 1, 3),
        Inverted(width, 2 * width, 2, 5),
        Inverted(2 * width, 2 * width, 1, 5),
        Inverted(2 * width, 4 * width, 2, 3),
        Inverted(4 * width, 4 * width, 1, 3),
        Inverted(4 * width, 4 * width, 1, 5),
        Convolution(4 * width, 16 * width, 1),
    )
    return _with_means(features, 16 * width, num_classes, dropout)


LARGE = 48
"""Pixels from which pictures get more filters, as `alexnet_mini` has it: it is made for 64, and small at 32."""


def _step(image_size: int) -> int:
    """Pixels that the first filters move on: maps are then about 32 x 32, and the cost hardly depends on the size."""
    return 1 if image_size < LARGE else 2 if image_size < 2 * LARGE else 4


def _side(image_size: int) -> int:
    """Of the first maps, in values: half as many for each halving, the odd one kept."""
    return -(-image_size // _step(image_size))


def _first(width: int, image_size: int) -> Convolution:
    """One convolution; with steps its filters are 7x7, as in GoogLeNet and ResNet."""
    step = _step(image_size)
    return Convolution(3, width, 3 if step == 1 else 7, step)


def _threes(width: int, image_size: int) -> list[Convolution]:
    """3x3 convolutions alone, each with a step of two where the first maps have to be smaller than the picture."""
    if _step(image_size) < 4:
        return [Convolution(3, width, 3, _step(image_size))]
    return [Convolution(3, width // 2, 3, 2), Convolution(width // 2, width, 3, 2)]


def _with_means(features: nn.Sequential, channels: int, num_classes: int, dropout: float) -> Mini:
    """The mean of each map decides, through one linear layer."""
    classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels, num_classes))
    return Mini(features, nn.AdaptiveAvgPool2d(1), classifier)
