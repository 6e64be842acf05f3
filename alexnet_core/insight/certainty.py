"""How sure is the network? Its answer is asked for many times, each time a little differently, and the spread is shown;
and it is asked about pictures that show nothing it knows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
import torch
from PIL import Image
from torch import nn

from alexnet_core.data.augment import normalised
from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import evaluating
from alexnet_core.insight.prediction import BATCH
from alexnet_core.models import Network

MARGIN = 8 / 7
"""How much larger the square is that crops are cut from: 256 for 224, as in section 4.1 of the 2012 paper."""
SAMPLES = 50
"""Random networks asked: the spread of their answers is known to a tenth of itself."""


@dataclass(frozen=True)
class Spread:
    """Many answers about one picture."""

    probabilities: np.ndarray
    """float32 (N, K), one row an answer."""

    @property
    def mean(self) -> np.ndarray:
        """(K,), the average, which the 2012 paper takes for the answer."""
        return self.probabilities.mean(axis=0)

    def range(self, index: int) -> tuple[float, float]:
        """Between which values the middle nine tenths of the answers for one class lie."""
        low, high = np.quantile(self.probabilities[:, index], (0.05, 0.95))
        return float(low), float(high)

    @property
    def agreement(self) -> float:
        """The share of the answers whose first class is that of the mean."""
        return float((self.probabilities.argmax(axis=1) == self.mean.argmax()).mean())


def crops(network: Network, picture: Image.Image, mirrored: bool = True) -> np.ndarray:
    """The four corners and the middle of a slightly larger square of the picture, and unless a mirror image is another
    picture (not `mirrored`) those of them: uint8 (10 or 5, S, S, 3), as in Krizhevsky, Sutskever, Hinton 2012, section
    4.1."""
    preprocessing = network.preprocessing
    size = preprocessing.size
    wide = max(size + 2, round(size * MARGIN))
    larger = replace(preprocessing, size=wide, resize=max(wide, preprocessing.resize))
    square = np.asarray(larger.crop(picture))
    last, middle = wide - size, (wide - size) // 2
    corners = ((0, 0), (0, last), (last, 0), (last, last), (middle, middle))
    cut = np.stack([square[top : top + size, left : left + size] for top, left in corners])
    return np.concatenate([cut, cut[:, :, ::-1]]) if mirrored else cut


def dropout_layers(model: nn.Module) -> list[nn.Module]:
    """The layers that switch off units at random while training."""
    return [module for module in model.modules() if isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0]


def dropout_spread(network: Network, picture: Image.Image, samples: int = SAMPLES, seed: int = 0) -> Spread:
    """The answers of `samples` networks in which other units are switched off, as during training (Gal, Ghahramani
    2016, arXiv:1506.02142, section 4). All other layers stay as they are when the network is used.

    The same seed gives the same answers; the random state of the program is as before. Raises ExplorerError for a
    network without dropout.
    """
    if not dropout_layers(network.model):
        raise ExplorerError(f"{network.title} has no dropout to sample with; its crops can be compared instead.")
    device = next(network.model.parameters()).device
    pixels = torch.from_numpy(np.asarray(network.preprocessing.crop(picture)).copy())[None].to(device)
    image = normalised(pixels, network.preprocessing)
    answers = []
    with (
        _DRAWING,
        torch.no_grad(),
        evaluating(network.model),
        dropping(network.model),
        torch.random.fork_rng([device] if device.type == "cuda" else []),
    ):
        torch.manual_seed(seed)
        for start in range(0, samples, BATCH):
            logits = network.model(image.expand(min(BATCH, samples - start), -1, -1, -1)).float()
            answers.append(logits.softmax(dim=1).cpu().numpy())
    return Spread(np.concatenate(answers))


_DRAWING = Lock()
"""Dropout draws from the one generator of the program: two networks sampled at a time would mix their draws."""


@contextmanager
def dropping(model: nn.Module) -> Iterator[None]:
    """Only the dropout layers of `model` in training mode while the block runs; each gets its own mode back."""
    layers = [(layer, layer.training) for layer in dropout_layers(model)]
    for layer, _ in layers:
        layer.train()
    try:
        yield
    finally:
        for layer, training in layers:
            layer.training = training


def strangers(size: int) -> dict[str, Image.Image]:
    """Pictures that show nothing, RGB, `size` x `size`: the same ones every time."""
    rng = np.random.default_rng(0)
    board = np.indices((size, size)) * 8 // size
    return {
        "Coloured noise": Image.fromarray(rng.integers(0, 256, (size, size, 3), dtype=np.uint8)),
        "An even grey": Image.new("RGB", (size, size), (128, 128, 128)),
        "A chessboard": Image.fromarray((board.sum(axis=0) % 2 * 255).astype(np.uint8)).convert("RGB"),
    }
