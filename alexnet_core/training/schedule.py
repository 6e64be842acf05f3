"""How fast to learn at which step."""

import math

from alexnet_core.training.config import TrainConfig

STALLED_EPOCHS = 3
"""Epochs without a better validation loss after which the plateau schedule divides the learning rate by 10."""


def learning_rate(config: TrainConfig, step: int, steps: int, drops: int) -> float:
    """The learning rate of `step` (counted from 1) of `steps`; `drops` is how often the validation has stalled.

    one_cycle rises linearly over the first quarter and falls to zero along a cosine (after Smith and Topin 2018).
    """
    if config.schedule == "one_cycle":
        rise = max(1, steps // 4)
        if step <= rise:
            return config.lr * step / rise
        return config.lr * (1 + math.cos(math.pi * (step - rise) / (steps - rise + 1))) / 2
    if config.schedule == "step":
        drops = (2 * step > steps) + (4 * step > 3 * steps)
    elif config.schedule == "constant":
        drops = 0
    # The paper divided three times and then stopped.
    return config.lr / 10 ** min(drops, 3)
