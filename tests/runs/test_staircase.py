"""The staircase: equal budgets, resumable, made of ordinary runs."""

from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.runs import launcher, staircase
from alexnet_core.runs.climbed import summary
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.listing import list_runs
from alexnet_core.runs.recording import execute
from alexnet_core.runs.staircase import Staircase, list_staircases
from alexnet_core.runs.stairs import STAIRS, Budget, epochs, expected_minutes, multiply_adds
from alexnet_core.runs.states import RunState
from alexnet_core.training import estimate
from alexnet_core.training.recipes import settle

FAST = {"threads": 1, "precision": "fp32", "memory_format": "channels_last", "batch_size": 16}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are trained here and at once; two stairs are enough."""
    monkeypatch.setattr(launcher, "_launch", lambda run: deque(execute(run), maxlen=0))
    for name in STAIRS.keys() - {"alexnet", "vgg"}:
        monkeypatch.delitem(STAIRS, name)
    monkeypatch.setattr(staircase, "BEAT", 0.01)


def test_equal_multiply_adds_mean_fewer_epochs_of_what_costs_more(few: PreparedSet) -> None:
    a, b = (multiply_adds(name, {}, few) for name in ("alexnet_mini", "vgg_mini"))
    budget = Budget(multiply_adds=3 * few.count("train") * 2.0 * a)
    made = Staircase.create(few, budget, seeds=2, **FAST)
    assert len(list(made.climb())) > 4
    found = made.results()
    assert [(one.stair, one.seed) for one in found] == [("alexnet", 0), ("vgg", 0), ("alexnet", 1), ("vgg", 1)]
    assert {one.status for one in found} == {"finished"}
    assert [len(one.val_top1) for one in found[:2]] == [2, max(1, round(2 * a / b))]
    assert all(one.minutes[0] > 0 for one in found)
    assert {run.id for run in list_runs() if not run.bundled} == {one.run_id for one in found}
    first, second = (RunDirectory.find(one.run_id).config().settings for one in found[:2])
    assert not first.batch_norm
    assert (first.model, second.model) == ("alexnet_mini", "vgg_mini")
    told = summary(found)
    assert told["vgg"]["top1"]["runs"] == 2
    assert told["vgg"]["top1"]["least"] <= told["vgg"]["top1"]["median"] <= told["vgg"]["top1"]["largest"]
    assert not made.going_on()


def test_what_is_finished_stays_and_what_is_missing_is_made(few: PreparedSet) -> None:
    made = Staircase.create(few, Budget(multiply_adds=1.0), seeds=1, **FAST)
    climbing = made.climb()
    while "alexnet-0" not in made.asked().runs:
        next(climbing)
    made.stop()
    assert list(climbing)[-1].startswith("Stopped")
    assert not made.stopping()
    first = made.asked().runs["alexnet-0"]
    assert list(made.asked().runs) == ["alexnet-0"]
    said = list(Staircase.find(made.id).climb())
    assert "finished before" in said[0]
    assert made.asked().runs["alexnet-0"] == first
    assert {one.status for one in made.results()} == {"finished"}
    assert [one.id for one in list_staircases()] == [made.id]


def test_ctrl_c_stops_the_run_that_trains_too(few: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(launcher, "_launch", lambda run: run.write_state(RunState.of_this_process("running")))
    monkeypatch.setattr("time.sleep", interrupted)
    made = Staircase.create(few, Budget(multiply_adds=1.0), seeds=1, **FAST)
    with pytest.raises(KeyboardInterrupt):
        list(made.climb())
    assert RunDirectory.find(made.asked().runs["alexnet-0"]).wishes() == {"STOP"}
    assert not made.going_on()


def test_minutes_become_the_epochs_that_fit(few: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settle(FAST, train_images=few.count("train"), image_size=32)
    monkeypatch.setattr(estimate, "estimate_seconds", lambda settings, data: 2.0 * settings.epochs)
    assert estimate.epochs_within(61, settings, few) == 30
    assert estimate.epochs_within(0.001, settings, few) == 1
    assert estimate.epochs_within(10**6, settings, few) == 10_000
    assert epochs(Budget(multiply_adds=1e18), settings, few) == 10_000


@pytest.mark.parametrize(
    "wrong",
    [
        lambda few: Budget(),
        lambda few: Budget(minutes=1, multiply_adds=1),
        lambda few: Budget(minutes=float("nan")),
        lambda few: Staircase.create(few, Budget(minutes=1), seeds=0),
        lambda few: Staircase.create(few, Budget(minutes=1), lr=-1.0),
        lambda few: Staircase.find("../runs"),
        lambda few: Staircase.find("never-made"),
    ],
)
def test_what_cannot_be_is_a_sentence(wrong: Callable[[PreparedSet], object], few: PreparedSet) -> None:
    with pytest.raises(ExplorerError):
        wrong(few)


def test_a_staircase_says_how_long_it_takes() -> None:
    assert expected_minutes(Budget(multiply_adds=1e12), 3) is None
    assert expected_minutes(Budget(minutes=1), 3) == pytest.approx(7, rel=0.01)


def test_another_process_that_climbs_is_seen(few: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Staircase.create(few, Budget(multiply_adds=1.0), seeds=1, **FAST)
    monkeypatch.setattr(Staircase, "going_on", lambda self: True)
    with pytest.raises(ExplorerError, match="already"):
        list(made.climb())


def test_a_python_that_only_started_this_one_is_not_another_climber(
    few: PreparedSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Staircase.create(few, Budget(multiply_adds=1.0), seeds=1, **FAST)
    monkeypatch.setattr(Staircase, "going_on", lambda self: True)
    monkeypatch.setattr("os.getppid", lambda: 4711)
    made._write(replace(made.asked(), pid=4711, process_started=0.0))
    with closing(made.climb()) as climbing:  # type: ignore[type-var]
        assert next(climbing).endswith("choosing the epochs.")
