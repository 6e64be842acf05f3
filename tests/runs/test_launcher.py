"""Runs in processes of their own, started, stopped and resumed as the app does it."""

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.devices import threads_beside_pages
from alexnet_core.errors import ExplorerError
from alexnet_core.runs import launcher
from alexnet_core.runs.checkpoints import checkpoints
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.processes import last_line
from alexnet_core.training.events import StepDone
from alexnet_core.training.recipes import settle


@pytest.fixture(autouse=True)
def _nothing_goes_on() -> Iterator[None]:
    """A test that fails leaves no training behind, which would slow all that follow."""
    before = set(psutil.Process().children(recursive=True))
    yield
    for child in set(psutil.Process().children(recursive=True)) - before:
        with suppress(psutil.NoSuchProcess):
            child.kill()


def wait_until(run: RunDirectory, *statuses: str, seconds: float = 60) -> str:
    end = time.monotonic() + seconds
    while (status := run.state().status) not in statuses:
        assert time.monotonic() < end, f"still {status}: {(run.path / 'log.txt').read_text()}"
        time.sleep(0.1)
    return status


def wait_for_a_step(run: RunDirectory) -> None:
    end = time.monotonic() + 60
    while not any(isinstance(event, StepDone) for event in run.events()):
        assert time.monotonic() < end, f"no step in {run.state()}: {(run.path / 'log.txt').read_text()}"
        time.sleep(0.05)


def test_start_stop_resume_and_finish_in_a_process_of_its_own(few: PreparedSet) -> None:
    settings = settle({"epochs": 400, "batch_size": 8, "threads": 1}, train_images=few.count("train"), image_size=32)
    run = launcher.start(settings, few, title="My first run")
    assert run.title() == "My first run"
    wait_until(run, "running")
    state = run.state()
    assert state.pid is not None
    process = psutil.Process(state.pid)
    assert process.nice() == launcher.NICENESS
    with pytest.raises(ExplorerError, match="already going on"):
        launcher.resume(run)
    wait_for_a_step(run)
    run.ask("STOP")
    wait_until(run, "stopped")
    assert process.wait(20) is not None or not process.is_running()
    launcher.resume(run)
    wait_until(run, "running")
    launcher.end(run)
    wait_until(run, "interrupted")
    assert "Resume to go on" in run.state().message


def test_a_run_of_two_processes_is_ended_with_all_of_them(few: PreparedSet) -> None:
    settings = launcher.settled({"epochs": 1_000, "batch_size": 8, "device": "cpu", "precision": "fp32"}, few, 2)
    assert settings.threads == max(1, threads_beside_pages() // 2)
    run = launcher.start(settings, few, processes=2)
    wait_until(run, "running")
    wait_for_a_step(run)
    state = run.state()
    assert state.pid is not None
    assert "in each of 2 processes" in state.message
    torchrun = psutil.Process(state.pid).parent()
    assert torchrun is not None
    workers = torchrun.children(recursive=True)
    assert len(workers) == 2
    launcher.end(run)
    assert not psutil.wait_procs(workers, timeout=10)[1]
    assert run.state().status == "interrupted"
    assert checkpoints(run.path / "checkpoints")


def test_one_core_is_left_for_the_pages_unless_asked_otherwise(few: PreparedSet) -> None:
    usual = launcher.settled({}, few)
    assert usual.threads == threads_beside_pages()
    assert launcher.settled({"threads": 7}, few).threads == 7
    assert launcher.settled({"epochs": 3}, few).epochs == 3


def test_what_a_process_prints_is_kept_whatever_its_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")  # as on a computer whose language has few letters
    child = launcher.detached([sys.executable, "-c", "print('\\N{CAT FACE}')"], tmp_path / "log.txt")
    assert child.wait(30) == 0
    assert last_line(tmp_path / "log.txt") == "\N{CAT FACE}"


def test_a_process_that_cannot_begin_leaves_a_sentence(few: PreparedSet) -> None:
    settings = settle({"epochs": 1, "batch_size": 8, "device": "cuda"}, train_images=few.count("train"), image_size=32)
    run = launcher.start(settings, few)
    try:
        assert wait_until(run, "failed", "finished") == "failed"
        assert "no CUDA GPU" in run.state().message
    except AssertionError:
        import torch

        if not torch.cuda.is_available():
            raise
