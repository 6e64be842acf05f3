"""How good a network is on pictures it did not learn from."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from alexnet_core.devices import Compute
from alexnet_core.preprocess import Preprocessing


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


@torch.no_grad()
def evaluate(
    model: nn.Module,
    images: np.ndarray,
    labels: np.ndarray,
    preprocessing: Preprocessing,
    compute: Compute,
    batch_size: int = 500,
) -> Score:
    """The score of `model` on uint8 images (N, S, S, 3); the model's mode is restored."""
    was_training = model.training
    model.eval()
    loss, hits1, hits5 = 0.0, 0, 0
    predictions, probabilities = [], []
    for start in range(0, len(images), batch_size):
        stop = start + batch_size
        batch = preprocessing.normalise(torch.from_numpy(np.array(images[start:stop])).to(compute.device))
        target = torch.from_numpy(np.array(labels[start:stop])).to(compute.device)
        with compute.autocast():
            logits = model(batch.contiguous(memory_format=compute.memory_format))
        logits = logits.float()
        best = logits.topk(min(5, logits.shape[1]), dim=1).indices
        # Summed in 64 bits: the result must not depend on how the images are cut into batches.
        loss += float(F.cross_entropy(logits, target, reduction="none").double().sum())
        hits1 += int((best[:, 0] == target).sum())
        hits5 += int((best == target[:, None]).sum())
        predictions.append(best[:, 0].cpu().numpy())
        probabilities.append(logits.softmax(1).gather(1, best[:, :1])[:, 0].cpu().numpy())
    model.train(was_training)
    count = len(images)
    return Score(loss / count, hits1 / count, hits5 / count, np.concatenate(predictions), np.concatenate(probabilities))
