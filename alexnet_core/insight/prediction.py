"""What a network says about pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import evaluating
from alexnet_core.models import Network

BATCH = 32
"""Pictures in one pass. More are hardly faster on a processor, and 32 of 224 pixels need well under a gigabyte."""


@dataclass(frozen=True)
class ClassProbability:
    """One answer of a network: a class and how probable the network finds it."""

    name: str
    index: int
    probability: float


def logits(network: Network, pictures: Sequence[Image.Image]) -> torch.Tensor:
    """The network's raw answers to RGB pictures of any size: float32 (N, K), on the CPU.

    Raises ExplorerError when an answer is not a finite number.
    """
    device = next(network.model.parameters()).device
    answers = [torch.empty(0, len(network.classes))]
    with torch.no_grad(), evaluating(network.model) as model:
        for start in range(0, len(pictures), BATCH):
            tensors = [network.preprocessing.tensor(picture) for picture in pictures[start : start + BATCH]]
            answers.append(model(torch.cat(tensors).to(device)).float().cpu())  # (N, 3, S, S) -> (N, K)
    return finite(torch.cat(answers))


def finite(answers: torch.Tensor) -> torch.Tensor:
    """The answers of a network, (N, K), as float32. Raises ExplorerError when one is not a finite number."""
    if not bool(torch.isfinite(answers).all()):
        raise ExplorerError(
            "The network's answer is not a finite number: its weights have grown beyond use. Choose another network."
        )
    return answers.float()


def predict(network: Network, pictures: Sequence[Image.Image], top: int = 5) -> list[list[ClassProbability]]:
    """The `top` most probable classes of each picture, most probable first; all of them where there are fewer.

    Raises ExplorerError for a `top` below 1 and for answers that are not finite.
    """
    if top < 1:
        raise ExplorerError(f"At least one class must be asked for, not {top}.")
    probabilities = logits(network, pictures).softmax(dim=1)  # (N, K)
    best = probabilities.topk(min(top, len(network.classes)), dim=1)
    return [
        [ClassProbability(network.classes[index], index, value) for value, index in zip(row, indices, strict=True)]
        for row, indices in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
