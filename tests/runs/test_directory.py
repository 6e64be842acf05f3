import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from alexnet_core.errors import ExplorerError
from alexnet_core.places import runs_home
from alexnet_core.runs.directory import RunDirectory, Timing
from alexnet_core.runs.listing import list_runs
from alexnet_core.runs.states import RunState
from alexnet_core.training.events import Finished, StepDone

NewRun = Callable[..., RunDirectory]


def test_a_new_run_is_queued_and_reads_back(new_run: NewRun) -> None:
    run = new_run()
    config = run.config()
    assert (config.settings.epochs, config.settings.threads) == (3, 1)
    assert run.state().status == "queued"
    assert run.events() == []
    assert "alexnet_mini" in run.title()


def test_without_a_place_it_gets_an_id_of_our_own_in_the_runs_home(new_run: NewRun, home: Path) -> None:
    made = new_run()
    config = made.config()
    hostile = replace(config.data, name="../../Evil name\n<b>")
    run = RunDirectory.create(config.settings, hostile)
    assert run.path.parent == home / "runs"
    assert RunDirectory.find(run.id).path == run.path
    assert [found.id for found in list_runs() if not found.bundled] == [run.id]


@pytest.mark.parametrize(
    "run_id", ["", ".", "..", "../a-run", "a/b", "/etc", "A-RUN", "a-run\n", "x" * 81, "a\0b", "%2e%2e", "nothing-here"]
)
def test_ids_from_outside_never_leave_the_runs_home(new_run: NewRun, home: Path, run_id: str) -> None:
    new_run(home / "a-run")  # beside the runs home, as a lure
    with pytest.raises(ExplorerError, match="choose one from the list"):
        RunDirectory.find(run_id)


def test_a_link_out_of_the_runs_home_is_not_followed(new_run: NewRun, tmp_path: Path) -> None:
    outside = new_run(tmp_path / "elsewhere" / "secret-run")
    runs_home().mkdir(parents=True)
    (runs_home() / "secret-run").symlink_to(outside.path)
    with pytest.raises(ExplorerError, match="no run called"):
        RunDirectory.find("secret-run")


def test_a_place_that_holds_something_is_not_overwritten(tmp_path: Path, new_run: NewRun) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ExplorerError, match="already exists"):
        new_run(tmp_path / "mine")
    assert os.listdir(tmp_path / "mine") == ["thesis.txt"]


def test_events_and_timings_come_back_and_an_unfinished_line_is_ignored(new_run: NewRun) -> None:
    run = new_run()
    events = [StepDone(1, 1, 2.5, 0.1), Finished(3, 1, 0.5, 0.9, 1.0)]
    for event in events:
        run.append_event(event)
    size, before = run.metrics_size(), run.timing_size()
    timing = Timing(1, 1, 0.5, 100.0, 3.25, 512.0)
    run.append_timing(timing)
    for name in ("metrics.jsonl", "timing.jsonl"):
        with (run.path / name).open("a") as file:
            file.write('{"event": "ste')
    assert run.events() == events
    assert run.timings() == [timing]
    run.truncate(metrics=size, timing=before)
    assert (run.metrics_size(), run.timings()) == (size, [])


def test_files_that_lost_their_end_are_not_made_longer(new_run: NewRun) -> None:
    run = new_run()
    run.append_event(StepDone(1, 1, 2.5, 0.1))
    size = run.metrics_size()
    run.truncate(metrics=size + 100, timing=100)
    assert (run.metrics_size(), run.timing_size()) == (size, 0)


def test_half_written_files_of_a_killed_process_are_removed_and_nothing_else(new_run: NewRun) -> None:
    run = new_run()
    left = [".state.json", "checkpoints/.step-00000004-0123456789abcdef.pt", "snapshots/.step-00000004.safetensors"]
    for name in left:
        (run.path / f"{name}.0123abcd.part").write_bytes(b"half")
    (run.path / ".config.json.0123abcd.part").write_bytes(b"a page is writing this")
    kept = {path for path in run.path.rglob("*") if not path.name.endswith("0123abcd.part")}
    run.clear_leftovers()
    assert set(run.path.rglob("*")) == kept | {run.path / ".config.json.0123abcd.part"}


def test_a_run_whose_process_has_gone_is_interrupted(new_run: NewRun) -> None:
    run = new_run()
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    run.write_state(RunState("running", pid=child.pid))
    child.wait()
    assert run.state().status == "interrupted"


