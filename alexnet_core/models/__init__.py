"""The networks one can train, look into, explain: `MODELS` names them, `build` makes one, `Network` is one to use."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.models.alexnet import (
    FULL,
    NARROW,
    Plan,
    alexnet,
    alexnet_bn,
    alexnet_mini,
    alexnet_narrow,
    check_size,
    mini_plan,
)
from alexnet_core.models.minis import efficientnet_mini, inception_mini, resnet_mini, vgg_mini
from alexnet_core.models.sprint import alexnet_lap, alexnet_sprint, alexnet_track
from alexnet_core.models.zoo import build_torchvision
from alexnet_core.preprocess import Preprocessing


@dataclass(frozen=True)
class ModelEntry:
    """One line of the table of networks."""

    title: str
    year: int
    image_size: int
    """The side in pixels the network was made for."""
    about: str
    smallest: int
    """The side in pixels of the smallest picture that is accepted: on a smaller one a map would vanish, or, in networks
    whose paddings keep every map alive, the last map would shrink to less than one value of its own."""
    settings: tuple[str, ...] = ()
    """The names of the settings `build` takes besides classes and size."""
    imagenet_weights: str | None = None
    """torchvision's name for its ImageNet weights, where there are any."""
    ours: Callable[..., nn.Module] | None = None
    """Our own constructor; None means torchvision's network of the same name."""
    plan: Callable[[int], Plan] | None = None
    """Of an AlexNet, its numbers for pictures of this many pixels."""
    branches: bool = False
    """Whether ways through a network of our own part and meet again, so that it is no row of layers to be drawn."""


