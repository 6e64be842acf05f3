"""Curves for other programs hold the run's own numbers."""

import csv
import platform
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from alexnet_core.errors import ExplorerError
from alexnet_core.runs.directory import RunDirectory, Timing
from alexnet_core.runs.logs import COLUMNS, csv_table, tensorboard
from alexnet_core.training.events import EpochDone, Finished, Started, StepDone

NewRun = Callable[..., RunDirectory]


@pytest.fixture
def run(new_run: NewRun) -> RunDirectory:
    run = new_run()
    run.append_event(Started(1, 4, 40, 6, 1000))
    for step in (2, 4):
        run.append_event(StepDone(step, 1, 2 / step, 0.01 * step))
        run.append_timing(Timing(step, 1, 3.5 * step, 300.0, 0.0, 500.0))
    run.append_event(EpochDone(4, 1, 0.75, 0.5, 0.9, 0.6, 1.0, 0.04))
    run.append_event(Finished(4, 1, None, None, None))
    return run


def test_the_table_is_all_events_with_their_times(run: RunDirectory) -> None:
    rows = list(csv.DictReader(StringIO(csv_table(run)["metrics.csv"].decode())))
    assert tuple(rows[0]) == COLUMNS
    assert [row["event"] for row in rows] == ["step", "step", "epoch", "finished"]
    assert [float(row["train_loss"]) for row in rows[:3]] == [1.0, 0.5, 0.75]
    assert [row["seconds"] for row in rows] == ["7.0", "14.0", "14.0", "14.0"]
    assert rows[2]["val_top1"] == "0.6"
    assert rows[3]["test_top1"] == ""


def test_tensorboard_reads_the_same_numbers(run: RunDirectory, tmp_path: Path) -> None:
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="the extra [tensorboard] is not installed"
    )
    ((name, data),) = tensorboard(run).items()
    assert platform.node() not in name
    assert run.id in name
    (tmp_path / name).write_bytes(data)
    read = reader.EventAccumulator(str(tmp_path))
    read.Reload()
    assert [(one.step, one.value) for one in read.Scalars("loss/train")] == [(2, 1.0), (4, 0.5)]
    (validation,) = read.Scalars("top-1/validation")
    assert (validation.step, validation.value) == (4, pytest.approx(0.6))
    steps = read.Scalars("loss/train")
    assert steps[1].wall_time - steps[0].wall_time == pytest.approx(7.0)
    assert "top-1/test" not in read.Tags()["scalars"]


def test_a_run_without_events_has_no_curve(new_run: NewRun) -> None:
    with pytest.raises(ExplorerError, match="no curve"):
        csv_table(new_run())
