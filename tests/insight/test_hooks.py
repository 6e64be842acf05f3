import pytest
import torch
from small_networks import SIZE, small_network, traces
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import capture, capture_input, evaluating, outputs


def test_capture_gives_the_layers_own_output():
    model = small_network().model
    images = torch.randn(2, 3, SIZE, SIZE)
    with torch.no_grad(), capture(model, "features.0", "classifier.6") as activations:
        logits = model(images)
        first = model.features[0](images)
    assert torch.equal(activations["features.0"], first)
    assert torch.equal(activations["classifier.6"], logits)


def test_what_is_kept_does_not_change_when_the_model_overwrites_it():
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(inplace=True))
    images = torch.randn(1, 3, 8, 8)
    with torch.no_grad(), capture(model, "0") as activations:
        rectified = model(images)
    assert activations["0"].min() < 0 <= rectified.min()
    assert not activations["0"].requires_grad


def test_an_output_stays_what_it_was_and_has_a_gradient_whatever_is_done_to_it_in_place():
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(inplace=True))
    images = torch.randn(1, 3, 8, 8)
    with outputs(model, "0") as given:
        rectified = model(images)
    assert torch.equal(given[0], model[0](images))
    (slope,) = torch.autograd.grad(rectified.sum(), given[0])
    assert torch.equal(slope, (given[0] > 0).float())


def test_a_layer_that_runs_twice_keeps_its_last_output():
    relu = nn.ReLU()
    model = nn.Sequential(relu, nn.Linear(2, 2), relu)
    with capture(model, "0") as activations:
        output = model(torch.ones(1, 2))
    assert torch.equal(activations["0"], output)


def test_no_hook_is_left_even_after_an_exception():
    model = small_network().model
    before = traces(model)
    with capture(model, "features.0", "features.3"):
        assert traces(model)["hooks"] == 2
    assert traces(model) == before

    def fail() -> None:
        with capture(model, "features.0", "features.3"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert traces(model) == before


@pytest.mark.parametrize("name", ["features.99", "", "forward"])
def test_an_unknown_layer_is_answered_with_some_that_exist(name):
    model = small_network().model
    with pytest.raises(ExplorerError, match=r"features\.0"), capture(model, "features.0", name):
        pass
    assert traces(model)["hooks"] == 0


def test_evaluating_gives_each_module_its_own_mode_back():
    model = nn.Sequential(nn.Dropout(), nn.Sequential(nn.BatchNorm1d(2), nn.ReLU()))
    model.train()
    model[1][0].eval()  # frozen statistics inside a training model
    before = [module.training for module in model.modules()]
    with evaluating(model):
        assert not any(module.training for module in model.modules())
    assert [module.training for module in model.modules()] == before


def test_what_a_layer_takes_in_is_kept_and_no_hook_is_left():
    model = small_network().model
    before = traces(model)
    images = torch.randn(1, 3, SIZE, SIZE)
    with torch.no_grad(), capture_input(model, "features.1") as taken:
        model(images)
        expected = model.features[0](images)
    assert torch.equal(taken[0], expected)
    assert traces(model) == before
    with pytest.raises(ExplorerError, match="no layer"), capture_input(model, "features.99"):
        pass
