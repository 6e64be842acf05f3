"""Do the pixels that a map marks carry the answer? They are taken away, or put in, the most important first.

Deletion and insertion after Petsiuk, Das, Saenko 2018, "RISE", arXiv:1806.07421, section 3.3.
"""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torchvision.transforms.functional import gaussian_blur

from alexnet_core.insight.attribution import Attribution
from alexnet_core.insight.hooks import evaluating
from alexnet_core.insight.likeness import as_drawn
from alexnet_core.insight.prediction import BATCH, finite
from alexnet_core.models import Network

STEPS = 20
"""Each takes a twentieth of the pixels; finer curves have areas that differ in the third digit."""
BLUR = 1 / 22
"""Standard deviation of the blur that insertion begins with, as a share of the side: ten pixels of 224, which leaves of
the picture only its colours in the large."""


@dataclass(frozen=True)
class Curve:
    """The probability of a class while pixels are taken away or put in."""

    shares: np.ndarray
    """float (STEPS + 1,), the share of the pixels that were, 0 to 1."""
    probabilities: np.ndarray
    """float32 (STEPS + 1,)."""

    @property
    def area(self) -> float:
        """Under the curve, 0 to 1: for deletion the smaller the better, for insertion the larger."""
        return float(np.trapezoid(self.probabilities, self.shares))


@dataclass(frozen=True)
class Curves:
    """Both curves for one order of the pixels."""

    deletion: Curve
    """From the picture to the mean colour."""
    insertion: Curve
    """From a blurred picture to the picture."""


def order_of(explained: Attribution, seed: int = 0) -> np.ndarray:
    """The pixels, int (S * S,), from the one that the map finds most important for the class; chance decides between
    equal ones, which a map cut off at zero has many of."""
    values = as_drawn(explained).ravel()
    return np.lexsort((np.random.default_rng(seed).random(values.size), -values))


def random_order(side: int, seed: int) -> np.ndarray:
    """The pixels of a square of `side` in an order that knows nothing, int (side * side,)."""
    return np.random.default_rng(seed).permutation(side * side)


def curves(
    network: Network, picture: Image.Image, target: int, order: np.ndarray, against: int | None = None
) -> Curves:
    """The probability of class `target` while the pixels go, and come, in `order`; 2 * (STEPS + 1) forward passes.

    With `against`, for a map of the difference of two classes: the probability of `target` if there were no others than
    these two. Raises ExplorerError when the network's answers are no numbers.
    """
    device = next(network.model.parameters()).device
    size = network.preprocessing.size
    image = network.preprocessing.tensor(picture).to(device)  # (1, 3, S, S)
    sigma = size * BLUR
    blurred = gaussian_blur(image, kernel_size=[2 * round(2 * sigma) + 1] * 2, sigma=[sigma, sigma])
    counts = np.linspace(0, size * size, STEPS + 1).round().astype(int)
    rank = np.empty(size * size, dtype=np.int64)
    rank[order] = np.arange(size * size)
    done = torch.from_numpy(rank[None] < counts[:, None]).view(-1, 1, size, size).to(device)  # (STEPS + 1, 1, S, S)
    shares = counts / counts[-1]
    asked = [target] if against is None else [target, against]
    with torch.no_grad(), evaluating(network.model):
        gone = _probabilities(network, asked, done, image, torch.zeros_like(image))
        come = _probabilities(network, asked, done, blurred, image)
    return Curves(Curve(shares, gone), Curve(shares, come))


def _probabilities(
    network: Network, asked: list[int], done: torch.Tensor, before: torch.Tensor, after: torch.Tensor
) -> np.ndarray:
    """Of the first class of `asked`: among all classes, or among the two asked about."""
    logits = finite(torch.cat([network.model(torch.where(part, after, before)) for part in done.split(BATCH)]))
    if len(asked) == 2:
        return logits[:, asked].softmax(dim=1)[:, 0].cpu().numpy()
    return logits.softmax(dim=1)[:, asked[0]].cpu().numpy()
