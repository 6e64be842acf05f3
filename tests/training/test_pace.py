"""What is tried, what is kept and what is remembered; the clock is a table of seconds, so that no machine decides."""

import json
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice

import pytest
import torch

from alexnet_core import devices
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.devices import Compute
from alexnet_core.errors import ExplorerError
from alexnet_core.places import measured_file
from alexnet_core.training import pace
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.pace import fastest, step_seconds
from alexnet_core.training.recipes import settle

Clock = Callable[[Compute], float]


def settings(**explicit: object) -> TrainConfig:
    """A run of digits with all left open that can be measured, 13 steps an epoch; on a processor."""
    return settle({"device": "cpu", "batch_size": 100, "epochs": 100} | explicit, train_images=1349, image_size=32)


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(devices, "cores", lambda: 8)
    monkeypatch.setattr(devices, "physical_cores", lambda: 8)
    monkeypatch.setattr(devices, "_fastest_precision", lambda device: "bf16")
    monkeypatch.setattr(pace, "emulated", lambda device: False)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Clock], list[Compute]]:
    """Steps that take what a function says; gives the list of ways that are tried."""

    def install(clock: Clock) -> list[Compute]:
        tried: list[Compute] = []

        def steps(_settings: TrainConfig, _data: PreparedSet, way: Compute) -> Iterator[float]:
            tried.append(way)
            while True:
                yield clock(way)

        monkeypatch.setattr(pace, "step_seconds", steps)
        return tried

    return install


def busy(way: Compute) -> float:
    """A machine on which two threads are best, 32 bits half as fast, and contiguous maps a trifle faster."""
    seconds = {8: 0.4, 4: 0.2, 2: 0.1, 1: 0.15}[way.threads]
    return seconds * (2 if way.precision == "fp32" else 1) * (1 if way.words()[3] == "channels_last" else 0.97)


def test_the_clearly_fastest_way_is_taken(digits: PreparedSet, timed: Callable[[Clock], list[Compute]]) -> None:
    tried = timed(busy)
    told: list[str] = []
    way = fastest(settings(), digits, tell=told.append)
    assert way.words() == ("cpu", "bf16", 2, "channels_last", "off")
    assert [compute.threads for compute in tried[:4]] == [8, 4, 2, 1]
    assert told == [pace.MEASURING]
    assert torch.get_num_threads() == 2


def test_emulated_16_bits_are_not_tried(
    monkeypatch: pytest.MonkeyPatch, digits: PreparedSet, timed: Callable[[Clock], list[Compute]]
) -> None:
    monkeypatch.setattr(devices, "_fastest_precision", lambda device: "fp32")
    monkeypatch.setattr(pace, "emulated", lambda device: True)
    tried = timed(busy)
    assert fastest(settings(), digits).precision == "fp32"
    assert {way.precision for way in tried} == {"fp32"}


def test_what_is_set_by_hand_is_neither_changed_nor_measured(
    digits: PreparedSet, timed: Callable[[Clock], list[Compute]]
) -> None:
    tried = timed(busy)
    by_hand = {"precision": "fp32", "threads": 4, "memory_format": "contiguous", "compile": "off"}
    assert fastest(settings(**by_hand), digits).words() == ("cpu", "fp32", 4, "contiguous", "off")
    assert tried == []
    assert not measured_file().exists()
    assert fastest(settings(threads=4), digits).threads == 4
    assert {way.threads for way in tried} == {4}


@pytest.mark.parametrize(("optimizer", "precision"), [("muon", "fp32"), ("sgd", "fp16")])
def test_muon_takes_fp16_only_by_hand(
    digits: PreparedSet,
    timed: Callable[[Clock], list[Compute]],
    monkeypatch: pytest.MonkeyPatch,
    optimizer: str,
    precision: str,
) -> None:
    monkeypatch.setattr(devices, "_fastest_precision", lambda device: "fp16")
    timed(lambda way: 0.01)
    assert fastest(settings(optimizer=optimizer), digits).precision == precision
    on_gpu = Compute(torch.device("cuda"), "bf16", 1)
    tried = pace._alternatives("precision", on_gpu, settings(optimizer=optimizer))
    assert ({"precision": "fp16"} in tried) == (optimizer == "sgd")


def test_a_gpu_does_not_try_contiguous_maps() -> None:
    for device, tried in (("cpu", [{"memory_format": torch.contiguous_format}]), ("cuda", [])):
        assert pace._alternatives("memory_format", Compute(torch.device(device), "fp32", 1), settings()) == tried


def test_a_share_of_the_cores_is_the_most(digits: PreparedSet, timed: Callable[[Clock], list[Compute]]) -> None:
    tried = timed(lambda way: 0.01)
    assert fastest(settings(), digits, threads=4).threads == 4
    assert max(way.threads for way in tried) == 4


