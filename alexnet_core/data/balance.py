"""Classes with unequal numbers of pictures: how unequal, and two ways to let all count alike while a network learns."""

from collections.abc import Sequence

import numpy as np
import torch

from alexnet_core.data.augment import mix, order


def imbalance(counts: Sequence[int]) -> float:
    """The largest class's pictures over those of the smallest that has any; 1 where all are alike."""
    present = [count for count in counts if count]
    return max(present) / min(present) if present else 1.0


def class_weights(labels: np.ndarray) -> np.ndarray:
    """What a mistake in each class counts, float32 (K,) for labels below K: in inverse proportion to its pictures, and
    1 on average over them all, so that the loss keeps its size. A class without pictures has 0."""
    counts = np.bincount(labels)
    even = len(labels) / np.count_nonzero(counts)  # pictures of each class if all had equally many
    return np.divide(even, counts, out=np.zeros(len(counts)), where=counts > 0).astype(np.float32)


def even_order(seed: int, epoch: int, labels: np.ndarray) -> torch.Tensor:
    """The order in which an epoch takes as many images as there are labels, all classes equally often: int64 (N,).

    Within a class every picture comes as often as any other, give or take one; where a class has more pictures than
    places, chance leaves others out in each epoch. It depends on (seed, epoch) alone.
    """
    present = np.unique(labels)
    # Whom the places go to that are left over when they do not divide evenly is drawn anew in each epoch.
    turns = order(mix(seed, 5), epoch, len(present)).numpy()
    rows = np.empty(len(labels), np.int64)
    for turn, place in enumerate(turns):
        label = int(present[place])
        members, places = np.flatnonzero(labels == label), len(range(turn, len(labels), len(present)))
        rounds = -(-places // len(members))
        taken = [order(mix(seed, 6, label, number), epoch, len(members)).numpy() for number in range(rounds)]
        rows[turn :: len(present)] = members[np.concatenate(taken)[:places]]
    return torch.from_numpy(rows)[order(seed, epoch, len(labels))]
