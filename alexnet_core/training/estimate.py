"""How long a run will take here: a few real steps, timed."""

import time

import numpy as np
import torch

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.devices import choose
from alexnet_core.models import build
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.events import Tick
from alexnet_core.training.loop import Training
from alexnet_core.training.recipes import model_settings

STEPS = 6
"""The first two warm up; the median of the rest counts."""


def estimate_seconds(settings: TrainConfig, data: PreparedSet) -> float:
    """Seconds the training of `settings` (settled ones) will take, evaluations included, if the machine stays as busy
    as it is now. Takes about a second for the small networks. The caller's random state is left as it was."""
    before = torch.get_rng_state(), torch.get_num_threads()
    try:
        compute = choose(settings.device, settings.precision, settings.threads)
        training = Training(
            build(settings.model, len(data.classes), data.image_size, **model_settings(settings)),
            settings,
            compute,
            data.preprocessing,
            (data.images("train"), data.labels("train")),
            (data.images("val")[:1], data.labels("val")[:1]),
            np.array(data.rgb_covariance),
        )
        ticks = [time.perf_counter()]
        for event in training.events():
            if isinstance(event, Tick):
                ticks.append(time.perf_counter())
                if len(ticks) > min(STEPS, training.steps):
                    break
    finally:
        torch.set_rng_state(before[0])
        torch.set_num_threads(before[1])
    step = float(np.median(np.diff(ticks)[2:] if len(ticks) > 3 else np.diff(ticks)))
    # A picture that is only looked at costs a forward pass, a third of a step.
    looks = data.count("val") * settings.epochs + data.count("test" if "test" in data.splits else "val")
    return step * (training.steps + looks / settings.batch_size / 3)