def test_a_zombie_is_gone_too(new_run: NewRun) -> None:
    run = new_run()
    with subprocess.Popen([sys.executable, "-c", "print('x')"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.read()
        run.write_state(RunState("running", pid=child.pid))
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert run.state().status == "interrupted"


def test_another_process_with_the_same_number_is_not_taken_for_the_run(new_run: NewRun) -> None:
    run = new_run()
    ours = RunState.of_this_process("running")
    run.write_state(ours)
    assert run.state().status == "running"
    assert ours.process_started is not None
    run.write_state(replace(ours, process_started=ours.process_started - 5))
    assert run.state().status == "interrupted"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the start of a process does not move with the clock")
def test_a_clock_that_is_set_does_not_interrupt_a_run(new_run: NewRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run()
    ours = RunState.of_this_process("running")
    true_start = psutil.Process.create_time
    earlier = replace(ours, process_started=true_start(psutil.Process()))  # as earlier versions write it
    # What psutil says on Linux is counted from 1970, and moves with the clock: here by an hour.
    with monkeypatch.context() as later:
        later.setattr(psutil.Process, "create_time", lambda process: true_start(process) + 3600)
        run.write_state(ours)
        assert run.state().status == "running"
    run.write_state(earlier)
    assert run.state().status == "running"


def test_a_queued_run_whose_process_never_came_is_interrupted_after_a_minute(new_run: NewRun) -> None:
    run = new_run()
    run.write_state(RunState("queued", heartbeat=run.state().heartbeat - 61))
    assert run.state().status == "interrupted"


@pytest.mark.parametrize("name", ["config.json", "state.json"])
@pytest.mark.parametrize(
    "contents",
    [
        None,
        "",
        "{",
        "[]",
        "null",
        '{"settings": {"depth": 9}, "status": "flying"}',
        '{"settings": [], "data": [], "status": ["running"]}',
        '{"settings": {}, "data": {}, "processes": 1e999, "heartbeat": "noon"}',
    ],
)
def test_half_written_and_foreign_files_are_one_sentence(new_run: NewRun, name: str, contents: str | None) -> None:
    run = new_run()
    if contents is None:
        (run.path / name).unlink()
    else:
        (run.path / name).write_text(contents)
    with pytest.raises(ExplorerError, match=r"missing|damaged|another version"):
        RunDirectory.open(run.path).state()


@pytest.mark.parametrize("pid", ["1", -1, 1.5, 10**30, [1]])
def test_a_process_that_cannot_be_is_none(new_run: NewRun, pid: object) -> None:
    run = new_run()
    (run.path / "state.json").write_text(json.dumps({"status": "running", "pid": pid, "process_started": "noon"}))
    assert run.state().status == "interrupted"


def test_settings_of_another_version_are_named(new_run: NewRun) -> None:
    run = new_run()
    values = json.loads((run.path / "config.json").read_text())
    values["settings"]["depth"] = 9
    (run.path / "config.json").write_text(json.dumps(values))
    with pytest.raises(ExplorerError, match="no setting called 'depth'"):
        RunDirectory.open(run.path)


def test_a_damaged_line_in_the_middle_is_named(new_run: NewRun) -> None:
    run = new_run()
    (run.path / "metrics.jsonl").write_text('{"event": "st\n{}\n')
    with pytest.raises(ExplorerError, match=r"Line 1 of metrics.jsonl"):
        run.events()


def test_damaged_neighbours_do_not_hide_the_other_runs(new_run: NewRun) -> None:
    good, bad = (new_run(runs_home() / name) for name in ("good", "bad"))
    (bad.path / "state.json").write_text("{")
    assert [run.id for run in list_runs() if not run.bundled] == [good.id]


def test_a_run_without_a_network_says_so(new_run: NewRun) -> None:
    with pytest.raises(ExplorerError, match="no network yet"):
        new_run().network()


def test_reading_a_run_does_not_load_torch() -> None:
    code = "import sys, alexnet_core.runs.queue, alexnet_core.commands.train; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("remedy", ["lr", ["lr"], ["lr", "small"], 3])
def test_a_remedy_that_cannot_be_is_a_damaged_state(new_run: NewRun, remedy: object) -> None:
    run = new_run()
    state = json.loads((run.path / "state.json").read_text())
    (run.path / "state.json").write_text(json.dumps(state | {"remedy": remedy}))
    with pytest.raises(ExplorerError, match="is damaged, or from another version"):
        run.state()
