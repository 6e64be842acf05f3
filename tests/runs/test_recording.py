"""A run on disk: whole, paused, stopped, killed; and always the same to the bit."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from alexnet_core.commands.train import INTERRUPTED
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.devices import MEMORY_FORMATS, Compute
from alexnet_core.errors import ExplorerError
from alexnet_core.insight.prediction import predict
from alexnet_core.models import Network
from alexnet_core.runs import recording
from alexnet_core.runs.checkpoints import checkpoints
from alexnet_core.runs.directory import RunDirectory, Timing
from alexnet_core.runs.recording import execute
from alexnet_core.training import loop, pace
from alexnet_core.training.evaluate import Score
from alexnet_core.training.events import EpochDone, Finished, StepDone
from alexnet_core.training.loop import Training

NewRun = Callable[..., RunDirectory]
FORKED = pytest.mark.skipif(os.name != "posix", reason="only there processes are forked, and told to end by signals")


def learned(run: RunDirectory) -> dict[str, bytes]:
    """What must be equal to the bit between equal runs: the metrics and the weights. (safetensors writes the lines of
    its own header in any order, so the file as a whole may differ.)"""
    weights = {name: value.numpy().tobytes() for name, value in load_file(run.network_path).items()}
    return {"metrics": (run.path / "metrics.jsonl").read_bytes()} | weights


def test_the_end_says_how_it_looked_at_the_pictures(new_run: NewRun) -> None:
    run = new_run(epochs=1, views="ten")
    list(execute(run))
    assert run.state().message.endswith(" validation pictures right, each in ten views.")


def test_a_whole_run_writes_everything_down(new_run: NewRun, few: PreparedSet) -> None:
    run = new_run(epochs=12)
    events = list(execute(run))
    assert run.events() == [event for event in events if not isinstance(event, Timing | str)]
    assert run.timings()[-1].step == 12 * run.events()[0].steps // 12  # type: ignore[union-attr]
    finished = run.events()[-1]
    assert isinstance(finished, Finished)
    assert finished.test_top1 is None  # sixty pictures are too few for a test split
    state = run.state()
    assert (state.status, state.pid) == ("finished", None)
    evaluation = run.evaluation()
    assert evaluation is not None
    assert evaluation.files == few.files("val")
    right = float(np.mean(evaluation.labels == evaluation.predictions))
    assert right == [event for event in run.events() if isinstance(event, EpochDone)][-1].val_top1
    assert right > 0.8
    network = run.network()
    assert (network.classes, network.source) == (few.classes, run.title())
    answers = predict(network, [Image.fromarray(image) for image in few.images("val")])
    assert [answer[0].index for answer in answers] == evaluation.predictions.tolist()
    assert next(iter(run.snapshots())) == 0
    assert list(run.snapshots())[-1] == finished.step
    weights = load_file(run.snapshots()[finished.step])
    assert weights["features.0.weight"].dtype.itemsize == 2


def test_timing_never_enters_the_metrics(new_run: NewRun, tmp_path: Path) -> None:
    first, second = new_run(tmp_path / "one"), new_run(tmp_path / "two")
    for run in (first, second):
        list(execute(run))
    assert learned(first) == learned(second)


def test_equal_runs_compute_in_the_way_that_was_measured_once(
    new_run: NewRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The second measuring would find another way, which adds up in another order.
    ways = iter(["contiguous", "channels_last"])

    def measured(settings: object, data: object, usual: Compute, *_: object) -> tuple[Compute, dict[str, object]]:
        name = next(ways)
        found = {"precision": "fp32", "threads": 1, "memory_format": name, "step_seconds": 1.0, "whole": True}
        return replace(usual, memory_format=MEMORY_FORMATS[name]), found

    monkeypatch.setattr(pace, "_measure", measured)
    first, second = (new_run(tmp_path / name, memory_format="auto") for name in ("one", "two"))
    said = [[event for event in execute(run) if isinstance(event, str)] for run in (first, second)]
    assert said == [["Training on cpu, fp32, 1 thread, contiguous."]] * 2
    assert learned(first) == learned(second)


@FORKED
def test_killed_by_force_again_and_again_it_ends_as_if_never_killed(new_run: NewRun, tmp_path: Path) -> None:
    from tests.endurance import child, kills  # whose server of processes has PyTorch loaded already

    settings = {"epochs": 10, "dropout": 0.5, "rotate": 10.0, "optimizer": "sgd", "lr": 0.02}
    whole = new_run(tmp_path / "runs" / "a-run", **settings)
    list(execute(whole))
    expected = learned(whole)
    whole.path.rename(tmp_path / "whole")

    run = new_run(tmp_path / "runs" / "a-run", **settings)
    lot = random.Random(0)
    for _ in range(4):
        process = child.start(run, checkpoint_seconds=0.0)
        kills.in_training(process, run, lot, 0.0)
        process.join()
        assert process.exitcode == -signal.SIGKILL, "it ended before it was killed"
        assert run.state().status == "interrupted"
    list(execute(run))
    assert (run.path / "log.txt").read_text().count("Going on from step") >= 2
    assert learned(run) == expected


@FORKED
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_says_so(new_run: NewRun, number: signal.Signals) -> None:
    from tests.endurance import child

    run = new_run(epochs=200)
    process = child.start(run, checkpoint_seconds=0.0)
    while process.is_alive() and not checkpoints(run.path / "checkpoints"):
        time.sleep(0.005)
    assert process.pid is not None
    os.kill(process.pid, number)
    process.join(20)
    assert process.exitcode == INTERRUPTED
    assert "Interrupted and saved after step" in (run.path / "log.txt").read_text()
    assert run.state().status == "interrupted"
    assert checkpoints(run.path / "checkpoints")


def test_stop_and_resume_equal_an_undisturbed_run(new_run: NewRun, tmp_path: Path) -> None:
    whole = new_run(tmp_path / "runs" / "a-run")
    list(execute(whole))
    expected = learned(whole)
    whole.path.rename(tmp_path / "whole")
    run = new_run(tmp_path / "runs" / "a-run")
    for event in execute(run):
        if isinstance(event, StepDone) and event.step == 5:
            run.ask("STOP")
    assert run.state().status == "stopped"
    assert run.wishes() == set()
    said = [event for event in execute(run) if isinstance(event, str)]
    assert said[0] == f"Going on from step 5 of {whole_steps(run)}."
    assert learned(run) == expected


def whole_steps(run: RunDirectory) -> int:
    return run.events()[0].steps  # type: ignore[union-attr]


def test_pause_waits_and_goes_on(new_run: NewRun) -> None:
    run = new_run()
    events = execute(run)
    for event in events:
        if isinstance(event, StepDone):
            run.ask("PAUSE")
        if event == "Paused.":
            break
    # The generator stands before the waiting; taking the wish back lets it go on.
    run.withdraw("PAUSE")
    list(events)
    assert run.state().status == "finished"


def test_a_stop_during_the_test_at_the_end_is_heeded(
    new_run: NewRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = new_run(tmp_path / "runs" / "a-run", epochs=1, views="ten")
    list(execute(whole))
    expected, answers = learned(whole), whole.evaluation()
    whole.path.rename(tmp_path / "whole")
    run = new_run(tmp_path / "runs" / "a-run", epochs=1, views="ten")
    load = recording.load_network

    def asked_meanwhile(path: Path) -> Network:
        run.ask("STOP")
        return load(path)

    with monkeypatch.context() as patch:
        patch.setattr(recording, "load_network", asked_meanwhile)
        assert str(list(execute(run))[-1]).startswith("Stopped and saved")
    assert (run.state().status, run.wishes()) == ("stopped", set())
    list(execute(run))
    assert run.state().status == "finished"
    assert learned(run) == expected
    found = run.evaluation()
    assert found is not None
    assert answers is not None
    assert np.array_equal(found.probabilities, answers.probabilities)


def test_a_stop_during_a_validation_is_heeded(new_run: NewRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = new_run(tmp_path / "runs" / "a-run", epochs=2)
    list(execute(whole))
    expected = learned(whole)
    whole.path.rename(tmp_path / "whole")
    run = new_run(tmp_path / "runs" / "a-run", epochs=2)
    look = loop.evaluate

    def asked_meanwhile(*arguments: Any, **named: Any) -> Score:
        run.ask("STOP")
        return look(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "evaluate", asked_meanwhile)
        assert str(list(execute(run))[-1]).startswith("Stopped and saved")
    assert not any(isinstance(event, EpochDone) for event in run.events())
    assert isinstance(list(execute(run))[-1], Finished)
    assert learned(run) == expected


def test_a_pause_during_the_test_at_the_end_holds_nothing_up(new_run: NewRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run(epochs=1)
    look = recording.evaluate

    def asked_meanwhile(*arguments: Any, **named: Any) -> Score:
        assert run.state().message.startswith("Looking at the ")
        run.ask("PAUSE")
        return look(*arguments, **named)

    monkeypatch.setattr(recording, "evaluate", asked_meanwhile)
    assert isinstance(list(execute(run))[-1], Finished)
    assert run.state().status == "finished"


def test_a_paused_run_can_be_stopped(new_run: NewRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run()
    run.ask("PAUSE")
    seen = []

    def asked_meanwhile(_seconds: float) -> bool:
        seen.append(run.state().status)
        run.ask("STOP")
        return False

    monkeypatch.setattr("threading.Event.wait", lambda self, seconds: asked_meanwhile(seconds))
    list(execute(run))
    assert seen == ["paused"]
    assert run.state().status == "stopped"


def test_a_damaged_checkpoint_costs_steps_and_is_named(new_run: NewRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "CHECKPOINT_SECONDS", 0.0)
    run = new_run()
    for event in execute(run):
        if isinstance(event, StepDone) and event.step == 5:
            run.ask("STOP")
    newest = checkpoints(run.path / "checkpoints")[0]
    newest.write_bytes(newest.read_bytes()[:-100])
    said = [event for event in execute(run) if isinstance(event, str)]
    assert said[:2] == [
        "The checkpoint of step 5 is damaged; going on from the one before.",
        f"Going on from step 4 of {whole_steps(run)}.",
    ]
    assert run.state().status == "finished"
    steps = [event.step for event in run.events() if isinstance(event, StepDone)]
    assert steps == sorted(set(steps))


def test_a_failed_run_says_why_and_keeps_its_checkpoint(new_run: NewRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run()

    def broken(self: Training, loss: float) -> None:
        if self.step == 5:
            raise ExplorerError("The loss stopped being a number.")

    monkeypatch.setattr(recording, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(Training, "_check", broken)
    with pytest.raises(ExplorerError):
        list(execute(run))
    assert (run.state().status, run.state().message) == ("failed", "The loss stopped being a number.")
    assert checkpoints(run.path / "checkpoints")[0].name.startswith("step-00000004")


def failing(error: Exception) -> Callable[..., object]:
    def wish(*_: object) -> None:
        raise error

    return wish


# What has no room in a process of its own limit cannot be asked for here: those are the libraries' own words.
@pytest.mark.parametrize(
    "wish",
    [
        lambda: torch.empty(10**15), lambda: bytearray(10**18),
        failing(RuntimeError("can't start new thread")), failing(RuntimeError("could not create a primitive")),
        failing(OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))),
        failing(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")),
    ],
    ids=["torch", "python", "thread", "onednn", "system", "cublas"],
)  # fmt: skip
def test_too_little_memory_names_a_batch_size_to_try(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch, wish: Callable[[], object]
) -> None:
    def greedy(*_: object) -> None:
        wish()

    monkeypatch.setattr(Training, "_learn", greedy)
    run = new_run()
    with pytest.raises(ExplorerError, match="batch size of 4"):
        list(execute(run))
    assert run.state().status == "failed"
    assert run.state().remedy == ("batch_size", 4.0)


def test_a_shape_that_cannot_be_computed_is_not_taken_for_too_little_memory(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Training, "_learn", failing(RuntimeError("could not create a primitive descriptor for a ...")))
    with pytest.raises(RuntimeError, match="descriptor"):
        list(execute(new_run()))


def test_a_bug_keeps_its_traceback_and_the_state_tells(new_run: NewRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def buggy(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Training, "_learn", buggy)
    run = new_run()
    with pytest.raises(ZeroDivisionError):
        list(execute(run))
    assert run.state().status == "failed"
    assert "log.txt" in run.state().message


def test_a_full_disk_ends_the_run_in_a_sentence(new_run: NewRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run()
    events = execute(run)
    next(events)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ExplorerError, match="No space left on device"):
        list(events)


def test_changed_data_are_refused(new_run: NewRun) -> None:
    run = new_run()
    values = json.loads((run.path / "config.json").read_text())
    values["data"]["identity"] = "other"
    (run.path / "config.json").write_text(json.dumps(values))
    with pytest.raises(ExplorerError, match="has changed since the training began"):
        list(execute(run))


def test_a_finished_run_and_a_going_one_are_not_started_again(new_run: NewRun, tmp_path: Path) -> None:
    run = new_run()
    list(execute(run))
    with pytest.raises(ExplorerError, match="finished"):
        list(execute(run))
    other = new_run(tmp_path / "other")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as waiting:
        other.write_state(recording.RunState("running", pid=waiting.pid))
        with pytest.raises(ExplorerError, match="already going on"):
            list(execute(other))
