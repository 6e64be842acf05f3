import pytest
import torch
from torch import nn
from torchvision.ops import StochasticDepth

from alexnet_core.distributed import ALONE, World
from alexnet_core.models import build
from alexnet_core.training.whole_batch import WholeBatchDropout, WholeBatchNorm, replace_layers


def replaced(model: nn.Module, world: World = ALONE, batch_size: int = 6) -> nn.Module:
    replace_layers(model, world, batch_size, None)
    return model


@pytest.mark.parametrize("layer", [nn.Dropout(0.4), StochasticDepth(0.4, "row")], ids=["dropout", "stochastic depth"])
def test_the_rows_of_all_processes_make_up_the_mask_of_one(layer: nn.Module) -> None:
    ones = torch.ones(7, 5, 3, 3)

    def dropped(world: World) -> torch.Tensor:
        model = replaced(nn.Sequential(layer), world, 7)
        torch.manual_seed(0)
        return model(ones[world.share(7)])

    whole = dropped(ALONE)
    assert torch.equal(torch.cat([dropped(World(rank, 3)) for rank in range(3)]), whole)
    assert whole.unique().tolist() == pytest.approx([0, 1 / 0.6])
    whole_rows = (whole == whole[:, :1, :1, :1]).flatten(1).all(1)
    assert whole_rows.all() == isinstance(layer, StochasticDepth)


def test_dropout_keeps_the_mean_and_does_nothing_while_looking() -> None:
    layer = WholeBatchDropout(0.25, ALONE, 1000)
    values = torch.ones(1000, 100)
    assert float(layer(values).mean()) == pytest.approx(1, abs=0.01)
    assert layer.eval()(values) is values


def test_only_what_looks_at_the_whole_batch_is_replaced_and_names_stay() -> None:
    model = build("alexnet_mini", 10, 32)
    names, parameters = list(model.state_dict()), list(model.parameters())
    replaced(model)
    assert sum(type(layer) is WholeBatchDropout for layer in model.modules()) == 2
    assert not any(isinstance(layer, WholeBatchNorm) for layer in model.modules())
    replaced(model, World(0, 2))
    assert sum(type(layer) is WholeBatchNorm for layer in model.modules()) == 5
    assert list(model.state_dict()) == names
    assert all(now is before for now, before in zip(model.parameters(), parameters, strict=True))
