"""What moves while a network learns: lengths of changes, first maps from filters alone, answers in batches."""

import numpy as np
import pytest
import torch
from small_networks import SIZE, network_of, noise, small_network, traces
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.feature_maps import feature_maps
from alexnet_core.insight.gallery import builtin, numbers
from alexnet_core.insight.neighbours import depths
from alexnet_core.insight.training_history import answers, changes, confusion, first_answers


def states(*values: float) -> list[dict[str, torch.Tensor]]:
    return [
        {"a.weight": torch.full((2, 3), value), "a.bias": torch.ones(2), "norm.weight": torch.ones(3)}
        for value in values
    ]


def test_a_change_is_measured_in_lengths_of_the_weights():
    (layer,) = changes(states(1, 2, 2, 4))
    assert layer.name == "a"
    assert layer.since_before == pytest.approx([0, 0.5, 0, 0.5])
    assert layer.since_start == pytest.approx([0, 0.5, 0.5, 0.75])


def test_half_precision_and_zeros_are_no_trouble():
    (layer,) = changes([{key: value.half() for key, value in state.items()} for state in states(0, 0, 1)])
    assert layer.since_before.tolist() == [0, 0, 1]


def test_snapshots_of_different_networks_are_a_sentence():
    with pytest.raises(ExplorerError, match="different networks"):
        changes([{"a.weight": torch.ones(2, 3)}, {"a.weight": torch.ones(3, 3)}])


def test_first_answers_are_the_first_layers_own_without_its_bias():
    network, picture = small_network(), noise()
    layer = network.model.features[0]
    before = traces(network.model)
    maps = first_answers(network, picture, layer.weight.numpy())
    own = feature_maps(network, picture, "features.0").values
    assert maps + layer.bias.numpy()[:, None, None] == pytest.approx(own, abs=1e-5)
    assert first_answers(network, picture, 2 * layer.weight.numpy()) == pytest.approx(2 * maps, abs=1e-5)
    assert traces(network.model) == before


def test_filters_of_another_network_are_a_sentence():
    with pytest.raises(ExplorerError, match="not of this network"):
        first_answers(small_network(), noise(), np.zeros((5, 3, 7, 7), np.float32))
    linear = network_of(nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 4)))
    with pytest.raises(ExplorerError, match="not of this network"):
        first_answers(linear, noise(), np.zeros((5, 3, 7, 7), np.float32))


def test_answers_are_those_of_a_single_pass():
    network, gallery = small_network(), builtin(SIZE)
    depth, rows = depths(network)[-1], np.arange(0, 300, 2)
    before = traces(network.model)
    found = answers(network, gallery, rows, depth)
    with torch.no_grad():
        logits = network.model(numbers(network, gallery, rows))
        hidden = network.model.classifier[:6](torch.flatten(network.model.features(numbers(network, gallery, rows)), 1))
    assert np.array_equal(found.predictions, logits.argmax(1).numpy())
    assert torch.allclose(found.features, hidden, atol=1e-5)
    assert traces(network.model) == before


def test_a_confusion_counts_every_picture_once():
    counts = confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), ("a", "b", "c"))
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
