import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tqdm import tqdm

from alexnet_core.__main__ import main
from alexnet_core.commands.train import _see_to_data
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepare
from alexnet_core.devices import Compute
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen, save_network
from alexnet_core.places import data_home
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.states import RunState
from alexnet_core.training import pace
from alexnet_core.training.events import EpochDone, Finished
from alexnet_core.training.recipes import settle

SMALL = ["--epochs", "1", "--threads", "1", "--batch-size", "128"]


def test_digits_are_trained_from_one_command(
    digits: PreparedSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(["train", "--data", str(digits.directory), "--out", str(out), "--no-reflect", *SMALL]) == 0
    said = capsys.readouterr()
    assert f"Run directory: {out}" in said.out
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines if line["event"] != "step"] == ["started", "epoch", "finished"]
    assert {"val_loss", "val_top1", "val_top5"} <= set(lines[-2])
    assert {"test_top1", "test_top5"} <= set(lines[-1])
    run = RunDirectory.open(out)
    epoch, finished = run.events()[-2:]
    assert isinstance(epoch, EpochDone)
    assert isinstance(finished, Finished)
    assert f"top-1 {epoch.val_top1:.1%}" in said.out + said.err
    assert f"Test: top-1 {finished.test_top1:.2%}" in said.out + said.err
    assert main(["train", "--resume", str(out)]) == 2
    assert "finished; there is nothing to resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Say what to learn from"),
        (["--data", "digitz"], "no data set, folder or zip"),
        (["--data", "digits", "--model", "lenet"], "no network called 'lenet'"),
        (["--data", "digits", "--recipe", "slow"], "no recipe called 'slow'"),
        (["--data", "digits", "--lr", "nan"], "Learning rate must lie between"),
        (["--data", "digits", "--model", "alexnet", "--size", "32"], "smallest size that works is 63"),
        (["--data", "digits", "--size", "100000"], "between 8 and 1024"),
        (["--resume", "nowhere"], "no run directory nowhere"),
        (["--data", "digits", "--size", "32", "--start-from", "a" * 300], "There is no network"),
        (["--data", "digits", "--size", "32", "--out", "a" * 300], "could not be made"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: list[str], sentence: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert not (home / "runs").exists()


@pytest.mark.parametrize(
    "flags",
    [["--model", "lenet"], ["--recipe", "slow"], ["--learn", "head"], ["--model", "resnet18", "--batch-norm"]],
)
def test_what_no_run_can_have_is_refused_before_the_pictures_are_prepared(flags: list[str], home: Path) -> None:
    assert main(["train", "--data", "digits", "--size", "32", *flags]) == 2
    assert not (home / "data").exists()


@pytest.mark.parametrize("arguments", [["--data", "digits", "--optimizer", "lion"], ["--epochs", "ten"]])
def test_flags_that_do_not_parse_exit_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["train", *arguments])
    assert left.value.code == 2


def test_a_half_written_run_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "half").mkdir()
    assert main(["train", "--resume", str(tmp_path / "half")]) == 2
    assert "config.json is missing" in capsys.readouterr().err


def test_a_wish_that_has_outlived_its_process_does_not_hold_up_who_resumes(digits: PreparedSet, tmp_path: Path) -> None:
    by_hand = {"epochs": 1, "batch_size": 128, "threads": 1, "precision": "fp32", "memory_format": "channels_last"}
    settings = settle(by_hand, train_images=digits.count("train"), image_size=32)
    run = RunDirectory.create(settings, DataIdentity.of(digits), tmp_path / "run")
    run.write_state(RunState("interrupted"))
    run.ask("STOP")
    assert main(["train", "--resume", str(run.path)]) == 0
    assert (run.state().status, run.wishes()) == ("finished", set())


