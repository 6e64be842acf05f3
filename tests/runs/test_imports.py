"""An imported network is a finished run without events and without data."""

from pathlib import Path

import pytest
import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen
from alexnet_core.places import runs_home
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs import imports
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.imports import IMPORTED, import_network
from alexnet_core.runs.listing import summaries

HOSTILE = "../../<b>*x*\u202e</b>\n.safetensors"


@pytest.fixture
def network() -> Network:
    model = frozen(build("alexnet_mini", 2, 32, batch_norm=False, dropout=0.25))
    return Network("alexnet_mini", model, ("a", "b"), Preprocessing(32, 32), {"batch_norm": False, "dropout": 0.25})


def test_it_is_found_like_any_run(network: Network, home: Path) -> None:
    run = import_network(network, HOSTILE, note="From a colleague.")
    assert run.path.parent == home / "runs"
    config, state = RunDirectory.find(run.id).config(), run.state()
    assert config.data == IMPORTED
    assert (config.settings.model, config.settings.batch_norm, config.settings.dropout) == ("alexnet_mini", False, 0.25)
    assert (state.status, run.events(), run.timings(), run.evaluation()) == ("finished", [], [], None)
    assert "\u202e" not in run.title() + state.message
    (one,) = (one for one in summaries() if not one.run.bundled)
    assert (one.id, one.top1, one.seconds, one.epochs, one.notes.note) == (run.id, None, None, 0, "From a colleague.")
    pictures = torch.randn(1, 3, 32, 32)
    assert torch.equal(run.network().model(pictures), network.model(pictures))


def test_a_name_for_people_is_taken(network: Network) -> None:
    assert import_network(network, "n.onnx", " My *net* ").title() == "My *net*"
    assert import_network(network, "n.onnx").title() == "n.onnx, imported"


def test_a_full_disk_leaves_nothing(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise ExplorerError("The disk is full.")

    monkeypatch.setattr(imports, "save_network", full)
    with pytest.raises(ExplorerError, match="full"):
        import_network(network, "n.safetensors")
    assert list(runs_home().iterdir()) == []
