"""What the benchmarks make of a run directory, and that a tiny run of our own can be watched."""

import itertools
from pathlib import Path

import pytest

from alexnet_core.data.prepared import PreparedSet
from benchmarks.watching import appended, pace, watch


def test_only_whole_lines_are_read_and_each_once(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    new = appended(path)
    assert next(new) == []
    path.write_text('{"step": 1}\n{"step"')
    assert next(new) == [{"step": 1}]
    assert next(new) == []
    with path.open("a") as file:
        file.write(": 2}\n")
    assert next(new) == [{"step": 2}]


def test_the_validation_between_two_epochs_is_not_counted() -> None:
    # Two steps a second, and ten seconds of validation after step 4.
    seconds = [0.5, 1.0, 1.5, 2.0, 12.5, 13.0, 13.5, 14.0]
    lines = [{"step": step, "epoch": 1 + (step > 4), "seconds": at} for step, at in zip(itertools.count(1), seconds)]
    assert pace(lines, 10, warm_up=0) == pytest.approx(20)


def test_the_warm_up_is_not_counted() -> None:
    lines = [{"step": step, "epoch": 1, "seconds": at} for step, at in ((1, 5.0), (2, 9.0), (3, 9.5), (4, 10.0))]
    assert pace(lines, 10, warm_up=0.5) == pytest.approx(20)


def test_a_run_is_watched_from_its_first_event_to_its_end(digits: PreparedSet, tmp_path: Path) -> None:
    looked: list[int] = []
    run = watch(
        ["--data", str(digits.directory), "--epochs", "1", "--batch-size", "64", "--threads", "1"],
        tmp_path,
        looked.append,
    )
    assert [event["event"] for _, event in run.events[:1]] == ["started"]
    assert [event["event"] for _, event in run.events[-2:]] == ["epoch", "finished"]
    assert 0 < run.training_seconds < run.seconds - run.first_event_seconds
    assert run.images_per_s() > 0
    assert 0 <= run.test_top1 <= 1
    assert len(set(looked)) == 1


def test_a_command_that_fails_ends_the_benchmark_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="unrecognized arguments: --no-such-setting"):
        watch(["--data", "digits", "--no-such-setting"], tmp_path)
