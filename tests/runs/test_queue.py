from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.places import runs_home
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.queue import wait_for_turn
from alexnet_core.runs.staircase import Staircase
from alexnet_core.runs.stairs import Budget
from alexnet_core.runs.states import RunState

NewRun = Callable[..., RunDirectory]


def test_a_run_waits_for_the_one_in_training_and_says_for_whom(
    new_run: NewRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = new_run(tmp_path / "runs" / "run-1"), new_run(tmp_path / "runs" / "run-2")
    first.write_state(RunState.of_this_process("running"))
    said = []

    def later(_seconds: float) -> None:
        said.append(second.state().message)
        if len(said) == 3:
            first.write_state(RunState("finished"))

    monkeypatch.setattr("time.sleep", later)
    assert wait_for_turn(second)
    assert said == [f"Waiting for {first.title()} to end."] * 3


def test_the_older_of_two_queued_runs_goes_first(new_run: NewRun, tmp_path: Path) -> None:
    first, second = new_run(tmp_path / "runs" / "run-1"), new_run(tmp_path / "runs" / "run-2")
    second.ask("STOP")
    assert wait_for_turn(first)
    assert not wait_for_turn(second)
    assert second.state().status == "stopped"


@pytest.mark.parametrize("status", ["paused", "stopped", "finished", "failed", "interrupted"])
def test_runs_that_do_not_compute_hold_nobody_up(new_run: NewRun, tmp_path: Path, status: str) -> None:
    first, second = new_run(tmp_path / "runs" / "run-1"), new_run(tmp_path / "runs" / "run-2")
    first.write_state(RunState.of_this_process(status))  # type: ignore[arg-type]
    assert wait_for_turn(second)


def test_a_damaged_neighbour_holds_nobody_up(new_run: NewRun, tmp_path: Path) -> None:
    first, second = new_run(tmp_path / "runs" / "run-1"), new_run(tmp_path / "runs" / "run-2")
    (first.path / "state.json").write_text("{")
    assert wait_for_turn(second)


def test_a_staircase_times_no_steps_beside_another_training(few: PreparedSet, new_run: NewRun) -> None:
    other = new_run(runs_home() / "another-run")
    other.write_state(RunState.of_this_process("running"))
    made = Staircase.create(few, Budget(minutes=1), seeds=1)
    with closing(made.climb()) as climbing:  # type: ignore[type-var]
        assert next(climbing).endswith(f"waiting for {other.title()} to end.")
        other.write_state(RunState("finished"))
        assert next(climbing).endswith("choosing the epochs.")
    other.write_state(RunState.of_this_process("running"))
    again = made.climb()
    next(again)
    made.stop()
    assert list(again)[-1].startswith("Stopped")
