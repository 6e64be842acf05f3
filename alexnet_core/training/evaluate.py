"""How good a network is on pictures it did not learn from."""

import math
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from alexnet_core.data.augment import normalised
from alexnet_core.devices import Compute
from alexnet_core.distributed import ALONE, World
from alexnet_core.preprocess import Preprocessing
from alexnet_core.training.batches import Images, pieces


@dataclass(frozen=True)
class Score:
    """The mean cross-entropy in nats, accuracies as fractions of 1, and the answer to each picture."""

    loss: float
    top1: float
    top5: float
    """The share of pictures whose true class is among the five most probable; with five classes or fewer it is 1."""
    predictions: np.ndarray
    """(N,) int64."""
    probabilities: np.ndarray
    """(N,) float32, of the predicted class."""


CORNER = 1 / 32
"""How far the corner views are moved, as a share of the side. The paper cuts 224 pixels out of 256, in the middle or up
to 16 pixels beside it; small pictures have no such room, and on CIFAR-10 a pixel gave the lowest validation loss (two
pixels 4 % more, three 11 %)."""


@torch.no_grad()
def evaluate(
    model: nn.Module,
    images: Images,
    labels: np.ndarray,
    preprocessing: Preprocessing | None,
    compute: Compute,
    batch_size: int = 500,
    world: World = ALONE,
    views: str = "one",
) -> Score:
    """The score of `model` on uint8 images (N, S, S, 3); the model's mode is restored.

    Without `preprocessing` the rows of `images` are what `model` takes as they are: features, in place of pictures. Of
    several `views` (a word of TrainConfig.views) an answer is the mean of their probabilities. Each process of the
    `world` looks at its share of the rows, and all get the whole score.
    """
    was_training = model.training
    model.eval()
    device, count, share = compute.device, len(images), world.share(len(images))
    targets = torch.from_numpy(np.array(labels)).to(device)
    cuts = [slice(start, min(start + batch_size, share.stop)) for start in range(share.start, share.stop, batch_size)]
    parts = [torch.empty(4, 0, device=device)]
    with closing(pieces(images, cuts, device)) as found:
        for cut, batch in zip(cuts, found, strict=True):
            with compute.autocast():
                shown = batch if preprocessing is None else normalised(batch, preprocessing)
                logits = _answers(model, shown, views, compute)
            best = logits.topk(min(5, logits.shape[1]), dim=1).indices
            target = targets[cut]
            losses = F.cross_entropy(logits, target, reduction="none")
            among_five = (best == target[:, None]).any(1)
            probabilities = logits.softmax(1).gather(1, best[:, :1])[:, 0]
            parts.append(torch.stack([losses, among_five.float(), best[:, 0].float(), probabilities]))
    model.train(was_training)
    # Brought over once, at the end, and summed in 64 bits: however the images are shared and cut, the sum is the same.
    losses, among_five, predictions, probabilities = np.concatenate(world.gather(torch.cat(parts, 1).cpu().numpy()), 1)
    predictions = predictions.astype(np.int64)
    loss, hits5 = float(losses.sum(dtype=np.float64)), float(among_five.sum(dtype=np.float64))
    hits1 = int((predictions == labels).sum())
    return Score(loss / count, hits1 / count, hits5 / count, predictions, probabilities)


def _answers(model: nn.Module, images: torch.Tensor, views: str, compute: Compute) -> torch.Tensor:
    """Logits (N, K) of preprocessed images (N, 3, S, S), in 32 bits; of several views the logarithms of the mean
    probabilities, of which the softmax makes these again."""
    shown = [view.to(memory_format=compute.memory_format) for view in _views(images, views)]
    if len(shown) == 1:
        return model(shown[0]).float()
    return torch.stack([model(view).float().log_softmax(1) for view in shown]).logsumexp(0) - math.log(len(shown))


def _views(images: torch.Tensor, views: str) -> list[torch.Tensor]:
    if views == "one":
        return [images]
    if views == "mirrored":
        return [images, images.flip(3)]
    side, by = images.shape[-1], max(1, round(images.shape[-1] * CORNER))
    padded = F.pad(images, (by,) * 4, mode="replicate")
    places = ((by, by), (0, 0), (0, 2 * by), (2 * by, 0), (2 * by, 2 * by))
    cut = [padded[..., top : top + side, left : left + side] for top, left in places]
    return [*cut, *(view.flip(3) for view in cut)]
