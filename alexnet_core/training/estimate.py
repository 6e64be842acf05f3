"""How long a run will take here: a few real steps, timed."""

from contextlib import closing
from itertools import islice
from statistics import median

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.pace import fastest, leaving_no_trace, step_seconds

STEPS = 6
"""The first two warm up; the median of the rest counts."""


def estimate_seconds(settings: TrainConfig, data: PreparedSet) -> float:
    """Seconds the training of `settings` (settled ones) will take, evaluations included, if the machine stays as busy
    as it is now. Takes about a second for the small networks, and some more where the fastest way to compute is not
    known yet. The caller's random state and threads are left as they were."""
    steps = settings.steps_per_epoch(data.count("train")) * settings.epochs
    with leaving_no_trace():
        compute = fastest(settings, data)
        with closing(step_seconds(settings, data, compute)) as timed:
            seconds = list(islice(timed, min(STEPS, steps)))
    step = median(seconds[2:] or seconds)
    # A picture that is only looked at costs a forward pass, a third of a step.
    looks = data.count("val") * settings.epochs + data.count("test" if "test" in data.splits else "val")
    return step * (steps + looks / settings.batch_size / 3)
