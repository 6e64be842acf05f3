"""AlexNet's family: who comes after whom, what each changed, which weakness that answers, what it costs and reaches.

Accuracies are torchvision's own, from the metadata of its weights: one crop of each of ImageNet's 50,000 validation
pictures, at the size given there.
"""

from dataclasses import dataclass
from functools import cache

import torch

from alexnet_core.models import MODELS, build, find_model
from alexnet_core.models.anatomy import anatomy


@dataclass(frozen=True)
class Idea:
    """What one successor brought."""

    title: str
    year: int
    parents: tuple[str, ...]
    """The ideas that it builds upon, by their names in `IDEAS`."""
    changed: str
    """What it does otherwise, in a sentence."""
    answers: str
    """The weakness of AlexNet that this answers, in a sentence."""
    paper: str
    networks: tuple[str, ...]
    """The networks here that have it, in the order of the table."""


IDEAS: dict[str, Idea] = {
    "alexnet": Idea(
        "AlexNet", 2012, (),
        "Five convolutions with filters from 11x11 down to 3x3, ReLU, overlapping pooling, dropout, and three linear "
        "layers, trained on graphics cards.",
        "It began with what earlier networks lacked: enough pictures, enough arithmetic, and units that still learn "
        "when they answer strongly.",
        "Krizhevsky, Sutskever and Hinton 2012",
        ("alexnet", "alexnet_mini"),
    ),
    "vgg": Idea(
        "VGG", 2014, ("alexnet",),
        "Only 3x3 filters, two or three stacked before each pooling, up to nineteen layers.",
        "AlexNet's large first filters pass one ReLU for 11x11 pixels; stacks of small ones see as much, bend the "
        "answer more often, and need fewer weights for it.",
        "Simonyan and Zisserman 2014, arXiv:1409.1556",
        ("vgg11", "vgg16", "vgg_mini"),
    ),
    "inception": Idea(
        "GoogLeNet (Inception)", 2014, ("alexnet",),
        "Filters of several sizes look at the same maps side by side, 1x1 filters make that cheap, and the mean of "
        "each map replaces the linear layers.",
        "AlexNet has to choose one filter size a layer, and keeps nineteen of twenty weights in its linear layers; "
        "here no choice is needed, and a tenth of the weights is enough.",
        "Szegedy et al. 2014, arXiv:1409.4842",
        ("googlenet", "inception_mini"),
    ),
    "batch_norm": Idea(
        "Batch normalisation", 2015, ("inception",),
        "Each map is brought to mean zero and variance one over the batch before its ReLU.",
        "AlexNet learns slowly and only with small steps, for every layer has to follow what the layers before it "
        "change; normalised, it bears steps many times as large.",
        "Ioffe and Szegedy 2015, arXiv:1502.03167",
        ("alexnet_bn", "alexnet_narrow", "alexnet_sprint", "alexnet_lap", "alexnet_track"),
    ),
    "inception_v3": Idea(
        "Inception v3", 2015, ("inception", "batch_norm"),
        "Large filters are split into cheap small ones: 5x5 into two of 3x3, 7x7 into 1x7 and 7x1.",
        "AlexNet pays for the whole square of its 11x11 and 5x5 filters; a row and a column see the same field for a "
        "fraction of it.",
        "Szegedy et al. 2015, arXiv:1512.00567",
        ("inception_v3",),
    ),
    "resnet": Idea(
        "ResNet", 2015, ("vgg", "batch_norm"),
        "Shortcuts pass the maps around every two or three layers, which learn only what to add to them.",
        "AlexNet cannot simply be made deeper: beyond some twenty plain layers even the training error grows; with "
        "shortcuts 152 layers learn.",
        "He et al. 2015, arXiv:1512.03385",
        ("resnet18", "resnet50", "resnet_mini"),
    ),
    "squeezenet": Idea(
        "SqueezeNet", 2016, ("inception",),
        "1x1 filters squeeze many maps into few before 3x3 filters look at them, and there are no linear layers.",
        "AlexNet's 240 MB do not fit where memory is small; this reaches its accuracy with a fiftieth of the weights.",
        "Iandola et al. 2016, arXiv:1602.07360",
        ("squeezenet1_1",),
    ),
    "mobilenet": Idea(
        "MobileNet v3", 2019, ("resnet", "squeezenet"),
        "Each filter looks at one map only, and 1x1 filters mix the maps afterwards; maps are weighted by what the "
        "picture shows, and the arrangement was searched for on telephones.",
        "In AlexNet each filter looks at all maps at once, which is nearly all of its arithmetic; apart, looking and "
        "mixing cost a twelfth of it.",
        "Howard et al. 2019, arXiv:1905.02244",
        ("mobilenet_v3_small",),
    ),
    "efficientnet": Idea(
        "EfficientNet", 2019, ("mobilenet",),
        "Depth, width and picture size grow together by fixed ratios, from a small network that was searched for.",
        "AlexNet's proportions were found by hand, and making one of them larger soon stops to pay; grown together, "
        "each multiply-add brings more.",
        "Tan and Le 2019, arXiv:1905.11946",
        ("efficientnet_b0", "efficientnet_mini"),
    ),
    "efficientnet_v2": Idea(
        "EfficientNet v2", 2021, ("efficientnet",),
        "The first stages mix and look at once again, which machines do faster than apart; the search counted the "
        "time to train.",
        "One that AlexNet does not have: EfficientNet-B0 needs half of its multiply-adds and, on many machines, more "
        "time. Here time counted.",
        "Tan and Le 2021, arXiv:2104.00298",
        ("efficientnet_v2_s",),
    ),
}  # fmt: skip
"""In the order of their papers."""


