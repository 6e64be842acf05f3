"""The family's table: every network has its place, its costs and, where torchvision states one, its accuracy."""

import pytest
import torch

from alexnet_core.models import MODELS, build
from alexnet_core.models.family import IDEAS, costs, idea_of, published


def test_each_network_stands_for_one_idea_and_each_idea_follows_an_older_one():
    named = [name for idea in IDEAS.values() for name in idea.networks]
    assert sorted(named) == sorted(MODELS)
    for key, idea in IDEAS.items():
        assert all(IDEAS[parent].year <= idea.year for parent in idea.parents)
        assert list(IDEAS).index(key) > max((list(IDEAS).index(parent) for parent in idea.parents), default=-1)
        assert idea_of(idea.networks[0]) == key
        assert idea.changed.endswith(".")
        assert idea.answers.endswith(".")


def test_what_torchvision_states_is_what_is_shown():
    alexnet = published("alexnet")
    assert alexnet is not None
    assert (alexnet.top1, alexnet.top5) == pytest.approx((0.56522, 0.79066))
    assert alexnet.weights == "AlexNet_Weights.IMAGENET1K_V1"
    assert alexnet.recipe.startswith("https://")
    assert published("alexnet_mini") is None


@pytest.mark.parametrize("name", ["alexnet", "squeezenet1_1", "googlenet"])
def test_costs_are_those_of_the_real_network(name):
    with torch.device("meta"):
        model = build(name, 1000)
    found = costs(name)
    assert found.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert found.file_bytes >= 4 * found.parameters
    assert found.image_size == MODELS[name].image_size


def test_alexnets_multiply_adds_are_the_known_ones():
    assert costs("alexnet").multiply_adds == 714_188_480
    assert costs("alexnet_mini").classes == 10