def test_it_is_remembered_for_this_machine_and_network(
    digits: PreparedSet, timed: Callable[[Clock], list[Compute]], monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(busy)
    first = fastest(settings(), digits)
    tried = timed(lambda way: 1.0 if way.threads > 4 else 2.0)
    assert fastest(settings(), digits) == first
    assert tried == []
    assert fastest(settings(batch_size=50), digits) != first
    monkeypatch.setattr(devices, "cores", lambda: 6)
    assert fastest(settings(), digits) != first
    assert fastest(settings(), digits, anew=True) != first


@pytest.mark.parametrize("damage", [b"", b"[1]", b"\xff", b'{"a": 1}', "fields"])
def test_a_damaged_file_is_ignored_and_written_anew(
    digits: PreparedSet, timed: Callable[[Clock], list[Compute]], damage: bytes | str
) -> None:
    timed(busy)
    first = fastest(settings(), digits)
    if isinstance(damage, str):
        (key,) = json.loads(measured_file().read_bytes())
        damage = json.dumps({key: {"precision": "int3", "threads": "x", "memory_format": None}}).encode()
    measured_file().write_bytes(damage)
    assert fastest(settings(), digits) == first
    tried = timed(busy)
    assert fastest(settings(), digits) == first
    assert tried == []


def test_a_home_that_cannot_be_written_ends_no_run(
    digits: PreparedSet, timed: Callable[[Clock], list[Compute]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise ExplorerError("fastest.json could not be written: Read-only file system.")

    timed(busy)
    monkeypatch.setattr(pace, "write_whole", refused)
    assert fastest(settings(), digits).threads == 2
    with pytest.raises(ExplorerError, match="Read-only"):
        fastest(settings(), digits, anew=True)


def test_a_run_of_seconds_is_not_measured_and_goes_on_computing_alike(
    digits: PreparedSet, timed: Callable[[Clock], list[Compute]]
) -> None:
    short = settings(epochs=1)
    tried = timed(lambda way: busy(way) / 10)
    usual = fastest(short, digits)
    assert [way.threads for way in tried] == [8]
    assert fastest(settings(), digits).threads == 2
    assert fastest(short, digits) == usual
    # One that was never there before takes what the longer one found.
    assert fastest(settings(epochs=2), digits).threads == 2


def test_a_way_that_fails_is_not_taken(digits: PreparedSet, timed: Callable[[Clock], list[Compute]]) -> None:
    def clock(way: Compute) -> float:
        if way.precision == "fp32":
            raise RuntimeError("can't allocate memory")
        return 0.1

    timed(clock)
    assert fastest(settings(), digits).precision == "bf16"


def test_memory_that_ends_in_a_step_of_the_best_way_ends_the_measuring_and_not_the_run(
    digits: PreparedSet, timed: Callable[[Clock], list[Compute]]
) -> None:
    steps = iter(range(3))

    def clock(way: Compute) -> float:
        # Warmed up and timed, and then there is another way in memory beside it.
        if way.precision == "bf16" and way.memory_format == torch.channels_last and next(steps, 2) == 2:
            raise RuntimeError("can't allocate memory")
        return 0.1

    timed(clock)
    assert fastest(settings(threads=4), digits).words() == ("cpu", "bf16", 4, "channels_last", "off")


def test_compiling_is_chosen_only_where_it_was_measured_and_pays(
    digits: PreparedSet, timed: Callable[[Clock], list[Compute]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def clock(way: Compute) -> float:
        return 0.05 if way.compiled else 0.1

    assert not any(way.compiled for way in timed(clock))
    assert not fastest(settings(), digits).compiled
    tried = timed(clock)
    fastest(settings(), digits, anew=True)
    assert tried[-1].compiled
    found = json.loads(measured_file().read_bytes())
    (key,) = found
    found[key]["compile_seconds"] = 60.0
    measured_file().write_text(json.dumps(found))
    # Half of 0.1 s is saved at each of 13 steps an epoch.
    assert not fastest(settings(epochs=92), digits).compiled
    assert fastest(settings(epochs=93), digits).compiled
    assert fastest(settings(compile="on"), digits).compiled
    assert not fastest(settings(compile="off"), digits).compiled


def test_where_compiling_fails_it_is_not_chosen(digits: PreparedSet, timed: Callable[[Clock], list[Compute]]) -> None:
    def clock(way: Compute) -> float:
        if way.compiled:
            raise RuntimeError("no compiler")
        return 0.1

    timed(clock)
    way = fastest(settings(), digits, anew=True)
    assert not way.compiled
    assert pace.can_compile(settings(), digits, way)
    assert not pace.can_compile(settings(), digits, replace(way, compiled=True))


def test_real_steps_are_timed_and_leave_no_trace(digits: PreparedSet) -> None:
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    with pace.leaving_no_trace():
        way = Compute(torch.device("cpu"), "fp32", 2, torch.contiguous_format)
        # More than an epoch: the end of one is nothing special.
        with closing(step_seconds(settings(batch_size=8), digits, way)) as steps:
            seconds = list(islice(steps, 6))
            assert torch.get_num_threads() == 2
            torch.set_num_threads(1)  # as another way would, taken in turns with this one
            next(steps)
            assert torch.get_num_threads() == 2
    assert min(seconds) > 0
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_a_gpu_has_its_memory_back_once_the_trials_have_gone(
    digits: PreparedSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: list[weakref.ref[pace.Training]] = []
    left: list[int] = []
    training = pace.Training

    def noted(*arguments: object) -> pace.Training:
        made = training(*arguments)  # type: ignore[arg-type]
        alive.append(weakref.ref(made))
        return made

    monkeypatch.setattr(pace, "Training", noted)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: left.append(sum(one() is not None for one in alive)))
    way = Compute(torch.device("cpu"), "fp32", 1)
    with pace.leaving_no_trace(), closing(step_seconds(settings(batch_size=8), digits, way)) as steps:
        next(steps)
    assert len(alive) == 1
    assert left == [0]


def test_what_measuring_said_of_compiling_holds_where_nothing_else_is_open(
    digits: PreparedSet, timed: Callable[[Clock], list[Compute]]
) -> None:
    by_hand = {"precision": "fp32", "threads": 4, "memory_format": "contiguous"}
    tried = timed(lambda way: 0.05 if way.compiled else 0.1)
    assert not fastest(settings(**by_hand), digits).compiled
    assert tried == []
    assert fastest(settings(**by_hand), digits, anew=True).compiled
    del tried[:]
    assert fastest(settings(**by_hand), digits).compiled
    assert tried == []