@pytest.mark.parametrize("flags", [["--epochs", "9"], ["--no-reflect"], ["--size", "64"], ["--title", "Again"]])
def test_a_flag_that_a_run_that_goes_on_would_not_heed_is_refused(
    flags: list[str], digits: PreparedSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settle({"epochs": 1}, train_images=digits.count("train"), image_size=32)
    run = RunDirectory.create(settings, DataIdentity.of(digits), tmp_path / "run")
    run.write_state(RunState("interrupted"))
    assert main(["train", "--resume", str(run.path), *flags]) == 2
    assert f"leave out {flags[0]}" in capsys.readouterr().err.replace("--reflect", "--no-reflect")
    assert run.state().status == "interrupted"


def test_pictures_of_ones_own(write_pictures: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pets")
    assert main(["train", "--data", str(folder), "--size", "32", "--out", str(tmp_path / "run"), *SMALL[:4]]) == 0
    assert RunDirectory.open(tmp_path / "run").network().classes == ("cat", "dog")


def test_a_title_is_a_line_of_letters(digits: PreparedSet, tmp_path: Path) -> None:
    # As Python hands over what is no UTF-8, and with a command to the terminal.
    for place, (title, kept) in enumerate([("Caf\udce9\x1b[2J", "Caf[2J"), (" ", ""), ("x" * 300, "x" * 64)]):
        out = tmp_path / str(place)
        assert main(["train", "--data", str(digits.directory), "--out", str(out), "--title", title, *SMALL]) == 0
        assert RunDirectory.open(out).config().title == kept


def test_another_machine_prepares_the_pictures_at_the_size_of_the_run(
    write_pictures: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = write_pictures(tmp_path / "pets")
    here = prepare(folder, image_size=32, out=tmp_path / "here" / "pets")
    away = dataclasses.replace(DataIdentity.of(here), directory=str(tmp_path / "not on this machine"))
    _see_to_data(str(folder), here.image_size, away)
    (there,) = data_home().iterdir()
    assert dataclasses.replace(away, directory=str(there)).opened().image_size == 32


def test_no_thread_watches_the_bar_which_would_be_waited_for_where_memory_ends(
    digits: PreparedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tqdm, "monitor", None)
    monkeypatch.setattr(tqdm, "monitor_interval", 10)
    assert main(["train", "--data", str(digits.directory), "--out", str(tmp_path / "run"), *SMALL]) == 0
    assert tqdm.monitor is None


def test_measuring_anew_comes_first_and_is_told(
    digits: PreparedSet, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def found(*_: object, anew: bool = False, **__: object) -> Compute:
        asked.append(anew)
        return Compute(torch.device("cpu"), "fp32", 1)

    monkeypatch.setattr(pace, "fastest", found)
    out = tmp_path / "run"
    assert main(["train", "--data", str(digits.directory), "--out", str(out), "--measure", *SMALL]) == 0
    assert asked == [True]
    assert "Fastest: cpu, fp32, 1 thread, channels last." in capsys.readouterr().out
    assert main(["train", "--resume", str(out), "--measure"]) == 2
    assert "--measure is only for a new one" in capsys.readouterr().err


def test_a_beginning_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--data", "digits", "--size", "32", "--start-from", "no-such-run"]) == 2
    assert "There is no run called no-such-run" in capsys.readouterr().err


def test_a_source_brings_its_network_and_the_size_of_its_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    source = tmp_path / "source.safetensors"
    model = frozen(build("alexnet_mini", 4, 32, batch_norm=False))
    save_network(source, Network("alexnet_mini", model, tuple("abcd"), Preprocessing(32, 32), {"batch_norm": False}))
    out = tmp_path / "run"
    flags = ["--start-from", str(source), "--learn", "last_layers", "--epochs", "1", "--threads", "1"]
    assert main(["train", "--data", "digits", "--out", str(out), *flags]) == 0
    run = RunDirectory.open(out)
    assert run.network().preprocessing.size == 32
    assert run.config().settings.recipe == "last_layers"
    assert "Starting from" in capsys.readouterr().out
