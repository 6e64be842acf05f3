"""Beginning with what another network has learned (transfer learning): which layers are copied, which of them learn,
and at what pace.

A layer is here what one would draw as a box: a convolution or linear layer with the normalisation behind it, or one of
the compound boxes of a family (a Fire module, an Inception module, a stage of a ResNet). Yosinski et al. 2014 ("How
transferable are features in deep neural networks?") copy the first n of them; Howard and Ruder 2018 (section 3.2) let
each learn slower than the one after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.models import Network
from alexnet_core.preprocess import Preprocessing
from alexnet_core.training.config import TrainConfig

FEW_LAYERS = 4
"""A network with fewer parts than this (AlexNet: features and classifier) is looked at a level deeper."""
LAST_SHARE = 3
"""One layer in so many counts as one of the last: AlexNet's three linear ones of eight."""


def layers_of(model: nn.Module) -> list[tuple[str, ...]]:
    """The layers of `model` from the picture to the answer, each as the dotted names of the modules that make it."""
    parts = [(name, part) for name, part in model.named_children() if _learns(part)]
    if len(parts) < FEW_LAYERS:
        parts = [inner for name, part in parts for inner in _opened(name, part)]
    layers: list[tuple[str, ...]] = []
    for name, part in parts:
        if isinstance(part, nn.BatchNorm2d) and layers:
            layers[-1] += (name,)
        else:
            layers.append((name,))
    return layers


def _opened(name: str, part: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    if not isinstance(part, nn.Sequential):
        yield name, part
        return
    for inner, child in part.named_children():
        if _learns(child):
            yield f"{name}.{inner}", child


def _learns(part: nn.Module) -> bool:
    return next(part.parameters(), None) is not None


def head_of(model: nn.Module) -> str:
    """The dotted name of the last layer, with one output for each class: a linear one, or a convolution."""
    *_, last = (name for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Conv2d))
    return last


def weights_to_copy(
    model: nn.Module, classes: Sequence[str], source: Network, settings: TrainConfig
) -> dict[str, torch.Tensor]:
    """The weights of `source` with which `model` begins, by name; `model` may lie on the meta device.

    The last layer is copied only where both networks know the same `classes`. Raises ExplorerError where the two are
    not of one kind, where their pictures have sizes that need other shapes, and where more layers are asked for than
    there are.
    """
    if source.name != settings.model:
        raise ExplorerError(
            f"{_name(source)} is a network of the kind {source.name}, not {settings.model}; train {source.name}, or "
            "start from another one."
        )
    layers = layers_of(model)
    if settings.copy_layers >= len(layers):
        raise ExplorerError(
            f"{source.title} has {len(layers)} layers, and the last one always begins anew; copy at most "
            f"{len(layers) - 1} of them."
        )
    if settings.learn == "head" and 0 < settings.copy_layers < len(layers) - 1:
        raise ExplorerError(
            "Where the head alone learns, the layers before it have to be copied: those that begin anew would stay as "
            "chance drew them. Leave out copy_layers, or let last_layers learn."
        )
    own, theirs = model.state_dict(), source.model.state_dict()
    left_out = {head_of(model)} if tuple(classes) != source.classes else set()
    if settings.copy_layers:
        left_out = {name for layer in layers[settings.copy_layers :] for name in layer}
    wanted = {name: value for name, value in theirs.items() if not _within(name, left_out)}
    expected = {name for name in own if not _within(name, left_out)}
    if wanted.keys() != expected:
        raise ExplorerError(
            f"{_name(source)} was trained with other layers, with batch normalisation or without; train with the same "
            "setting."
        )
    for name, value in wanted.items():
        if own[name].shape != value.shape:
            size = source.preprocessing.size
            before = next(place for place, layer in enumerate(layers) if _within(name, set(layer)))
            less = f", or copy only its first {before} layers" if before > 1 else ""
            raise ExplorerError(
                f"{_name(source)} looks at pictures of {size} x {size} pixels, and its layers fit no others; prepare "
                f"yours at that size (--size {size}; on the page: Side of the pictures){less}."
            )
    return wanted


def _name(source: Network) -> str:
    return source.source[:80]