MODELS: dict[str, ModelEntry] = {
    "alexnet": ModelEntry(
        "AlexNet", 2012, 224, "Five convolutions and three linear layers; the network that began it all.",
        63, ("dropout",), "AlexNet_Weights.IMAGENET1K_V1", alexnet,
        lambda _: FULL,
    ),
    "alexnet_bn": ModelEntry(
        "AlexNet with batch normalisation", 2015, 224,
        "AlexNet that learns faster: each map is normalised before its ReLU.", 63, ("dropout",), None, alexnet_bn,
        lambda _: FULL,
    ),
    "alexnet_mini": ModelEntry(
        "AlexNet mini", 2012, 64, "The same topology for pictures of 32 to 128 pixels; trains in minutes on a laptop.",
        15, ("dropout", "batch_norm"), None, alexnet_mini, mini_plan,
    ),
    "alexnet_narrow": ModelEntry(
        "AlexNet with a narrow classifier", 2015, 128,
        "AlexNet's convolutions with batch normalisation; the linear layers have 512 units in place of 4,096.",
        63, ("dropout",), None, alexnet_narrow, lambda _: NARROW,
    ),
    "alexnet_sprint": ModelEntry(
        "AlexNet sprint", 2012, 32, "Four small convolutions and one linear layer: learns small pictures in seconds.",
        16, ("dropout",), None, alexnet_sprint,
    ),
    "alexnet_lap": ModelEntry(
        "AlexNet lap", 2012, 32, "The sprint with more filters and one convolution more: for a minute or two.",
        16, ("dropout",), None, alexnet_lap,
    ),
    "alexnet_track": ModelEntry(
        "AlexNet track", 2012, 32,
        "Seven convolutions and one linear layer: the most accurate on small pictures, in minutes.",
        16, ("dropout",), None, alexnet_track,
    ),
    "vgg_mini": ModelEntry(
        "VGG mini", 2014, 32, "Stacks of 3x3 filters at the cost of AlexNet mini; trains in minutes.",
        16, ("dropout",), None, vgg_mini,
    ),
    "inception_mini": ModelEntry(
        "Inception mini", 2014, 32, "Filters of several sizes side by side at the cost of AlexNet mini.",
        16, ("dropout",), None, inception_mini, branches=True,
    ),
    "resnet_mini": ModelEntry(
        "ResNet mini", 2015, 32, "Shortcuts around every two convolutions at the cost of AlexNet mini.",
        16, ("dropout",), None, resnet_mini, branches=True,
    ),
    "efficientnet_mini": ModelEntry(
        "EfficientNet mini", 2019, 32,
        "Filters that look at one map each, and maps that are weighted, at the cost of AlexNet mini.",
        16, ("dropout",), None, efficientnet_mini, branches=True,
    ),
    "vgg11": ModelEntry(
        "VGG-11", 2014, 224, "Only 3x3 filters, stacked deeper.", 32, ("dropout",), "VGG11_Weights.IMAGENET1K_V1"
    ),
    "vgg16": ModelEntry(
        "VGG-16", 2014, 224, "Sixteen layers of 3x3 filters; simple and heavy.", 32, ("dropout",),
        "VGG16_Weights.IMAGENET1K_V1",
    ),
    "googlenet": ModelEntry(
        "GoogLeNet", 2014, 224, "Filters of several sizes side by side (Inception), and no large linear layers.",
        32, ("dropout",), "GoogLeNet_Weights.IMAGENET1K_V1",
    ),
    "inception_v3": ModelEntry(
        "Inception v3", 2015, 299, "Large filters split into cheap small ones.", 75, ("dropout",),
        "Inception_V3_Weights.IMAGENET1K_V1",
    ),
    "resnet18": ModelEntry(
        "ResNet-18", 2015, 224, "Shortcuts around every two layers let deep networks learn.", 32, (),
        "ResNet18_Weights.IMAGENET1K_V1",
    ),
    "resnet50": ModelEntry(
        "ResNet-50", 2015, 224, "Fifty layers with shortcuts and 1x1 bottlenecks.", 32, (),
        "ResNet50_Weights.IMAGENET1K_V2",
    ),
    "squeezenet1_1": ModelEntry(
        "SqueezeNet 1.1", 2016, 224, "AlexNet's accuracy with fifty times fewer parameters.",
        32, ("dropout",), "SqueezeNet1_1_Weights.IMAGENET1K_V1",
    ),
    "mobilenet_v3_small": ModelEntry(
        "MobileNet v3 small", 2019, 224, "Made for telephones: each filter looks at one channel.",
        32, ("dropout",), "MobileNet_V3_Small_Weights.IMAGENET1K_V1",
    ),
    "efficientnet_b0": ModelEntry(
        "EfficientNet-B0", 2019, 224, "Depth, width and picture size grown together.",
        32, ("dropout",), "EfficientNet_B0_Weights.IMAGENET1K_V1",
    ),
    "efficientnet_v2_s": ModelEntry(
        "EfficientNet-V2 small", 2021, 384, "EfficientNet searched again for speed of training.",
        32, ("dropout",), "EfficientNet_V2_S_Weights.IMAGENET1K_V1",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Network:
    """A model with all that is needed to use it: class names, preprocessing, the settings it was built with."""

    name: str
    model: nn.Module
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    settings: dict[str, Any] = field(default_factory=dict)
    source: str = "untrained"
    """Where the weights come from, for the screen: a run's name, a file, ImageNet."""

    @property
    def title(self) -> str:
        """The name for the screen."""
        return MODELS[self.name].title


def find_model(name: str) -> ModelEntry:
    """The entry called `name`. Raises ExplorerError, naming the ones there are."""
    if name not in MODELS:
        raise ExplorerError(f"There is no network called {name!r:.80}. Choose one of: {', '.join(MODELS)}.")
    return MODELS[name]


def check_image_size(name: str, image_size: int) -> None:
    """Refuse pictures too small (or absurdly large) for the network, saying which size works."""
    entry = find_model(name)
    if not 8 <= image_size <= 1024:
        raise ExplorerError(f"A picture size of {image_size} pixels is not possible; choose 8 to 1024.")
    if entry.plan is not None:
        check_size(entry.plan(image_size), image_size)
    elif image_size < entry.smallest:
        raise ExplorerError(
            f"Pictures of {image_size} pixels are too small for {entry.title}; the smallest size that works is "
            f"{entry.smallest} pixels."
        )


def build(name: str, num_classes: int, image_size: int | None = None, **settings: Any) -> nn.Module:
    """The network `name` with random weights, `num_classes` outputs, for square pictures of `image_size` pixels.

    Settings the network does not have are refused. Raises ExplorerError for an unknown name, an impossible number of
    classes or too small a picture.
    """
    entry = find_model(name)
    size = entry.image_size if image_size is None else image_size
    if not 2 <= num_classes <= 100_000:
        raise ExplorerError(f"A network needs at least two classes to tell apart, not {num_classes}.")
    check_image_size(name, size)
    unknown = sorted(set(settings) - set(entry.settings))
    if unknown:
        raise ExplorerError(f"{entry.title} has no setting called {', '.join(unknown)}.")
    if entry.ours is not None:
        return entry.ours(num_classes=num_classes, image_size=size, **settings)
    return build_torchvision(name, num_classes, **settings)