@dataclass(frozen=True)
class Published:
    """What torchvision's ImageNet weights reach, as fractions of 1, and where that is said."""

    top1: float
    top5: float
    weights: str
    """torchvision's name for them."""
    recipe: str
    """The address where torchvision says how they were trained."""


@dataclass(frozen=True)
class Costs:
    """What a network costs by its shapes alone, for one picture where that matters."""

    image_size: int
    classes: int
    parameters: int
    multiply_adds: int
    activation_bytes: int
    """Of the maps of all layers together, in 32-bit numbers: what a training step has to keep."""
    file_bytes: int
    """Of the weights in 32-bit numbers: the size on disk, but for a header of some kilobytes."""


def idea_of(name: str) -> str | None:
    """The key in `IDEAS` of what the network `name` stands for."""
    return next((key for key, idea in IDEAS.items() if name in idea.networks), None)


@cache
def published(name: str) -> Published | None:
    """The accuracy of torchvision's ImageNet weights for `name`; None where there are none."""
    stated = find_model(name).imagenet_weights
    if stated is None:
        return None
    from torchvision.models import get_weight  # takes seconds to import, and only these weights need it

    weights = get_weight(stated)
    metrics = weights.meta["_metrics"]["ImageNet-1K"]
    return Published(metrics["acc@1"] / 100, metrics["acc@5"] / 100, str(weights), weights.meta["recipe"])


SMALL_CLASSES = 10
"""Classes with which networks for small pictures are counted, as the sets have that they are made for; 1000, as
ImageNet, for the others."""


@cache
def costs(name: str) -> Costs:
    """What the network `name` costs at the size and with the classes that it is made for.

    A layer that a picture passes twice counts its parameters once.
    """
    entry = MODELS[name]
    classes = 1000 if entry.imagenet_weights or entry.image_size >= 224 else SMALL_CLASSES
    with torch.device("meta"):  # shapes and counts need no numbers
        model = build(name, classes, entry.image_size)
    layers = anatomy(model, entry.image_size)
    return Costs(
        entry.image_size,
        classes,
        sum(parameter.numel() for parameter in model.parameters()),
        sum(layer.multiply_adds for layer in layers),
        sum(layer.activation_bytes for layer in layers),
        sum(value.numel() * value.element_size() for value in model.state_dict().values()),
    )
