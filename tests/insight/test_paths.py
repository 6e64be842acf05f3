"""How near integrated gradients come, with which steps, and that each counts once."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image
from small_networks import SIZE, Linear, network_of, noise
from torch import nn
from torch.nn import functional as F

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.attribution import attribute
from alexnet_core.insight.attribution.quadrature import AT_POINTS
from alexnet_core.models import Network
from alexnet_core.models.weights import network_from_file
from alexnet_core.runs.directory import RunDirectory
from tests.conftest import SHARED

SQUEEZENET = SHARED / "weights" / "squeezenet1_1-imagenet.pth"


def photograph(name: str = "flower.jpg") -> Image.Image:
    """One that comes with scikit-learn."""
    return Image.fromarray(load_sample_image(name))


@pytest.fixture(scope="module")
def mini() -> Network:
    """A trained network that comes with the program."""
    return RunDirectory.find("alexnet-mini-cifar10").network()


@pytest.mark.parametrize("rule", AT_POINTS)
def test_steps_are_added_only_until_the_shares_are_complete(mini, rule):
    asked = {"precision": "fp32", "quadrature": rule}
    few = attribute(mini, photograph(), "integrated_gradients", settings=asked | {"steps": 5, "more": "off"}).facts
    more = attribute(mini, photograph(), "integrated_gradients", settings=asked | {"steps": 5})
    assert few["n_steps"] == 5
    assert abs(few["convergence_delta"]) > 0.01 * few["rise"]
    assert more.facts["n_steps"] in (15, 45, 135, 405)
    assert abs(more.facts["convergence_delta"]) <= 0.01 * more.facts["rise"]
    # No point counts twice, and none is left out: it is what the finest of the rules says.
    asked |= {"steps": more.facts["n_steps"], "more": "off"}
    once = attribute(mini, photograph(), "integrated_gradients", settings=asked)
    assert np.allclose(more.values, once.values, atol=1e-3 * np.abs(once.values).max())
    assert more.facts["convergence_delta"] == pytest.approx(once.facts["convergence_delta"], abs=1e-3)


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
@pytest.mark.parametrize("run", ["alexnet-mini-cifar10", "alexnet-narrow-imagenette"])
def test_fifty_steps_are_complete_to_a_hundredth_and_nearer_than_fifty_points(run, name):
    network = RunDirectory.find(run).network()
    exact, points, found = (
        attribute(network, photograph(name), "integrated_gradients", settings=settings)
        for settings in (
            {"quadrature": "riemann_middle", "steps": 250, "more": "off", "precision": "fp32"},
            {"quadrature": "riemann_middle", "more": "off"},
            {},
        )
    )
    assert found.facts["n_steps"] == 50
    assert abs(found.facts["convergence_delta"]) <= 0.01 * found.facts["rise"]
    far, near = (float(np.linalg.norm(one.values - exact.values)) for one in (points, found))
    assert near < far / 2
    assert near < 0.01 * float(np.linalg.norm(exact.values))


@pytest.mark.skipif(not SQUEEZENET.exists(), reason="ImageNet's weights are not beside the checkout")
def test_those_of_a_network_that_imagenet_taught_are_complete_to_a_hundredth():
    network = network_from_file("squeezenet1_1", SQUEEZENET)
    found = attribute(network, photograph(), "integrated_gradients").facts
    assert found["n_steps"] == 50
    assert abs(found["convergence_delta"]) <= 0.01 * found["rise"]


def test_where_a_function_has_no_mean_slope_it_is_asked_for_at_points():
    class Between(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(3 * SIZE * SIZE, 8), nn.Linear(8, 4)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.last(F.softplus(self.first(images.flatten(1))))

    network, points = network_of(Between()), {"quadrature": "riemann_middle"}
    with pytest.raises(ExplorerError, match=r"no mean slope for softplus of .*: choose another rule"):
        attribute(network, noise(), "integrated_gradients", 2)
    assert attribute(network, noise(), "integrated_gradients", 2, settings=points).facts["n_steps"] >= 50


@pytest.mark.parametrize("rule", ["riemann_middle", "mean_slopes"])
def test_where_the_score_is_linear_no_step_is_added(rule):
    found = attribute(network_of(Linear()), noise(), "integrated_gradients", 2, settings={"quadrature": rule})
    assert found.facts["n_steps"] == 50


def test_the_bar_goes_forward_only(mini):
    told: list[float] = []
    settings = {"steps": 5, "baseline": "random", "quadrature": "riemann_middle"}
    found = attribute(mini, photograph(), "integrated_gradients", settings=settings, progress=told.append)
    assert found.facts["n_steps"] > 5
    assert told == sorted(told)
    assert told[0] < 0.2
    assert told[-1] == 1
