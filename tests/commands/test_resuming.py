"""What a terminal shows of a run that goes on."""

from pathlib import Path

import pytest
import tqdm

from alexnet_core.__main__ import main
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.recording import execute
from alexnet_core.training.events import Started, StepDone
from alexnet_core.training.recipes import settle


def test_the_bar_ends_where_the_run_does(digits: PreparedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_hand = {"epochs": 1, "batch_size": 128, "threads": 1, "precision": "fp32", "memory_format": "channels_last"}
    settings = settle(by_hand, train_images=digits.count("train"), image_size=32)
    run = RunDirectory.create(settings, DataIdentity.of(digits), tmp_path / "run")
    for event in execute(run):
        if isinstance(event, StepDone) and event.step == 5:
            run.ask("STOP")
    bars: list[tqdm.tqdm] = []

    class Kept(tqdm.tqdm):
        def __init__(self, *arguments: object, **named: object) -> None:
            super().__init__(*arguments, **named)
            bars.append(self)

    monkeypatch.setattr("tqdm.tqdm", Kept)
    assert main(["train", "--resume", str(run.path)]) == 0
    started = run.events()[0]
    assert isinstance(started, Started)
    assert [bar.total for bar in bars] == [started.steps]
