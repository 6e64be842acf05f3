import torch
from torch import nn

from alexnet_core.models import build
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.optimizers import optimizer


def test_weight_decay_spares_biases_and_normalisations() -> None:
    config = TrainConfig(optimizer="adamw", weight_decay=0.01)
    groups = optimizer(build("alexnet_mini", 10, 32), config).param_groups
    assert [group["weight_decay"] for group in groups] == [0.01, 0.0]
    assert all(parameter.ndim > 1 for parameter in groups[0]["params"])
    assert all(parameter.ndim == 1 for parameter in groups[1]["params"])


def test_biases_of_normalisations_may_learn_at_a_pace_of_their_own() -> None:
    for name in ("sgd", "muon"):
        config = TrainConfig(optimizer=name, bias_lr=16.0)
        model = build("alexnet_mini", 10, 32)
        *_, quick = groups = optimizer(model, config).param_groups
        assert quick["lr_share"] == 16
        norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
        assert {id(bias) for bias in quick["params"]} == {id(layer.bias) for layer in norms}
        assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))


def test_the_pace_of_a_layer_and_that_of_its_biases_are_multiplied() -> None:
    model = build("alexnet_mini", 10, 32)
    shares = {id(parameter): 0.5 for parameter in model.parameters()}
    *_, quick = optimizer(model, TrainConfig(bias_lr=16.0), shares).param_groups
    assert quick["lr_share"] == 8


def test_muon_does_not_turn_the_last_layer_also_where_it_is_a_convolution() -> None:
    model = build("squeezenet1_1", 10, 32)
    groups = optimizer(model, TrainConfig(optimizer="muon")).param_groups
    turned = {id(weight) for group in groups if group["orthogonal"] for weight in group["params"]}
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert turned == {id(layer.weight) for layer in convolutions[1:-1]}
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))


def test_a_first_step_that_overflows_leaves_no_momentum_that_was_never_written() -> None:
    model = nn.Linear(4, 3)
    learning = optimizer(model, TrainConfig(optimizer="sgd", momentum=0.9))
    before = [parameter.detach().clone() for parameter in model.parameters()]
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale(model(torch.full((1, 4), torch.inf)).sum()).backward()
    scaler.step(learning)
    assert all(torch.equal(now, then) for now, then in zip(model.parameters(), before, strict=True))
    momentum = [learning.state[parameter]["momentum_buffer"] for parameter in model.parameters()]
    assert not any(bool(values.any()) for values in momentum)


def test_momentum_that_begins_with_zeros_is_that_of_an_ordinary_sgd() -> None:
    ours, plain = nn.Linear(4, 3), nn.Linear(4, 3)
    plain.load_state_dict(ours.state_dict())
    config = TrainConfig(optimizer="sgd", momentum=0.9, lr=0.1, weight_decay=0.0)
    learning = optimizer(ours, config)
    usual = torch.optim.SGD(plain.parameters(), lr=0.1, momentum=0.9, nesterov=True, fused=True)
    images = torch.linspace(-1, 1, 20).view(5, 4)
    for _ in range(3):
        for model, one in ((ours, learning), (plain, usual)):
            one.zero_grad()
            model(images).square().mean().backward()
            one.step()
    assert all(torch.equal(one, other) for one, other in zip(ours.parameters(), plain.parameters(), strict=True))
