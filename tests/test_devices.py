import pytest
import torch
from torch import nn

from alexnet_core import devices
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
    monkeypatch.setattr(devices, "_product_seconds", lambda dtype: slower if dtype == torch.bfloat16 else 1.0)
    assert choose("cpu", "auto", 1).precision == expected


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the GPU whose absence is tested")
@pytest.mark.parametrize(("device", "sentence"), [("cuda", "no CUDA GPU here"), ("mps", "no Apple GPU here")])
def test_a_device_that_is_not_there_is_refused(device: str, sentence: str) -> None:
    if device == "mps" and torch.backends.mps.is_available():
        pytest.skip("this machine has an Apple GPU")
    with pytest.raises(ExplorerError, match=sentence):
        choose(device)


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
