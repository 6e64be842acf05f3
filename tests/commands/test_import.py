"""`import` and the newer forms of `export` and `train`, as a person calls them."""

import json
import re
from pathlib import Path

import pytest
import torch
from small_runs import CLASSES, printed, refusal

from alexnet_core.places import runs_home
from alexnet_core.runs.directory import RunDirectory


def kept(said: str) -> RunDirectory:
    match = re.search(r"^Run directory: (.+)$", said, re.MULTILINE)
    assert match is not None
    return RunDirectory.open(Path(match[1]))


@pytest.mark.parametrize("out", ["there", "there.zip"])
def test_a_folder_goes_out_and_comes_in(capsys, run, tmp_path, out):
    printed(capsys, "export", run.id, "--format", "folder", "--out", tmp_path / out)
    back = kept(printed(capsys, "import", tmp_path / out, "--name", "Back again"))
    assert back.title() == "Back again"
    pictures = torch.randn(2, 3, 32, 32)
    assert torch.equal(back.network().model(pictures), run.network().model(pictures))
    assert "not an empty folder" in refusal(
        capsys, "export", run.id, "--format", "folder", "--out", run.path
    ) or "must end" in refusal(capsys, "export", run.id, "--format", "folder", "--out", tmp_path / "n.onnx")


def test_a_state_dict_comes_in_with_its_names(capsys, run, tmp_path):
    file = tmp_path / "n.pt"
    printed(capsys, "export", run.path, "--format", "state_dict", "--out", file)
    before = len(list(runs_home().iterdir()))
    assert "3 classes apart" in refusal(capsys, "import", file)
    assert len(list(runs_home().iterdir())) == before
    (tmp_path / "names.json").write_text(json.dumps(CLASSES))
    said = printed(capsys, "import", file, "--classes", tmp_path / "names.json")
    assert "AlexNet mini, 3 classes (cat, dog, bird), 32 pixels." in said
    assert "does not say how its pictures are prepared" in said
    assert "--size" in said
    assert kept(said).network().classes == CLASSES
    asked = printed(capsys, "import", file, "--classes", tmp_path / "names.json", "--size", 32)
    assert "does not say how its pictures are prepared" in asked
    assert "--size" not in asked


def test_curves_go_out(capsys, run, tmp_path):
    assert "no curve" in refusal(capsys, "export", run.id, "--format", "csv", "--out", tmp_path / "n.csv")
    (run.path / "metrics.jsonl").write_text('{"event": "step", "step": 1, "epoch": 1, "train_loss": 2.5, "lr": 0.1}\n')
    printed(capsys, "export", run.id, "--format", "csv", "--out", tmp_path / "n.csv")
    assert (tmp_path / "n.csv").read_text().splitlines()[1].startswith("step,1,1,2.5,")
    pytest.importorskip("tensorboard", reason="the extra [tensorboard] is not installed")
    printed(capsys, "export", run.id, "--format", "tensorboard", "--out", tmp_path / "logs")
    assert [path.name.split(".")[2] for path in (tmp_path / "logs").iterdir()] == ["tfevents"]


def test_a_settings_file_starts_the_same_run_elsewhere(capsys, home, tmp_path, write_pictures, monkeypatch):
    pets = write_pictures(tmp_path / "pets")
    few = ("--size", 32, "--epochs", 1, "--batch-size", 8, "--threads", 1, "--lr", 0.004, "--precision", "fp32")
    first = kept(printed(capsys, "train", "--data", pets, *few))
    settings = first.path / "config.json"
    again = kept(printed(capsys, "train", "--settings", settings, "--out", tmp_path / "again"))
    assert again.config().settings == first.config().settings
    assert (again.path / "metrics.jsonl").read_bytes() == (first.path / "metrics.jsonl").read_bytes()
    other = kept(printed(capsys, "train", "--settings", settings, "--seed", 3, "--out", tmp_path / "other"))
    assert (other.config().settings.seed, other.config().settings.lr) == (3, 0.004)
    moved = kept(printed(capsys, "train", "--settings", settings, "--data", pets, "--out", tmp_path / "moved"))
    assert moved.network().preprocessing.size == 32  # that of the file, also of pictures that lie elsewhere
    resnet = ("--model", "resnet_mini", "--out", tmp_path / "resnet")
    assert kept(printed(capsys, "train", "--settings", settings, *resnet)).config().settings.model == "resnet_mini"
    assert "leave out --recipe" in refusal(capsys, "train", "--settings", settings, "--recipe", "filters")
    monkeypatch.setenv("ALEXNET_HOME", str(tmp_path / "another computer"))
    assert "somebody's own, “pets”" in refusal(capsys, "train", "--settings", settings)
    assert "leave out" in refusal(capsys, "train", "--settings", settings, "--resume", first.path)
    assert "what to learn from" in refusal(capsys, "train")
