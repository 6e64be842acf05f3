"""A run that begins with another network: whole, stopped, killed; and what it cannot begin with."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.insight.prediction import predict
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen, save_network
from alexnet_core.places import features_home
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.recording import execute
from alexnet_core.runs.starting import check_fit, source_of, with_source
from alexnet_core.training.events import EpochDone, StepDone
from alexnet_core.training.features import FeatureSource
from alexnet_core.training.recipes import settle

NewRun = Callable[..., RunDirectory]
COLOURS = (0.3, 0.4, 0.5)

KILLED = """
import os, signal, sys
from pathlib import Path
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.recording import execute
from alexnet_core.training import features
features.CHUNK, features.SAVE_EVERY = 8, 0.0
answer, looked = features.FeatureSource._of, []
def deadly(source, images):
    if len(looked) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    looked.append(images)
    return answer(source, images)
features.FeatureSource._of = deadly
list(execute(RunDirectory.open(Path(sys.argv[1]))))
"""
"""A run that is killed after it has looked at three times eight pictures."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A network of five classes in a file."""
    torch.manual_seed(3)
    model = build("alexnet_mini", 5, 32, batch_norm=False)
    for weight in (parameter for parameter in model.parameters() if parameter.ndim > 1):
        torch.nn.init.kaiming_normal_(weight)  # random filters that let something through
    model = frozen(model)
    path = tmp_path / "source.safetensors"
    save_network(
        path,
        Network(
            "alexnet_mini", model, tuple("abcde"), Preprocessing(32, 32, COLOURS), {"batch_norm": False}, "five letters"
        ),
    )
    return path


def learned(run: RunDirectory) -> dict[str, bytes]:
    weights = {name: value.numpy().tobytes() for name, value in load_file(run.network_path).items()}
    return {"metrics": (run.path / "metrics.jsonl").read_bytes()} | weights


@pytest.mark.parametrize("learn", ["head", "last_layers", "everything"])
def test_a_whole_run_ends_as_a_network_with_the_sources_colours(
    new_run: NewRun, few: PreparedSet, source: Path, learn: str
) -> None:
    run = new_run(start_from=str(source), learn=learn, batch_norm=False, epochs=8)
    said = [event for event in execute(run) if isinstance(event, str)]
    assert "Starting from five letters." in said
    network = run.network()
    assert network.classes == few.classes
    assert network.preprocessing == Preprocessing(32, 32, COLOURS)
    evaluation = run.evaluation()
    assert evaluation is not None
    # The network in the file, asked as any page asks it, says what was examined at the end.
    answers = predict(network, [Image.fromarray(image) for image in few.images("val")])
    assert [answer[0].index for answer in answers] == evaluation.predictions.tolist()
    last = [event for event in run.events() if isinstance(event, EpochDone)][-1]
    assert last.val_top1 == np.mean(evaluation.labels == evaluation.predictions)
    assert last.val_top1 > 0.6
    theirs = load_file(source)["features.0.weight"]
    assert torch.equal(load_file(run.network_path)["features.0.weight"], theirs) == (learn != "everything")
    snapshots = [len(load_file(path)) for path in run.snapshots().values()]
    assert set(snapshots) == ({1} if learn == "head" else {len(network.model.state_dict())})


@pytest.mark.parametrize("learn", ["head", "last_layers"])
def test_stopped_and_resumed_it_ends_as_if_undisturbed_though_its_source_is_gone(
    new_run: NewRun, tmp_path: Path, source: Path, learn: str
) -> None:
    settings = {
        "start_from": str(source),
        "learn": learn,
        "batch_norm": False,
        "dropout": 0.5 if learn == "last_layers" else 0.0,
    }
    whole = new_run(tmp_path / "runs" / "a-run", **settings)
    list(execute(whole))
    expected = learned(whole)
    whole.path.rename(tmp_path / "whole")
    run = new_run(tmp_path / "runs" / "a-run", **settings)
    for event in execute(run):
        if isinstance(event, StepDone) and event.step == 5:
            run.ask("STOP")
    assert run.state().status == "stopped"
    source.unlink()
    for folder in features_home().glob("*/meta.json"):
        folder.unlink()  # and the features with it
    said = [event for event in execute(run) if isinstance(event, str)]
    assert said[0].startswith("Going on from step 5 of")
    assert learned(run) == expected


