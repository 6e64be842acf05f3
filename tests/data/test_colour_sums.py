"""Colour statistics: those of numpy over all pixels at once, to the bit the same however the pixels are cut."""

import json

import numpy as np
import pytest

from alexnet_core.data.colour_sums import BLOCK, MANY, ColourSums


@pytest.mark.parametrize("pixels", [1, BLOCK - 1, BLOCK, MANY + BLOCK + 7])
def test_sums_are_exact(pixels: int) -> None:
    values = np.random.default_rng(pixels).integers(0, 256, (pixels, 3), dtype=np.uint8)
    values[: pixels // 2] //= 255  # nearly black: the largest products
    exact = values.astype(np.int64) - 128
    sums = ColourSums.of(values.tobytes())
    assert sums.pixels == pixels
    assert np.array_equal(sums.sums, exact.sum(axis=0))
    assert np.array_equal(sums.products, exact.T @ exact)
    mean, std, covariance = sums.statistics()
    assert mean == pytest.approx(values.mean(axis=0) / 255, abs=1e-12)
    assert std == pytest.approx(np.maximum(values.std(axis=0) / 255, 1 / 255), abs=1e-12)
    assert covariance == pytest.approx(np.atleast_2d(np.cov(values.T / 255, bias=True)), abs=1e-12)


def test_pieces_add_up_to_the_whole_in_any_order_and_through_json() -> None:
    values = np.random.default_rng(0).integers(0, 256, (5_000, 3), dtype=np.uint8)
    whole = ColourSums.of(values.tobytes())
    pieces = [ColourSums.of(piece.tobytes()) for piece in np.array_split(values, 7)]
    added = ColourSums.of()
    for piece in reversed(pieces):
        added = ColourSums.from_dict(json.loads(json.dumps((added + piece).as_dict())))
    assert added.as_dict() == whole.as_dict()


def test_one_colour_has_a_deviation_one_can_divide_by() -> None:
    mean, std, covariance = ColourSums.of(bytes([51]) * 3_000).statistics()
    assert mean == pytest.approx([0.2] * 3)
    assert std == pytest.approx([1 / 255] * 3)
    assert not covariance.any()


@pytest.mark.parametrize("damage", [{}, {"sums": [1, 2]}, {"products": "none"}, {"pixels": None}])
def test_sums_that_cannot_be_are_noticed(damage: dict[str, object]) -> None:
    values = ColourSums.of(bytes(30)).as_dict() | damage if damage else {}
    with pytest.raises((KeyError, TypeError, ValueError)):
        ColourSums.from_dict(values)
