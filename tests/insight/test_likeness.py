"""Two numbers for how alike two maps are: laws, and scipy's own for the first."""

import numpy as np
import pytest

from alexnet_core.insight.likeness import C1, rank_correlation, structural_similarity

RNG = np.random.default_rng(0)


def test_the_rank_correlation_is_scipys_also_with_equal_values():
    stats = pytest.importorskip("scipy.stats")
    first, second = RNG.normal(size=(2, 20, 20))
    assert rank_correlation(first, second) == pytest.approx(stats.spearmanr(first.ravel(), second.ravel()).statistic)
    tied = np.maximum(first, 0).round(1)
    assert rank_correlation(tied, second) == pytest.approx(stats.spearmanr(tied.ravel(), second.ravel()).statistic)


def test_only_the_order_counts():
    values = RNG.random((12, 12))
    assert rank_correlation(values, np.exp(5 * values)) == pytest.approx(1)
    assert rank_correlation(values, -values) == pytest.approx(-1)
    assert rank_correlation(values, np.ones_like(values)) is None


def test_a_map_is_like_itself_whatever_its_scale_and_unlike_noise():
    values = RNG.random((30, 30)) ** 3
    assert structural_similarity(values, values) == pytest.approx(1)
    assert structural_similarity(values, 1000 * values) == pytest.approx(1)
    other = RNG.random((30, 30)) ** 3
    assert structural_similarity(values, other) < 0.3
    assert structural_similarity(values, other) == pytest.approx(structural_similarity(other, values))


def test_an_even_map_differs_from_an_empty_one_as_the_formula_says():
    empty, full = np.zeros((16, 16)), np.ones((16, 16))
    assert structural_similarity(empty, full) == pytest.approx(C1 / (1 + C1))
    assert structural_similarity(empty, empty) == pytest.approx(1)


def test_maps_smaller_than_the_window_are_one_window():
    values = RNG.random((8, 8))
    assert structural_similarity(values, values) == pytest.approx(1)
