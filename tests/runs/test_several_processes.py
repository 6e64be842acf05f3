"""Several processes that train one network, started by torchrun as people start them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.runs.checkpoints import checkpoints
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.training.events import StepDone
from tests.runs import in_three_processes, one_without_memory

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
COMMAND = ("-m", "alexnet_core")
two_gpus = pytest.mark.skipif(torch.cuda.device_count() < 2, reason="there are not two CUDA GPUs on this machine")


@pytest.fixture(scope="module")
def reports(few: PreparedSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What became of each check in each of three processes."""
    place = tmp_path_factory.mktemp("three")
    command = [*TORCHRUN, "3", in_three_processes.__file__, str(few.directory), str(place)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    # Checks are left out where one before them failed: where none has begun, that would be all of them.
    assert list(place.glob("*.json")), done.stderr[-3000:]
    return place


@pytest.mark.parametrize("check", [check.__name__ for check in in_three_processes.CHECKS])
def test_three_processes(reports: Path, check: str) -> None:
    found = [reports / f"{check}-{rank}.json" for rank in range(3)]
    if not any(path.exists() for path in found):
        pytest.skip("a check before this one failed")
    troubles = [json.loads(path.read_text()) if path.exists() else f"{path.stem} is missing" for path in found]
    assert troubles == ["", "", ""], "\n".join(troubles)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the names of threads")
def test_no_thread_of_a_group_outlives_it(reports: Path) -> None:
    """One that does may abort the process while Python ends, and torchrun then ends the main one before it is done."""
    left = [(reports / f"threads-{rank}").read_text().split("\n") for rank in range(3)]
    assert all(left)
    assert not [name for names in left for name in names if "gloo" in name]


def by_two(few: PreparedSet, out: Path, *settings: str, program: Sequence[str] = COMMAND) -> list[str]:
    """How two processes are started that train for minutes, unless `settings` say otherwise. A curve has some 500
    points whatever the length, so of ten times as many epochs the first point would come ten times as late."""
    usual = ["--epochs", "1000", "--batch-size", "8", "--threads", "1", "--precision", "fp32", "--device", "cpu"]
    return [*TORCHRUN, "2", *program, "train", "--data", str(few.directory), "--out", str(out), *usual, *settings]


def steps(run: RunDirectory) -> list[int]:
    """Those that are written down."""
    return [event.step for event in run.events() if isinstance(event, StepDone)]


@contextmanager
def training(command: list[str], out: Path) -> Iterator[tuple[subprocess.Popen[str], RunDirectory]]:
    """What `command` started, once it has made a few steps of the run at `out`; it has to end within a minute."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    family: list[psutil.Process] = []
    try:
        run = RunDirectory(out)
        end = time.monotonic() + 120
        while not (out / "metrics.jsonl").exists() or not steps(run):
            assert child.poll() is None, child.stdout and child.stdout.read()
            assert time.monotonic() < end
            time.sleep(0.1)
        family = psutil.Process(child.pid).children(recursive=True)
        assert len(family) == 2
        yield child, run
        child.wait(60)
        assert not psutil.wait_procs(family, timeout=10)[1], "a process was left behind"
    finally:
        for process in [child, *family]:
            if isinstance(process, subprocess.Popen) or process.is_running():
                process.kill()
        child.communicate()


def written_state(run: RunDirectory) -> dict[str, object]:
    """state.json as it lies there: reading it through `state` would make up for a process that could not write it."""
    return json.loads((run.path / "state.json").read_text())


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_process_ends_the_others_and_the_state_says_so(few: PreparedSet, tmp_path: Path, rank: int) -> None:
    out = tmp_path / "run"
    with training(by_two(few, out), out) as (child, run):
        main = written_state(run)["pid"]
        assert isinstance(main, int)
        both = [process.pid for process in psutil.Process(child.pid).children(recursive=True)]
        os.kill(main if rank == 0 else next(pid for pid in both if pid != main), signal.SIGKILL)
    assert child.returncode != 0
    state = written_state(run)
    assert state["status"] == "interrupted"
    assert state["pid"] is None
    assert "Resume to go on" in str(state["message"])


@pytest.mark.parametrize(
    ("rank", "ending", "device"),
    [
        (1, "usual", "cpu"),
        (0, "waiting", "cpu"),
        (1, "waiting", "cpu"),
        pytest.param(1, "usual", "cuda", marks=[pytest.mark.gpu, two_gpus]),
    ],
)
def test_a_process_that_finds_no_memory_ends_the_others_and_the_state_says_why(
    few: PreparedSet, tmp_path: Path, rank: int, ending: str, device: str
) -> None:
    out, file = tmp_path / "run", tmp_path / "now"
    program = [one_without_memory.__file__, str(rank), str(file), ending]
    with training(by_two(few, out, "--device", device, program=program), out) as (child, run):
        file.touch()
    assert child.returncode != 0
    state = written_state(run)
    assert (state["status"], state["pid"], state["remedy"]) == ("failed", None, ["batch_size", 4])
    assert "batch size of 4" in str(state["message"])


def test_a_killed_run_goes_on_to_the_same_bits(few: PreparedSet, tmp_path: Path) -> None:
    def wait_for(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.02)

    out = tmp_path / "killed"
    with training(by_two(few, out, "--epochs", "10"), out) as (_, run):
        run.ask("PAUSE")  # it saves then; by itself every twenty seconds
        wait_for(lambda: written_state(run)["status"] == "paused")
        saved = steps(run)[-1]
        run.withdraw("PAUSE")
        wait_for(lambda: steps(run)[-1] > saved)
        os.kill(int(str(written_state(run)["pid"])), signal.SIGKILL)
    assert checkpoints(out / "checkpoints")[0].name.startswith(f"step-{saved:08d}-")
    whole = RunDirectory(tmp_path / "whole")
    go_on = [*TORCHRUN, "2", *COMMAND, "train", "--resume", str(out)]
    for command in (go_on, by_two(few, whole.path, "--epochs", "10")):
        subprocess.run(command, check=True, timeout=240)
    assert run.state().status == "finished"
    assert (out / "metrics.jsonl").read_bytes() == (whole.path / "metrics.jsonl").read_bytes()
    weights = load_file(run.network_path)
    assert all(torch.equal(value, weights[name]) for name, value in load_file(whole.network_path).items())


def test_sigterm_to_torchrun_saves_and_says_so(few: PreparedSet, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with training(by_two(few, out), out) as (child, run):
        child.terminate()
    state = written_state(run)
    assert (state["status"], state["pid"]) == ("interrupted", None)
    step = int(checkpoints(run.path / "checkpoints")[0].name[5:13])
    assert state["message"] == f"Interrupted after step {step}. Resume to go on."
    assert run.config().processes == 2


@pytest.mark.gpu
@two_gpus
def test_two_gpus_begin_as_one_does(few: PreparedSet, tmp_path: Path) -> None:
    losses = []
    for processes in (1, 2):
        out = tmp_path / str(processes)
        command = [*TORCHRUN, str(processes), "-m", "alexnet_core", "train", "--data", str(few.directory)]
        command += ["--out", str(out), "--epochs", "2", "--batch-size", "8", "--precision", "fp32", "--device", "cuda"]
        subprocess.run(command, check=True, timeout=300)
        run = RunDirectory(out)
        assert run.state().status == "finished"
        losses.append([event.train_loss for event in run.events() if isinstance(event, StepDone)])
    assert losses[0][:2] == pytest.approx(losses[1][:2], rel=1e-3)
