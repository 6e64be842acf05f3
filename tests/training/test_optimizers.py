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