def _within(name: str, parts: set[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def begin_with(model: nn.Module, classes: Sequence[str], source: Network, settings: TrainConfig) -> None:
    """Give `model` the weights of `source`, as `weights_to_copy` chooses them."""
    model.load_state_dict(weights_to_copy(model, classes, source, settings), strict=False)


def preprocessing_of(source: Network, image_size: int) -> Preprocessing:
    """How the pictures of a set of `image_size` pixels are to be brought into the form that `source` has learned from:
    with its mean and std, for these its first filters were made."""
    return Preprocessing(image_size, image_size, source.preprocessing.mean, source.preprocessing.std)


def rates(model: nn.Module, settings: TrainConfig) -> dict[str, float]:
    """The learning rate of each parameter that learns, by name, as a share of the run's; the others are left out."""
    layers = layers_of(model)
    if settings.learn == "head":
        layers = [*layers[:-1], (head_of(model),)]
    first = {
        "everything": 0,
        "last_layers": settings.copy_layers or len(layers) - max(2, round(len(layers) / LAST_SHARE)),
        "head": len(layers) - 1,
    }[settings.learn]
    found: dict[str, float] = {}
    for place, layer in enumerate(layers[first:], first):
        share = settings.layer_lr ** (len(layers) - 1 - place)
        found |= {name: share for name, _ in model.named_parameters() if _within(name, set(layer))}
    return found


def resting(model: nn.Module) -> list[nn.Module]:
    """The modules of `model` that stay as they are when it is used, also while it is trained: those whose parameters do
    not learn (a normalisation would go on counting), and dropout before the first one that does."""
    leaves = [module for module in model.modules() if not list(module.children())]
    learning = [any(parameter.requires_grad for parameter in leaf.parameters()) for leaf in leaves]
    if not any(learning):
        return leaves
    first = learning.index(True)
    return [leaf for place, leaf in enumerate(leaves) if not learning[place] and (place < first or _learns(leaf))]


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of the answers before a head, float32 (C, 1, 1) each.

    A head learns many times faster from answers of mean 0 and deviation 1 (LeCun et al. 1998, “Efficient BackProp”,
    section 4.3): while it learns, its weights are written for these, and a network that is kept gets the weights that
    say the same of the answers as they are.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def standardised(self, weight: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights (K, C, ...) and biases (K,) for answers as they are, written for standardised ones."""
        scaled = weight * self._along(weight, self.std)
        return scaled, bias + (weight * self._along(weight, self.mean)).flatten(1).sum(1)

    def plain(self, weight: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The inverse of `standardised`."""
        scaled = weight / self._along(weight, self.std)
        return scaled, bias - (scaled * self._along(weight, self.mean)).flatten(1).sum(1)

    @staticmethod
    def _along(weight: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        return values.to(weight.device).view(1, -1, *[1] * (weight.ndim - 2))


class Tail(nn.Module):
    """The head of a network with what lies behind it, as a network of its own: it goes on from the answers of the
    layers before (`answers_before`), and its parameters are those of the whole."""

    def __init__(self, model: nn.Module, head: str, moments: Moments | None = None) -> None:
        """With `moments` the head is one for standardised answers."""
        super().__init__()
        self.moments = moments
        parent, _, name = head.rpartition(".")
        around = model.get_submodule(parent)
        behind = [model.get_submodule(head)]
        if isinstance(around, nn.Sequential):
            names = [child for child, _ in around.named_children()]
            behind = list(around)[names.index(name) :]
        self.layers = nn.Sequential(*behind)

    def forward(self, answers: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) as `answers_before` has them -> logits (N, K). 16-bit numbers may come as integers of the same
        bits, which is how they lie on the disk."""
        if answers.dtype == torch.int16:
            answers = answers.view(torch.bfloat16)
        if self.moments is not None:
            answers = (answers.float() - self.moments.mean) / self.moments.std
        if isinstance(self.layers[0], nn.Linear):
            answers = answers.flatten(1)
        return self.layers(answers).flatten(1)


class _Reached(Exception):
    """The layer was reached; there is no need to compute what comes after it."""


@torch.no_grad()
def answers_before(model: nn.Module, head: str, images: torch.Tensor) -> torch.Tensor:
    """What the layers before `head` answer to `images` (N, 3, S, S): (N, C, H, W), one by one where the head is linear.

    `model` has to be in eval mode; no hook is left behind.
    """
    found: list[torch.Tensor] = []

    def note(_: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        found.append(inputs[0])
        raise _Reached

    handle = model.get_submodule(head).register_forward_pre_hook(note)
    try:
        model(images)
    except _Reached:
        pass
    finally:
        handle.remove()
    answers = found[0]
    return answers if answers.ndim == 4 else answers[:, :, None, None]
