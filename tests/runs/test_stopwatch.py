import pytest

from alexnet_core.runs import stopwatch
from alexnet_core.runs.stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that passes, for the test to set."""
    now = [100.0]
    monkeypatch.setattr(stopwatch.time, "monotonic", lambda: now[0])
    return now


def test_pauses_are_not_counted_and_what_was_before_is(clock: list[float]) -> None:
    watch = Stopwatch(before=50.0, step=10)
    clock[0] += 2.0
    watch.stop()
    clock[0] += 1000.0
    watch.go_on()
    clock[0] += 3.0
    assert watch.seconds() == pytest.approx(55.0)


def test_speed_is_that_since_the_last_point_and_the_rest_goes_at_the_mean(clock: list[float]) -> None:
    watch = Stopwatch(before=0.0, step=0)
    clock[0] += 10.0
    watch.begin(0)  # what came before the first step, as looking at each picture once, is no pace
    clock[0] += 1.0
    first = watch.timing(step=10, epoch=1, steps=100, batch_size=8)
    assert (first.images_per_s, first.seconds_left) == (pytest.approx(80.0), pytest.approx(9.0))
    clock[0] += 3.0
    second = watch.timing(step=20, epoch=1, steps=100, batch_size=8)
    assert (second.images_per_s, second.seconds_left) == (pytest.approx(80 / 3), pytest.approx(80 / 5))
    assert second.seconds == pytest.approx(14.0)
    assert second.memory_mb > 0
