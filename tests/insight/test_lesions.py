"""A lesion is a factor on some outputs: what is kept of the layers before it changes no answer."""

import numpy as np
import pytest
import torch
from small_networks import SIZE, network_of, noise, small_network, traces
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.gallery import Gallery, numbers
from alexnet_core.insight.lesions import AT_ONCE, Outcome, lesioned, needs, outcome, prepare
from alexnet_core.insight.prediction import logits
from alexnet_core.models import build


@pytest.fixture
def gallery() -> Gallery:
    random = np.random.default_rng(2)
    images = random.integers(0, 256, (200, SIZE, SIZE, 3), dtype=np.uint8)
    return Gallery("toys", "Toys", images, random.integers(0, 4, 200), [""] * 200)


def plainly(network, gallery, layer, factors) -> Outcome:
    """The same without anything kept."""
    with torch.no_grad(), lesioned(network.model, layer, factors):
        answers = network.model(numbers(network, gallery, slice(None)))
    right = (answers.argmax(1).numpy() == gallery.labels).astype(float)
    true = answers.softmax(1).numpy()[np.arange(len(gallery)), gallery.labels]
    by_class = [gallery.labels == label for label in range(4)]
    return Outcome(
        np.array([right[mask].mean() for mask in by_class]),
        np.array([true[mask].mean() for mask in by_class]),
        right.mean(),
    )


@pytest.mark.parametrize("layer", ["features.1", "features.8", "classifier.2"])
@pytest.mark.parametrize("factors", [{}, {3: 0.0}, {0: 3.0, 5: 0.5}])
def test_what_is_kept_changes_no_answer(gallery, layer, factors):
    network = small_network()
    found, expected = outcome(prepare(network, gallery, layer), factors), plainly(network, gallery, layer, factors)
    assert np.allclose(found.accuracy, expected.accuracy)
    assert np.allclose(found.probability, expected.probability, atol=1e-5)
    assert found.overall == pytest.approx(expected.overall)


def test_others_may_ask_between_two_batches(gallery):
    turns = []

    class Lock:
        def __enter__(self):
            turns.append("taken")

        def __exit__(self, *error):
            turns.append("left")

    patient = prepare(small_network(), gallery, "features.1", 200, Lock())
    assert len(patient.kept) == 200
    # One picture to learn the sizes, then a batch at a time.
    assert turns == ["taken", "left"] * (1 + -(-200 // AT_ONCE))


def test_inside_a_block_too(gallery):
    torch.manual_seed(0)
    network = network_of(build("squeezenet1_1", 4, 64), size=SIZE)
    layer = "features.3.squeeze_activation"
    patient = prepare(network, gallery, layer, most=200)
    assert patient.inside == "squeeze_activation"
    found, expected = outcome(patient, {1: 0.0}), plainly(network, gallery, layer, {1: 0.0})
    assert np.allclose(found.probability, expected.probability, atol=1e-5)


def test_each_unit_in_turn(gallery):
    network = small_network()
    with torch.no_grad():
        network.model.features[0].weight[6].zero_()
        network.model.features[0].bias[6] = -1
    patient = prepare(network, gallery, "features.1", most=64)
    found = list(needs(patient))
    assert [need.unit for need in found] == list(range(24))
    for unit in (0, 6, 23):
        expected = outcome(patient, {unit: 0.0})
        assert np.allclose(found[unit].outcome.probability, expected.probability, equal_nan=True)
    whole = outcome(patient)
    assert np.array_equal(found[6].outcome.probability, whole.probability, equal_nan=True)


def test_a_unit_that_carries_a_class_is_found():
    images = np.zeros((40, SIZE, SIZE, 3), np.uint8)
    images[20:, ..., 0] = 255  # red ones
    labels = np.repeat([0, 1], 20)
    convolution, linear = nn.Conv2d(3, 2, 1, bias=False), nn.Linear(2, 4)
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[1, 0] = 1
        linear.weight.zero_()
        linear.weight[1, 1] = 9
        linear.bias.copy_(torch.tensor([1.0, 0, -9, -9]))
    model = nn.Sequential(convolution, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
    patient = prepare(network_of(model), Gallery("r", "R", images, labels, [""] * 40), "1")
    assert outcome(patient).overall == 1
    harmless, needed = needs(patient)
    assert harmless.outcome.overall == 1
    assert needed.outcome.accuracy[:2].tolist() == [1, 0]


def test_a_lesion_changes_the_answer_and_heals_also_after_a_failure():
    network, picture = small_network(), noise()
    before, answer = traces(network.model), logits(network, [picture])
    with lesioned(network.model, "features.1", dict.fromkeys(range(24), 0.0)):
        assert not torch.equal(logits(network, [picture]), answer)

    def fail() -> None:
        with lesioned(network.model, "features.1", {0: 0.0}):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert traces(network.model) == before
    assert torch.equal(logits(network, [picture]), answer)


def test_what_cannot_be_is_a_sentence(gallery):
    network = small_network()
    patient = prepare(network, gallery, "features.1", most=8)
    for factors in ({24: 0.0}, {-1: 0.0}, {0: 3.5}, {0: -1.0}):
        with pytest.raises(ExplorerError):
            outcome(patient, factors)
    with pytest.raises(ExplorerError, match="no layer"):
        prepare(network, gallery, "features.99")
    with pytest.raises(ExplorerError, match="no classes"):
        prepare(network, Gallery("x", "X", gallery.images, None, gallery.files), "features.1")
    with pytest.raises(ExplorerError, match="no layer"), lesioned(network.model, "x", {}):
        pass
