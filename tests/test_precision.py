"""16 bits or 32; the clock is a table, so that no machine decides."""

from collections.abc import Iterator

import pytest
import torch

from alexnet_core import precision
from alexnet_core.precision import SIDES, emulated, fastest, gain

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    gain.cache_clear()
    yield
    gain.cache_clear()


def clock(monkeypatch: pytest.MonkeyPatch, half: dict[int, float]) -> list[int]:
    """Products in 16 bits take so many seconds by their side, others one; gives the sides that are timed in 16 bits."""
    timed: list[int] = []

    def seconds(kind: torch.dtype, side: int, device: torch.device) -> float:
        if kind == torch.float32:
            return 1.0
        timed.append(side)
        return half[side]

    monkeypatch.setattr(precision, "_seconds", seconds)
    return timed


def test_a_small_product_is_enough_to_tell_that_16_bits_are_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    timed = clock(monkeypatch, dict.fromkeys(SIDES, 100.0))
    assert emulated(CPU)
    assert fastest(CPU) == torch.float32
    assert timed == [SIDES[0]]  # once, and the large one, which would take seconds, never


def test_the_large_product_decides_where_16_bits_are_not_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(monkeypatch, {SIDES[0]: 1.1, SIDES[1]: 0.4})
    assert fastest(CPU) == torch.bfloat16
    assert not emulated(CPU)


def test_a_little_faster_is_not_worth_the_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(monkeypatch, {SIDES[0]: 1.0, SIDES[1]: 0.9})
    assert fastest(CPU) == torch.float32
    assert not emulated(CPU)


def test_this_machine_decides_the_same_way_again() -> None:
    first = fastest(CPU)
    gain.cache_clear()
    assert fastest(CPU) == first
