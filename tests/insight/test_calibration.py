"""Reliability, its error and the temperature, where they can be calculated; and networks as sure as they should be."""

import numpy as np
import pytest
import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.calibration import (
    BINS,
    COLDEST,
    answers,
    fit_temperature,
    reliability,
)
from alexnet_core.insight.gallery import builtin, numbers
from tests.insight.small_networks import SIZE, Failing, Linear, network_of, small_network, traces


def honest(count=20_000, classes=5, seed=0):
    """Logits whose softmax is the true chance of each class, and labels drawn by it."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(count, classes, generator=generator)
    return logits, torch.multinomial(logits.softmax(1), 1, generator=generator).squeeze(1)


def test_the_error_is_the_mean_gap_weighted_by_the_answers():
    found = reliability(np.array([0.95, 0.95, 0.55, 0.55]), np.array([True, True, True, False]))
    assert found.counts.sum() == 4
    assert found.counts[9] == found.counts[5] == 2
    assert found.accuracy[[5, 9]].tolist() == [0.5, 1.0]
    assert found.error == pytest.approx(0.05)
    assert np.isnan(found.accuracy[0])


def test_edges_belong_to_the_part_below_and_one_has_a_place():
    found = reliability(np.array([0.0, 0.1, 1.0]), np.array([True, True, True]))
    assert found.counts.tolist() == [2, *[0] * (BINS - 2), 1]


def test_no_answers_are_no_ground_for_judgement():
    with pytest.raises(ExplorerError, match="no answers"):
        reliability(np.empty(0), np.empty(0, bool))


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_a_false_certainty(factor):
    logits, labels = honest()
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor, rel=0.03)
    before = reliability_of(factor * logits, labels)
    after = reliability_of(factor * logits / fit_temperature(factor * logits, labels), labels)
    assert after.error < 0.02
    if factor != 1:
        assert before.error > 2 * after.error


def reliability_of(logits, labels):
    probability, predicted = logits.softmax(1).max(1)
    return reliability(probability.numpy(), (predicted == labels).numpy())


def surprise(logits, labels, temperature):
    """The mean negative log-likelihood, in nats: what fitting makes as small as it can."""
    return float(torch.nn.functional.cross_entropy(logits.double() / temperature, labels))


def test_no_other_temperature_is_likelier():
    logits, labels = honest(500)
    best = fit_temperature(3 * logits, labels)
    least = surprise(3 * logits, labels, best)
    assert all(surprise(3 * logits, labels, best * other) > least for other in (0.9, 0.99, 1.01, 1.1))


def test_where_every_answer_is_right_it_stays_within_bounds():
    logits = torch.eye(4) * 3
    assert fit_temperature(logits, torch.arange(4)) == pytest.approx(COLDEST, rel=1e-6)


def test_answers_come_in_batches_and_are_the_networks_own():
    network, gallery = small_network(), builtin(SIZE)
    rows = np.arange(0, 70)
    batches = list(answers(network, gallery, rows))
    assert [len(batch) for batch in batches] == [32, 32, 6]
    expected = network.model(numbers(network, gallery, rows))
    assert torch.allclose(torch.cat(batches), expected, atol=1e-4)


def test_nothing_is_left_behind_between_two_batches():
    network = small_network()
    network.model.train()
    before = traces(network.model)
    batches = answers(network, builtin(SIZE), np.arange(40))
    for _ in range(2):
        next(batches)
        assert torch.is_grad_enabled()
        assert traces(network.model) == before


def test_nothing_is_left_behind_also_by_a_failure():
    network = network_of(Failing(Linear(), after=1))
    network.model.train()
    before = traces(network.model)
    with pytest.raises(ZeroDivisionError):
        list(answers(network, builtin(SIZE), np.arange(40)))
    assert traces(network.model) == before
