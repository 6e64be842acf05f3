"""Weights to begin with that need not be learned.

First filters: the directions in which small patches of the training pictures vary. A linear filter bank that whitens
patches is what first layers of networks spend their first steps on; it can be computed. After Coates and Ng, "Learning
Feature Representations with K-means" (2012, section 2) and Jordan 2024 (arXiv:2404.00498, section 3.2), who takes each
direction and its opposite, since a ReLU lets pass only one side.

Further filters: the identity, which hands on each map as it is (Jordan 2024, section 3.3).
"""

import torch
from torch import nn
from torch.nn import functional as F

from alexnet_core.training.batches import Batches
from alexnet_core.training.config import TrainConfig

PICTURES, PATCHES = 1000, 3_000_000
"""Of so many pictures all patches are taken, of fewer where there would be more patches than that: hundreds of
thousands are enough for a covariance with fewer than 400 rows."""
AT_ONCE = 60_000_000
"""Numbers that patches may have in memory together, in 32 bits and in 64. Those of 1,000 pictures of 64 pixels and an
11 x 11 filter are a billion."""
SMALLEST_VARIANCE = 1e-2
"""Added to each variance, in units of the normalised pictures: the quietest directions are noise, and would otherwise
be blown up."""


def begin(model: nn.Module, config: TrainConfig, pictures: Batches) -> None:
    """Give `model` the first weights that `config` asks for, computed from the training `pictures`."""
    if config.whiten:
        start_from_patches(first_convolution(model), pictures.plain(spread(len(pictures), PICTURES)))
    if config.identity:
        start_as_identity(model)
    if config.freeze_first:
        for layer in first_layers(model):
            layer.requires_grad_(False)


def spread(count: int, most: int) -> torch.Tensor:
    """The positions of at most `most` of `count` pictures, evenly over all: a prepared set has those of a class one
    behind the other, so the first thousand may be nothing but airplanes."""
    taken = min(count, most)
    return torch.arange(taken) * count // taken


def first_convolution(model: nn.Module) -> nn.Conv2d:
    """The first convolution of `model`, which sees the picture."""
    return next(layer for layer in model.modules() if isinstance(layer, nn.Conv2d))


def first_layers(model: nn.Module) -> list[nn.Module]:
    """The first convolution and what follows it, up to the second one: where none of them learns, the way back ends
    behind them."""
    layers = [layer for layer in model.modules() if not list(layer.children())]
    places = [place for place, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    return layers[: places[1]]


@torch.no_grad()
def start_from_patches(layer: nn.Conv2d, images: torch.Tensor) -> None:
    """Give `layer` the directions with the largest variance as filters, each with its opposite, scaled so that every
    answer varies as much; filters that are left over keep their weights.

    `images`: normalised, (N, 3, S, S).
    """
    kernel = layer.kernel_size[0]
    of_one, length = (images.shape[2] - kernel + 1) * (images.shape[3] - kernel + 1), 3 * kernel**2
    images = images[spread(len(images), min(PICTURES, max(1, PATCHES // of_one)))]
    products = torch.zeros(length, length, dtype=torch.float64)
    for some in images.split(max(1, AT_ONCE // (of_one * length))):
        patches = F.unfold(some.float().cpu(), kernel).transpose(1, 2).flatten(0, 1).double()
        products += patches.T @ patches
    values, vectors = torch.linalg.eigh(products / (len(images) * of_one))
    # An eigenvector's sign is arbitrary and may differ between machines; both are taken, the one that sums up first.
    vectors = vectors * torch.where(vectors.sum(0) < 0, -1.0, 1.0)
    directions = (vectors / (values + SMALLEST_VARIANCE).sqrt()).T.flip(0)
    filters = torch.stack([directions, -directions], 1).flatten(0, 1)[: layer.out_channels]
    layer.weight[: len(filters)] = filters.view(-1, *layer.weight.shape[1:]).to(layer.weight)


@torch.no_grad()
def start_as_identity(model: nn.Module) -> None:
    """Let each convolution of `model` after the first hand on the maps it takes, as far as it has filters for them;
    filters that are left over keep their weights, and so do convolutions whose filters do not see all maps."""
    first = first_convolution(model)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d) and layer is not first and layer.groups == 1:
            nn.init.dirac_(layer.weight[: layer.in_channels])
