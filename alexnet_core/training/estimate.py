"""How long a run will take here: a few real steps, timed."""

import time
from contextlib import closing
from dataclasses import replace
from itertools import islice
from statistics import median

import numpy as np
import torch

from alexnet_core.data.augment import normalised
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.devices import Compute
from alexnet_core.models import build
from alexnet_core.training.config import BOUNDS, TrainConfig
from alexnet_core.training.pace import fastest, leaving_no_trace, step_seconds
from alexnet_core.training.recipes import model_settings
from alexnet_core.training.transfer import Tail, answers_before, head_of

STEPS = 6
"""The first two warm up; the median of the rest counts."""
MANY = 1000
"""Epochs of a run beside which its one test is nothing."""
MOST_EPOCHS = int(BOUNDS["epochs"][1])
"""That a run may have: of a few dozen pictures as many are over in minutes."""
VIEWS = {"one": 1, "mirrored": 2, "ten": 10}
"""How often the test at the end looks at each picture, by the setting `views`."""


def estimate_seconds(settings: TrainConfig, data: PreparedSet) -> float:
    """Seconds the training of `settings` (settled ones) will take, evaluations included, if the machine stays as busy
    as it is now. Takes about a second for the small networks, and some more where the fastest way to compute is not
    known yet. The caller's random state and threads are left as they were."""
    steps = settings.steps_per_epoch(data.count("train")) * settings.epochs
    with leaving_no_trace():
        compute = fastest(settings, data)
        if settings.learn == "head":
            return _head_seconds(settings, data, compute, steps)
        with closing(step_seconds(settings, data, compute)) as timed:
            seconds = list(islice(timed, min(STEPS, steps)))
    step = median(seconds[2:] or seconds)
    # A picture that is only looked at costs a forward pass, a third of a step.
    looks = data.count("val") * settings.epochs + _looks_at_the_end(settings, data)
    return step * (steps + looks / settings.batch_size / 3)


def _looks_at_the_end(settings: TrainConfig, data: PreparedSet) -> int:
    return VIEWS[settings.views] * data.count("test" if "test" in data.splits else "val")


LOOKED_AT = 32
"""Pictures of one timed look."""


def _head_seconds(settings: TrainConfig, data: PreparedSet, compute: Compute, steps: int) -> float:
    """One look at each picture, and at each training picture's mirror image; then steps of the head alone."""
    model = compute.place(build(settings.model, len(data.classes), data.image_size, **model_settings(settings))).eval()
    head = head_of(model)
    images = torch.from_numpy(np.array(data.images("train")[:LOOKED_AT])).to(compute.device)
    looks = []
    for _ in range(3):  # the first one warms up
        start = time.perf_counter()
        with compute.autocast():
            pictures = normalised(images, data.preprocessing).to(memory_format=compute.memory_format)
            answers = answers_before(model, head, pictures)
        compute.wait()
        looks.append((time.perf_counter() - start) / len(images))
    tail = Tail(model, head)
    batch = answers[torch.arange(settings.batch_size, device=compute.device) % len(answers)].detach()
    learned = []
    for _ in range(STEPS):
        start = time.perf_counter()
        with compute.autocast():
            loss = tail(batch).float().square().mean()
        loss.backward()
        compute.wait()
        learned.append(time.perf_counter() - start)
    times = data.count("train") * (1 + settings.reflect) + data.count("val")
    times += _looks_at_the_end(settings, data)
    return min(looks[1:]) * times + median(learned[2:]) * steps


def epochs_within(seconds: float, settings: TrainConfig, data: PreparedSet) -> int:
    """The most epochs of `settings` (settled ones) that take no more than `seconds` here, their validations included;
    at least 1, at most MOST_EPOCHS. Takes up to some ten seconds where the fastest way to compute is not known yet."""
    # Of a long run, for which it pays to find that way: the runs that are asked for then compute in it, too.
    found = int(seconds / (estimate_seconds(replace(settings, epochs=MANY), data) / MANY))
    return min(MOST_EPOCHS, max(1, found))
