"""How long a run has trained, and how fast it goes on."""

import time

from alexnet_core import devices
from alexnet_core.runs.directory import Timing


class Stopwatch:
    """Seconds spent training, pauses and interruptions not counted, and the pace between two points of the curve."""

    def __init__(self, before: float, step: int) -> None:
        """`before`: the seconds until the `step` from which the run goes on."""
        self._before, self._since = before, time.monotonic()
        self.begin(step)

    def begin(self, step: int) -> None:
        """From here on the pace counts."""
        self._first = self._last = (self.seconds(), step)

    def seconds(self) -> float:
        """So far."""
        return self._before + time.monotonic() - self._since

    def stop(self) -> None:
        """Time that passes from here on is no training, until `go_on`."""
        self._before = self.seconds()

    def go_on(self) -> None:
        """Training again."""
        self._since = time.monotonic()

    def timing(self, step: int, epoch: int, steps: int, batch_size: int) -> Timing:
        """That of a point of the curve: the pace since the last one, and the time left for `steps` at the mean pace."""
        now = self.seconds()
        pace, mean_pace = (
            (step - since_step) / max(now - since, 1e-9) for since, since_step in (self._last, self._first)
        )
        self._last = now, step
        return Timing(
            step=step,
            epoch=epoch,
            seconds=now,
            images_per_s=pace * batch_size,
            seconds_left=(steps - step) / mean_pace,
            memory_mb=devices.memory_mb(),
        )
