"""What scrambling does to a network and to a map, and that the shared network never notices."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from alexnet_core.insight import scrambling
from alexnet_core.insight.attribution import Attribution, attribute
from alexnet_core.insight.prediction import logits
from alexnet_core.insight.scrambling import (
    MOST_STEPS,
    Step,
    cascade,
    halfway,
    layers_with_weights,
    scramble,
    steps_from_the_top,
    verdict,
)
from alexnet_core.models import build
from alexnet_core.runs.directory import RunDirectory
from app.samples import SAMPLES
from tests.insight.small_networks import network_of, noise, small_network, traces

SALIENCY = partial(attribute, method="saliency", target=1)


def test_every_layer_goes_from_the_top_with_its_normalisation():
    model = build("alexnet_mini", 4, 32)
    layers = layers_with_weights(model)
    assert layers[0][0] == "features.0"
    assert all(len(layer) == 2 for layer in layers if layer[0].startswith("features"))
    steps = steps_from_the_top(model)
    assert len(steps) == len(layers) == 8
    assert steps[0] == layers[-1]
    assert steps[-1] == layers[0]


def test_a_deep_network_takes_no_more_steps_and_leaves_no_layer_out():
    model = build("resnet18", 4)
    steps = steps_from_the_top(model)
    assert len(steps) == MOST_STEPS
    names = [name for step in steps for name in step]
    with_weights = [name for name, module in model.named_modules() if module._parameters.get("weight") is not None]
    assert sorted(names) == sorted(with_weights)


def test_a_scrambled_layer_keeps_the_size_of_what_passes():
    layer = nn.Linear(400, 300)
    with torch.no_grad():
        layer.weight.fill_(-1.0)
        scramble(layer, torch.Generator().manual_seed(0))
        inputs = torch.randn(64, 400, generator=torch.Generator().manual_seed(1))
        rectified = layer(inputs).relu()
    assert float(rectified.square().mean()) == pytest.approx(float(inputs.square().mean()), rel=0.1)
    normalisation = nn.BatchNorm2d(3).eval()
    with torch.no_grad():
        normalisation.running_var.fill_(9.0)
        normalisation.weight.fill_(-2.0)
        scramble(normalisation, torch.Generator())
        images = torch.randn(1, 3, 4, 4)
        assert torch.allclose(normalisation(images), images, atol=1e-4)


def test_the_shared_network_is_left_alone_and_the_seed_decides():
    network = small_network()
    before, picture = traces(network.model), noise()
    answer = logits(network, [picture])
    steps = list(cascade(network, picture, SALIENCY, seed=3))
    assert traces(network.model) == before
    assert torch.equal(logits(network, [picture]), answer)
    again = list(cascade(network, picture, SALIENCY, seed=3))
    other = list(cascade(network, picture, SALIENCY, seed=4))
    assert np.array_equal(steps[-1].explained.values, again[-1].explained.values)
    assert not np.array_equal(steps[-1].explained.values, other[-1].explained.values)
    assert steps[0].rank_correlation == pytest.approx(1)
    assert np.array_equal(steps[0].explained.values, attribute(network, picture, "saliency", 1).values)


def test_the_copy_is_made_before_the_first_step_is_asked_for():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4))
    network = network_of(model)
    steps = cascade(network, noise(), SALIENCY)
    with torch.no_grad():
        model[1].weight.fill_(0.0)
    assert next(steps).explained.values.any()


def step(*draws):
    return Step((), Attribution("saliency", 0, "", np.zeros((1, 2, 2))), 0.5, 0.0, draws)


@pytest.mark.parametrize(
    ("middle", "words"),
    [
        (step(0.1), "notices"),
        (step(0.9), "hardly notices"),
        (step(0.45), "cannot tell"),
        (step(0.9, 0.1, 0.1), "notices"),
        (step(0.1, 0.9, 0.9), "hardly notices"),
        (step(), "cannot tell"),
    ],
)
def test_the_verdict_comes_from_the_maps_when_half_of_the_layers_are_scrambled(middle, words):
    assert verdict([step(1.0), step(0.45), middle, step(), step(0.45)]) == words
    assert verdict([step(1.0), middle]) == words


def test_several_draws_are_taken_halfway_and_the_way_down_goes_on_as_without_them(monkeypatch):
    network = small_network()
    steps = list(cascade(network, noise(), SALIENCY))
    assert [len(one.draws) for one in steps] == [5 * (one is halfway(steps)) for one in steps]
    assert halfway(steps).draws[0] == halfway(steps).similarity
    assert len(set(halfway(steps).draws)) == 5
    monkeypatch.setattr(scrambling, "DRAWS", 1)
    alone = list(cascade(network, noise(), SALIENCY))
    assert all(np.array_equal(one.explained.values, other.explained.values)
               for one, other in zip(steps, alone, strict=True))  # fmt: skip


@pytest.mark.parametrize("run", ["alexnet-mini-cifar10", "alexnet-narrow-imagenette"])
def test_a_trained_networks_gradient_notices_and_guided_backpropagation_hardly(run):
    network = RunDirectory.find(run).network()
    picture = SAMPLES["ship"].load()
    target = int(logits(network, [picture]).argmax())
    gradient = list(cascade(network, picture, partial(attribute, method="saliency", target=target)))
    edges = list(cascade(network, picture, partial(attribute, method="guided_backprop", target=target)))
    assert verdict(gradient) == "notices"
    assert verdict(edges) == "hardly notices"
    assert halfway(edges).rank_correlation > halfway(gradient).rank_correlation + 0.2


def test_after_the_draws_halfway_it_goes_on_with_the_first_one(monkeypatch):
    def classifiers(draws):
        monkeypatch.setattr(scrambling, "DRAWS", draws)
        seen = []

        def explain(network, picture):
            seen.append(network.model.classifier[-1].weight.clone())
            return SALIENCY(network, picture)

        list(cascade(small_network(), noise(), explain))
        return seen

    assert torch.equal(classifiers(1)[-1], classifiers(5)[-1])
