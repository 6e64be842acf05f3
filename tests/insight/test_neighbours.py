"""Neighbours at every depth: the distances are Euclid's, the index forgets nothing that matters, no trace is left."""

import numpy as np
import pytest
import torch
from small_networks import SIZE, Failing, network_of, small_network, traces
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight import neighbours
from alexnet_core.insight.gallery import Gallery, builtin, numbers
from alexnet_core.insight.neighbours import depths, features, indexing, located, nearest, share_of_class
from alexnet_core.models import MODELS, Network, build
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing


def gallery_of(pixels: np.ndarray, labels: np.ndarray | None = None) -> Gallery:
    return Gallery("test", "Test", pixels, labels, [f"{row}.png" for row in range(len(pixels))])


def built(network, gallery, most=neighbours.MOST):
    return list(indexing(network, gallery, most))[-1].index


def noise_gallery(count: int = 60, seed: int = 0) -> Gallery:
    return gallery_of(np.random.default_rng(seed).integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8))


def test_the_depths_of_alexnet_end_before_its_answer():
    found = depths(small_network())
    assert [depth.name for depth in found] == [
        "pixels", "features.2", "features.5", "features.7", "features.9", "avgpool", "classifier.2", "classifier.5",
    ]  # fmt: skip
    assert [depth.last for depth in found] == [False] * 7 + [True]
    assert "last hidden" in found[-1].title


@pytest.mark.parametrize("name", ["squeezenet1_1", "resnet18", "googlenet", "mobilenet_v3_small"])
def test_every_family_has_depths_that_can_be_read(name):
    size = max(32, MODELS[name].smallest)
    network = Network(name, frozen(build(name, 4, size)), ("a", "b", "c", "d"), Preprocessing(size, size))
    found = depths(network)
    assert 3 <= len(found) <= neighbours.MOST_LAYERS + 1
    assert found[-1].last
    before = traces(network.model)
    levels = features(network, torch.zeros(2, 3, size, size), found)
    assert [len(level) for level in levels] == [2] * len(found)
    assert traces(network.model) == before


def test_a_network_without_a_hidden_layer_has_its_pixels():
    network = network_of(nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 4)))
    assert [depth.name for depth in depths(network)] == ["pixels"]


def test_distances_are_those_of_the_features_themselves():
    """With fewer pictures than directions nothing is lost, so the reduced distances are exact."""
    network, gallery = small_network(), noise_gallery()
    index = built(network, gallery)
    asked = numbers(network, gallery, np.array([7]))
    found = nearest(index, located(network, index, asked), count=5, without=7)
    everything = numbers(network, gallery, np.arange(60))
    for level, neighbour in zip(features(network, everything, index.depths), found, strict=True):
        exact = (level - level[7]).norm(dim=1)
        order = exact.argsort(stable=True)[1:6]
        assert neighbour.rows.tolist() == order.tolist()
        typical = float(exact.median())
        assert neighbour.distances == pytest.approx((exact[order] / typical).numpy(), rel=1e-3)


def test_the_picture_itself_is_the_nearest_unless_it_is_passed_over():
    network, gallery = small_network(), noise_gallery()
    index = built(network, gallery)
    places = located(network, index, numbers(network, gallery, np.array([31])))
    assert all(found.rows[0] == 31 and found.distances[0] < 0.01 for found in nearest(index, places, 3))
    without = nearest(index, places, 3, without=31)
    assert all(31 not in found.rows and len(found.rows) == 3 for found in without)


def test_pixels_find_the_colour():
    """Red pictures are near a red one, wherever else they differ."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 60, (40, SIZE, SIZE, 3), dtype=np.uint8)
    pixels[::4, ..., 0] += 180
    labels = np.tile([1, 0, 0, 0], 10)
    network, gallery = small_network(), gallery_of(pixels, labels)
    index = built(network, gallery)
    found = nearest(index, located(network, index, numbers(network, gallery, np.array([4]))), 8, without=4)
    assert share_of_class(found[0], labels, 1) == 1.0
    assert share_of_class(found[0], labels, 0) == 0.0


def test_few_numbers_keep_most_neighbours(monkeypatch):
    """Of photographs, whose features lie near a plane of few directions."""
    network, gallery = small_network(), builtin(SIZE)
    exact = built(network, gallery)
    monkeypatch.setattr(neighbours, "NUMBERS", 32)
    monkeypatch.setattr(neighbours, "SAMPLE", 200)
    few = built(network, gallery)
    assert few.points[1].shape == (len(gallery), 32)
    assert few.bytes < exact.bytes
    kept = []
    for row in (3, 400, 700):
        images = numbers(network, gallery, np.array([row]))
        pairs = zip(
            nearest(exact, located(network, exact, images), 8, row),
            nearest(few, located(network, few, images), 8, row),
            strict=True,
        )
        kept += [len(set(first.rows) & set(second.rows)) / 8 for first, second in pairs]
    assert np.mean(kept) > 0.7


def test_an_index_is_bounded_and_says_how_far_it_is():
    network, gallery = small_network(), noise_gallery(300)
    steps = list(indexing(network, gallery, most=150))
    assert [step.total for step in steps] == [150] * len(steps)
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    index = steps[-1].index
    assert len(index.rows) == len(set(index.rows.tolist())) == 150
    assert index.rows.min() == 0
    assert index.rows.max() == 299
    assert all(step.index is None for step in steps[:-1])


def test_an_index_can_be_left_in_the_middle_and_leaves_nothing_behind():
    network = small_network()
    before = traces(network.model)
    building = indexing(network, noise_gallery(300))
    next(building)
    assert traces(network.model) == before
    building.close()
    assert traces(network.model) == before


def test_nothing_is_left_behind_by_a_failure():
    network = network_of(Failing(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3600, 4)), 0))
    before = traces(network.model)
    with pytest.raises(ZeroDivisionError):
        features(network, torch.zeros(1, 3, SIZE, SIZE), [neighbours.Depth("model.0", "Convolution 1")])
    assert traces(network.model) == before


def test_numbers_that_are_none_are_a_sentence():
    network = small_network()
    network.model.features[0].weight.fill_(float("nan"))
    with pytest.raises(ExplorerError, match="not finite"):
        built(network, noise_gallery(20))


def test_an_empty_gallery_is_a_sentence():
    with pytest.raises(ExplorerError, match="no pictures"):
        built(small_network(), noise_gallery(0))
