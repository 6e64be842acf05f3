from itertools import pairwise

import pytest

from alexnet_core.training.config import TrainConfig
from alexnet_core.training.schedule import learning_rate


def test_a_warmed_up_learning_rate_rises_falls_and_ends_near_zero() -> None:
    config = TrainConfig(schedule="one_cycle", lr=1.0)
    rates = [learning_rate(config, step, 100, 0) for step in range(1, 101)]
    assert max(rates) == rates[24] == 1.0
    assert rates == sorted(rates[:25]) + sorted(rates[25:], reverse=True)
    assert rates[-1] < 0.001


def test_a_triangle_has_straight_sides() -> None:
    config = TrainConfig(schedule="triangle", lr=1.0)
    rates = [learning_rate(config, step, 100, 0) for step in range(1, 101)]
    assert max(rates) == rates[22] == 1.0
    for side, slope in ((rates[:23], 0.8 / 23), (rates[22:], -1 / 78)):
        assert [after - before for before, after in pairwise(side)] == pytest.approx([slope] * (len(side) - 1))
    assert 0.2 < rates[0] < 0.25
    assert 0 < rates[-1] < 0.02


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", [1, 1, 1, 1]), ("step", [1, 1, 0.1, 0.01]), ("plateau", [0.01] * 4)],
)
def test_the_other_schedules(schedule: str, expected: list[float]) -> None:
    config = TrainConfig(schedule=schedule, lr=1.0)
    assert [learning_rate(config, step, 100, 2) for step in (1, 50, 51, 76)] == pytest.approx(expected)
