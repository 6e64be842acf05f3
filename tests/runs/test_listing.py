"""The list of runs reads the ends of long files, and says the same as all of them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alexnet_core.places import runs_home
from alexnet_core.runs.directory import RunDirectory, Timing
from alexnet_core.runs.listing import TAIL, last_record, list_runs, summaries, summary
from alexnet_core.runs.notes import Notes, write_notes
from alexnet_core.runs.states import RunState
from alexnet_core.training.events import EpochDone, Finished, StepDone

NewRun = Callable[..., RunDirectory]


def trained(run: RunDirectory, epochs: int, steps: int) -> RunDirectory:
    for epoch in range(1, epochs + 1):
        for step in range(steps):
            run.append_event(StepDone((epoch - 1) * steps + step + 1, epoch, 1.5, 0.01))
        run.append_event(EpochDone(epoch * steps, epoch, 1.0, 0.5, 0.9, epoch / 10, 1.0, 0.01))
        run.append_timing(Timing(epoch * steps, epoch, 10.0 * epoch, 300.0, 0.0, 500.0))
    return run


def test_a_summary_says_what_all_events_say(new_run: NewRun) -> None:
    run = trained(new_run(), epochs=3, steps=2)
    before = summary(run)
    assert (before.epochs, before.val_top1, before.test_top1, before.seconds) == (3, 0.3, None, 30.0)
    assert before.top1 == 0.3
    run.append_event(Finished(6, 3, 0.8, 0.25, 1.0))
    run.write_state(RunState("finished"))
    after = summary(run)
    assert (after.test_top1, after.top1, after.state.status) == (0.25, 0.25, "finished")


def test_an_epoch_far_from_the_end_is_found(new_run: NewRun) -> None:
    run = trained(new_run(), epochs=1, steps=1)
    for step in range(2, 2_000):
        run.append_event(StepDone(step, 2, 1.5, 0.01))
    assert run.metrics_size() > 4 * TAIL
    assert summary(run).val_top1 == 0.1


def test_only_the_end_is_read(new_run: NewRun) -> None:
    run = new_run()
    # A million bytes that are no events: parsing them would fail, and reading them would be noticed.
    (run.path / "metrics.jsonl").write_text("{no event}\n" * 100_000)
    trained(run, epochs=2, steps=2)
    assert summary(run).val_top1 == 0.2


def test_unfinished_and_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"event": "epoch", "epoch": 1}\n{"event": "epoch", "epo\n[1]\n{"event": "epoch", "epoch": 3')
    assert last_record(path, "epoch") == {"event": "epoch", "epoch": 1}
    assert last_record(path, "finished") is None
    assert last_record(tmp_path / "none", None) is None


@pytest.mark.parametrize("line", ['{"event": "epoch", "epoch": "many", "val_top1": [1]}', '{"event": "epoch"}'])
def test_numbers_of_another_kind_are_none(new_run: NewRun, line: str) -> None:
    run = new_run()
    (run.path / "metrics.jsonl").write_text(line + "\n")
    assert (summary(run).val_top1, summary(run).epochs) == (None, 0)


def test_the_newest_first_and_named_as_people_named_them(new_run: NewRun) -> None:
    old, new = new_run(runs_home() / "20260101-a"), new_run(runs_home() / "20260102-b")
    write_notes(old.path, Notes("The first one", "lr was too high"))
    (runs_home() / "20260103-broken").mkdir()
    (runs_home() / "20260103-broken" / "config.json").write_text("{")
    (runs_home() / "Not a run's name").mkdir()
    (runs_home() / "Not a run's name" / "config.json").write_bytes((new.path / "config.json").read_bytes())
    mine = [one for one in summaries() if not one.run.bundled]
    assert [one.id for one in mine] == [new.id, old.id] == [run.id for run in list_runs() if not run.bundled]
    assert (mine[1].title, mine[1].notes.note) == ("The first one", "lr was too high")
    assert old.title() == "The first one"
    assert json.loads((old.path / "config.json").read_text())["title"] == ""
