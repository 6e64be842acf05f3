"""A network as a row of stages gives the network's own answers, wherever one stops or goes on."""

import pytest
import torch
from small_networks import SIZE, Failing, Linear, network_of, small_network, traces
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import capture
from alexnet_core.insight.stages import output_of, passed, place_of, stages
from alexnet_core.models import build


@pytest.mark.parametrize("name", ["alexnet_mini", "alexnet_sprint", "squeezenet1_1", "resnet18"])
def test_the_stages_in_turn_are_the_network(name):
    torch.manual_seed(0)
    network = network_of(build(name, 4, 64), size=64)
    row = stages(network)
    assert len(row) > 4
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(passed(row, images), network.model(images), atol=1e-5)


def test_what_is_no_row_is_one_stage_and_still_answers():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Conv2d(3, 3, 3, padding=1)
            self.head = nn.Linear(3, 4)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.head(self.features(self.features(images)).mean(dim=(2, 3)))

    network = network_of(Twice())
    row = stages(network)
    assert [stage.name for stage in row] == [""]
    images = torch.randn(2, 3, SIZE, SIZE)
    with torch.no_grad(), capture(network.model, "features") as kept:
        network.model(images)
    assert torch.equal(output_of(row, "features", images), kept["features"])


def test_a_linear_model_of_pixels_is_a_row():
    assert [stage.name for stage in stages(network_of(Linear()))] == ["flatten", "layer"]


@pytest.mark.parametrize("layer", ["features.1", "features.3.squeeze", "features.3", "features", "classifier.1"])
def test_the_output_of_a_layer_is_the_one_that_a_whole_pass_gives(layer):
    torch.manual_seed(0)
    network = network_of(build("squeezenet1_1", 4, 64), size=64)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad(), capture(network.model, layer) as kept:
        network.model(images)
    before = traces(network.model)
    assert torch.allclose(output_of(stages(network), layer, images), kept[layer], atol=1e-5)
    assert traces(network.model) == before


def test_nothing_behind_the_layer_is_computed():
    network = small_network()
    row = stages(network)
    network.model.classifier[6] = Failing(nn.Linear(2, 2))
    output_of(row, "features.3", torch.randn(1, 3, SIZE, SIZE))
    assert place_of(row, "features.3") == 3


def test_a_layer_that_is_not_there_is_a_sentence():
    row = stages(small_network())
    for layer in ("features.99", "classifier.", "feat", ""):
        with pytest.raises(ExplorerError, match="no layer"):
            place_of(row, layer)


def test_a_model_that_does_something_between_its_parts_is_no_row():
    class Doubled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Conv2d(3, 3, 3)
            self.head = nn.Sequential(nn.Flatten(), nn.Linear(3 * (SIZE - 2) ** 2, 4))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.head(2 * self.features(images))

    assert [stage.name for stage in stages(network_of(Doubled()))] == [""]
