"""Costs that are counted before a run: by hand where that is possible, and in the right order."""

import pytest

from alexnet_core.models import build
from alexnet_core.models.anatomy import anatomy
from alexnet_core.training.cost import cost
from alexnet_core.training.recipes import settle


def test_the_head_costs_one_look_at_each_picture_and_its_mirror_image() -> None:
    settings = settle({"start_from": "a-run", "learn": "head", "epochs": 5}, train_images=100, image_size=32)
    found = cost(settings, 10, 32, 100)
    layers = anatomy(build("alexnet_mini", 10, 32), 32)
    forward = sum(layer.multiply_adds for layer in layers)
    assert found.multiply_adds == 200 * forward + 5 * 100 * 3 * layers[-1].multiply_adds
    assert found.learning == layers[-1].parameters
    assert found.parameters == sum(layer.parameters for layer in layers)


@pytest.mark.parametrize("model", ["alexnet_mini", "squeezenet1_1", "resnet18"])
def test_less_learning_costs_less(model: str) -> None:
    settings = [
        settle({"model": model, "start_from": "imagenet", "learn": learn}, train_images=300, image_size=64)
        for learn in ("head", "last_layers", "everything")
    ]
    found = [cost(one, 3, 64, 300) for one in settings]
    assert [one.learning for one in found] == sorted(one.learning for one in found)
    assert [one.multiply_adds for one in found] == sorted(one.multiply_adds for one in found)
    assert found[0].learning < 0.02 * found[0].parameters
    assert found[2].learning == found[2].parameters
    memory = [cost(one, 3, 64, 300).memory_bytes for one in settings]
    assert memory == sorted(memory)
