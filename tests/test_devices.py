import subprocess
import sys

import pytest
import torch
from torch import nn

from alexnet_core import devices, precision
from alexnet_core.devices import Compute, choose
from alexnet_core.errors import ExplorerError


@pytest.fixture(autouse=True)
def _same_threads_afterwards():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_what_is_asked_for_is_taken() -> None:
    compute = choose("cpu", "fp32", 1)
    assert (compute.device.type, compute.precision, compute.threads) == ("cpu", "fp32", 1)
    assert torch.get_num_threads() == 1


def test_auto_takes_a_gpu_where_there_is_one_and_all_cores() -> None:
    compute = choose()
    expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert compute.device.type == expected
    assert compute.threads >= 1


@pytest.mark.parametrize(("slower", "expected"), [(0.5, "bf16"), (0.9, "fp32"), (20.0, "fp32")])
def test_sixteen_bits_are_taken_only_where_they_are_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, slower: float, expected: str
) -> None:
    monkeypatch.setattr(precision, "gain", lambda device: 1 / slower)
    assert choose("cpu", "auto", 1).precision == expected


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the GPU whose absence is tested")
@pytest.mark.parametrize(("device", "sentence"), [("cuda", "no CUDA GPU here"), ("mps", "no Apple GPU here")])
def test_a_device_that_is_not_there_is_refused(device: str, sentence: str) -> None:
    if device == "mps" and torch.backends.mps.is_available():
        pytest.skip("this machine has an Apple GPU")
    with pytest.raises(ExplorerError, match=sentence):
        choose(device)


def test_a_gpu_takes_only_ways_that_give_the_same_bits_again_and_32_bits_are_32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    choose("cpu", "fp32", 1)
    assert not torch.backends.cudnn.deterministic
    monkeypatch.setattr(devices, "_device", lambda name: "cuda")
    choose("cuda", "bf16", 1)
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.allow_tf32


def test_fp16_needs_a_gpu() -> None:
    with pytest.raises(ExplorerError, match="fp16 needs a GPU"):
        choose("cpu", "fp16")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_forward_pass_runs_in_the_chosen_precision_and_weights_stay_in_32_bits(precision: str) -> None:
    compute = Compute(torch.device("cpu"), precision, 1)
    model = compute.place(nn.Conv2d(3, 4, 3))
    with compute.autocast():
        answer = model(torch.zeros(1, 3, 8, 8))
    assert answer.dtype == devices.DTYPES[precision]
    assert model.weight.dtype == torch.float32
    assert model.weight.is_contiguous(memory_format=torch.channels_last)


def test_a_choice_is_made_again_from_its_words_and_told_in_a_few() -> None:
    compute = choose("cpu", "fp32", 2, "contiguous", "on")
    assert compute.words() == ("cpu", "fp32", 2, "contiguous", "on")
    assert choose(*compute.words()) == compute
    assert str(compute) == "cpu, fp32, 2 threads, contiguous, compiled"
    # As checkpoints of the first version have it.
    assert str(choose("cpu", "bf16", 1)) == "cpu, bf16, 1 thread, channels last"
    assert not compute.place(nn.Conv2d(3, 4, 3)).weight.is_contiguous(memory_format=torch.channels_last)


def test_compiling_leaves_the_names_of_the_weights() -> None:
    model = nn.Sequential(nn.Linear(3, 4))
    called = Compute(torch.device("cpu"), "fp32", 1, compiled=True).for_steps(model)
    assert called is not model
    assert next(called.parameters()) is model[0].weight
    assert list(model.state_dict()) == ["0.weight", "0.bias"]
    assert Compute(torch.device("cpu"), "fp32", 1).for_steps(model) is model


def test_threads_beside_pages_leave_a_core_and_count_no_core_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    for visible, real, expected in [(1, 1, 1), (2, 2, 1), (8, 4, 4), (8, 8, 7), (4, 16, 3)]:
        monkeypatch.setattr(devices, "cores", lambda visible=visible: visible)
        monkeypatch.setattr(devices, "physical_cores", lambda real=real: real)
        assert devices.threads_beside_pages() == expected


@pytest.mark.skipif(sys.platform != "linux", reason="only there memory is given back so eagerly")
def test_freed_memory_is_kept() -> None:
    # In a process of its own: what it changes cannot be changed back.
    script = """
import psutil, torch
from alexnet_core.devices import keep_freed_memory
keep_freed_memory()
before = psutil.Process().memory_info().rss
block = torch.ones(2**24)  # 64 MiB
del block
print(psutil.Process().memory_info().rss - before > 2**25)
"""
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "True"
