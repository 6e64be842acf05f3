from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.insight.gallery import of_set
from alexnet_core.insight.suspicious_labels import RIDGE, held_out, looking, suspects, usual
from alexnet_core.models import Network
from alexnet_core.models.weights import frozen
from tests.insight.small_networks import traces


def trained(digits: PreparedSet, flipped: np.ndarray) -> Network:
    """A small network trained on the digits with the labels `flipped`, too briefly to learn single ones by heart."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(192, 64), nn.ReLU(), nn.Linear(64, 10))
    images = digits.preprocessing.normalise(torch.from_numpy(digits.images("train")[:]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), torch.from_numpy(flipped)).backward()
        optimizer.step()
    return Network("small", frozen(model), digits.classes, digits.preprocessing)


def test_flipped_labels_are_found_near_the_top_and_with_their_true_class(digits: PreparedSet) -> None:
    labels = digits.labels("train")
    random = np.random.default_rng(3)
    wrong = random.choice(len(labels), round(0.05 * len(labels)), replace=False)
    flipped = labels.copy()
    flipped[wrong] = (labels[wrong] + random.integers(1, 10, len(wrong))) % 10
    network = trained(digits, flipped)
    before = traces(network.model)
    gallery = of_set(digits, "train", network.classes)
    *reports, last = looking(network, gallery)
    assert traces(network.model) == before
    assert [report.done for report in reports] == sorted(report.done for report in reports)
    assert last.done == last.total == len(labels)
    assert last.features is not None
    probabilities = held_out(last.features, flipped, 10)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(labels)), abs=1e-4)
    found = suspects(probabilities, flipped)
    caught = [one for one in found[: len(wrong)] if one.row in set(wrong.tolist())]
    assert len(caught) > 0.9 * len(wrong)
    assert np.mean([one.likely == labels[one.row] for one in caught]) > 0.9
    assert all(one.label == flipped[one.row] for one in found)


def test_thresholds_are_what_each_class_usually_gets() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.5, 0.5, 0.0], [0.2, 0.8, 0.0]])
    assert usual(probabilities, np.array([0, 0, 1])) == pytest.approx([0.7, 0.8, 1.0])


def test_a_class_the_network_is_seldom_sure_of_may_still_doubt_a_label() -> None:
    # The first class gives its own 0.95, the second 0.4: 0.45 for the second is much, 0.55 for the first little.
    probabilities = np.array([[0.95, 0.05], [0.95, 0.05], [0.6, 0.4], [0.6, 0.4], [0.55, 0.45]])
    found = suspects(probabilities, np.array([0, 0, 1, 1, 0]))
    assert [(one.row, one.label, one.likely) for one in found] == [(4, 0, 1)]


def test_a_label_is_doubted_where_another_class_is_more_probable_though_it_reaches_no_threshold() -> None:
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.4, 0.6]])
    found = suspects(probabilities, np.array([0, 1, 1, 0]))
    assert [(one.row, one.likely) for one in found] == [(3, 1)]


def test_nothing_is_doubted_where_all_agree() -> None:
    assert suspects(np.eye(4)[[0, 1, 2, 3, 0]], np.array([0, 1, 2, 3, 0])) == []


def test_left_one_out_is_what_a_fit_without_the_picture_says() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 40)
    values = (np.eye(3)[labels] + random.normal(0, 0.7, (40, 3))).astype(np.float32)
    found = held_out(values, labels, 3)
    centred = values - values.mean(axis=0)
    inputs = np.concatenate([centred / centred.std(), np.ones((40, 1))], axis=1)
    for picture in (0, 7):
        others = np.delete(np.arange(40), picture)
        normal = inputs[others].T @ inputs[others] + RIDGE * 40 * np.eye(4)
        weights = np.linalg.solve(normal, inputs[others].T @ np.eye(3)[labels[others]])
        scores = inputs[picture] @ weights
        # Probabilities are scores but for one factor and one sum.
        logs = np.log(found[picture])
        factor = (logs[0] - logs[1]) / (scores[0] - scores[1])
        assert logs - logs[0] == pytest.approx(factor * (scores - scores[0]), abs=1e-5)
        assert factor > 0


def test_an_empty_gallery_is_refused(digits: PreparedSet) -> None:
    network = trained(digits, digits.labels("train"))
    empty = replace(of_set(digits, "train", digits.classes), images=digits.images("train")[:0])
    with pytest.raises(ExplorerError, match="no pictures"):
        next(looking(network, empty))
