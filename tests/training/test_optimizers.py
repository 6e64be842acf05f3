from alexnet_core.models import build
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.optimizers import optimizer


def test_weight_decay_spares_biases_and_normalisations() -> None:
    config = TrainConfig(optimizer="adamw", weight_decay=0.01)
    groups = optimizer(build("alexnet_mini", 10, 32), config).param_groups
    assert [group["weight_decay"] for group in groups] == [0.01, 0.0]
    assert all(parameter.ndim > 1 for parameter in groups[0]["params"])
    assert all(parameter.ndim == 1 for parameter in groups[1]["params"])
