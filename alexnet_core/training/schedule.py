"""How fast to learn at which step."""

import math

from alexnet_core.training.config import TrainConfig

STALLED_EPOCHS = 3
"""Epochs without a better validation loss after which the plateau schedule divides the learning rate by 10."""


def learning_rate(config: TrainConfig, step: int, steps: int, drops: int) -> float:
    """The learning rate of `step` (counted from 1) of `steps`; `drops` is how often the validation has stalled.

    one_cycle rises linearly over the first quarter and falls to zero along a cosine (after Smith and Topin 2018).
    triangle rises from a fifth and falls to zero in a straight line (Jordan 2024, arXiv:2404.00498, appendix), so it
    stays longer in the middle, and shorter at both ends.
    """
    if config.schedule == "one_cycle":
        rise = max(1, steps // 4)
        if step <= rise:
            return config.lr * step / rise
        return config.lr * (1 + math.cos(math.pi * (step - rise) / (steps - rise + 1))) / 2
    if config.schedule == "triangle":
        rise = max(1, int(0.23 * steps))
        if step <= rise:
            return config.lr * (0.2 + 0.8 * step / rise)
        return config.lr * (1 - (step - rise) / (steps - rise + 1))
    if config.schedule == "step":
        drops = (2 * step > steps) + (4 * step > 3 * steps)
    elif config.schedule == "constant":
        drops = 0
    # The paper divided three times and then stopped.
    return config.lr / 10 ** min(drops, 3)
