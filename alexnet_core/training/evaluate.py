"""How good a network is on pictures it did not learn from."""

import math
from collections.abc import Callable, Iterator
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


AT_ONCE, PIXELS_AT_ONCE = 500, 4_000_000
"""Pictures that are looked at together, and how many pixels they have at most. A batch of training says nothing about
it: with 500 pictures of 224 pixels vgg16's first map alone would take 6 GB, in whatever batches it has learned."""


@torch.no_grad()
def evaluate(
    model: nn.Module,
    images: Images,
    labels: np.ndarray,
    preprocessing: Preprocessing | None,
    compute: Compute,
    batch_size: int = 0,
    world: World = ALONE,
    views: str = "one",
    between: Callable[[], None] = lambda: None,
) -> Score:
    """The score of `model` on uint8 images (N, S, S, 3); the model's mode is restored.

    `batch_size` is how many are looked at together; 0 takes as many as fit into an ordinary computer's memory. Without
    `preprocessing` the rows of `images` are what `model` takes as they are: features, in place of pictures. Of
    several `views` (a word of TrainConfig.views) an answer is the mean of their probabilities. Each process of the
    `world` looks at its share of the rows, and all get the whole score. `between` is called after each batch; what it
    raises ends the look.
    """
    was_training = model.training
    model.eval()
    device, count, share = compute.device, len(images), world.share(len(images))
    targets = torch.from_numpy(np.array(labels)).to(device)
    if not batch_size:
        pixels = 1 if preprocessing is None else images.shape[1] * images.shape[2]
        batch_size = max(1, min(AT_ONCE, PIXELS_AT_ONCE // pixels))
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
            between()
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
    # One view after the other: ten copies of the batch would take more memory than the network.
    logits = [model(view.to(memory_format=compute.memory_format)).float() for view in _views(images, views)]
    if len(logits) == 1:
        return logits[0]
    return torch.stack([one.log_softmax(1) for one in logits]).logsumexp(0) - math.log(len(logits))


def _views(images: torch.Tensor, views: str) -> Iterator[torch.Tensor]:
    if views != "ten":
        yield images
        if views == "mirrored":
            yield images.flip(3)
        return
    side, by = images.shape[-1], max(1, round(images.shape[-1] * CORNER))
    padded = F.pad(images, (by,) * 4, mode="replicate")
    for mirrored in (False, True):
        for top, left in ((by, by), (0, 0), (0, 2 * by), (2 * by, 0), (2 * by, 2 * by)):
            cut = padded[..., top : top + side, left : left + side]
            yield cut.flip(3) if mirrored else cut