def test_killed_while_it_looks_at_each_picture_it_goes_on(
    new_run: NewRun, tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, answer = [0], FeatureSource._of

    def counted(place: FeatureSource, images: torch.Tensor) -> np.ndarray:
        looked[0] += len(images)
        return answer(place, images)

    monkeypatch.setattr("alexnet_core.training.features.CHUNK", 8)
    monkeypatch.setattr(FeatureSource, "_of", counted)
    whole = new_run(tmp_path / "runs" / "a-run", start_from=str(source), learn="head", batch_norm=False)
    list(execute(whole))
    expected, at_all = learned(whole), looked[0]
    whole.path.rename(tmp_path / "whole")
    for meta in features_home().glob("*/meta.json"):
        meta.unlink()
    run = new_run(tmp_path / "runs" / "a-run", start_from=str(source), learn="head", batch_norm=False)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(run.path)], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (run.state().status, run.events()) == ("interrupted", [])
    looked[0] = 0
    list(execute(run))
    assert looked[0] == at_all - 24  # what had been written down is not computed again
    assert learned(run) == expected


def test_it_can_be_stopped_while_it_looks_at_each_picture(
    new_run: NewRun, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alexnet_core.training.features.CHUNK", 8)
    run = new_run(start_from=str(source), learn="head", batch_norm=False)
    run.ask("STOP")
    said = [event for event in execute(run) if isinstance(event, str)]
    assert said[-1] == "Stopped and saved after step 0."
    assert (run.state().status, run.wishes(), run.events()) == ("stopped", set(), [])
    list(execute(run))
    assert run.state().status == "finished"


def test_a_run_begins_where_another_one_ended(new_run: NewRun, few: PreparedSet, tmp_path: Path) -> None:
    first = new_run(tmp_path / "first", epochs=2)
    list(execute(first))
    second = new_run(tmp_path / "second", start_from=str(first.path), learn="last_layers", epochs=1)
    list(execute(second))
    weights = [load_file(run.network_path)["features.0.weight"] for run in (first, second)]
    assert torch.equal(*weights)
    assert source_of(str(first.path), "alexnet_mini").classes == few.classes


def test_the_source_decides_which_network_is_trained(new_run: NewRun, tmp_path: Path) -> None:
    plain = new_run(tmp_path / "plain", epochs=1, batch_norm=False)
    list(execute(plain))
    explicit, network = with_source({"start_from": str(plain.path), "epochs": 2})
    assert network is not None
    assert explicit == {"model": "alexnet_mini", "batch_norm": False, "start_from": str(plain.path), "epochs": 2}
    assert with_source({"epochs": 2}) == ({"epochs": 2}, None)


def test_imagenets_weights_in_another_programs_safetensors_are_a_beginning(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(build("squeezenet1_1", 1000, 224).state_dict(), path)
    explicit, network = with_source({"start_from": str(path), "model": "squeezenet1_1"})
    assert explicit == {"start_from": str(path), "model": "squeezenet1_1"}
    assert network is not None
    assert len(network.classes) == 1000


@pytest.mark.parametrize(
    "start_from", ["no/such/file.safetensors", "no-such-run", "../../etc/passwd", "imagenet", "a" * 300, "a\0b"]
)
def test_what_is_not_there_is_one_sentence(start_from: str) -> None:
    with pytest.raises(ExplorerError):
        source_of(start_from, "alexnet_mini")
    with pytest.raises(ExplorerError):
        with_source({"start_from": start_from, "model": "alexnet_mini"})


def test_a_run_without_a_trained_network_is_no_beginning(new_run: NewRun, tmp_path: Path) -> None:
    run = new_run(tmp_path / "waiting")
    with pytest.raises(ExplorerError, match="no network yet"):
        source_of(str(run.path), "alexnet_mini")
    events = execute(run)
    next(event for event in events if isinstance(event, str))
    assert run.snapshots()  # that of step 0, of an untrained network
    with pytest.raises(ExplorerError, match="no network yet"):
        source_of(str(run.path), "alexnet_mini")
    events.close()  # type: ignore[attr-defined]


def test_what_would_not_fit_is_said_before_the_run_is_made(few: PreparedSet, source: Path) -> None:
    settings = settle({"start_from": str(source), "batch_norm": False}, train_images=50, image_size=64)
    network = source_of(str(source), "alexnet_mini")
    check_fit(settings, network, few.classes, 32)
    with pytest.raises(ExplorerError, match="--size 32"):
        check_fit(settings, network, few.classes, 64)
    with pytest.raises(ExplorerError, match="kind alexnet_mini"):
        check_fit(replace(settings, model="alexnet_sprint"), network, few.classes, 32)


def test_runs_that_start_from_nothing_say_nothing_of_it(new_run: NewRun) -> None:
    run = new_run(epochs=1)
    list(execute(run))
    assert not features_home().exists()
    old = json.loads((run.path / "config.json").read_text())
    for name in ("start_from", "learn", "layer_lr", "copy_layers"):
        del old["settings"][name]
    (run.path / "config.json").write_text(json.dumps(old))
    assert run.config().settings.start_from == ""
