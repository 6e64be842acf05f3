"""What the benchmarks make of figures; the measuring itself is done by `make bench`."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.autograd import DeviceType

from alexnet_core import devices
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.events import Tick
from benchmarks import __main__ as series
from benchmarks import big_network, peers, records, report, table
from benchmarks.records import RECORDS, Record, sentence, summary
from benchmarks.start import parts
from benchmarks.tables.looking import unit_rows
from benchmarks.tables.row import Row
from benchmarks.tables.training import gpu_rows, peer_rows, prepare_rows, record_rows
from benchmarks.tables.using import train_rows


def run(error: float, seconds: float) -> dict[str, float]:
    return {"test_error": error, "training_seconds": seconds, "command_seconds": seconds + 5}


def test_a_record_is_reached_by_the_mean_of_error_and_of_time() -> None:
    record = Record(0.26, 15, "80 s", ())
    assert summary(record, [run(0.25, 16), run(0.26, 13)])["reached"]
    for missed in ([run(0.27, 10), run(0.26, 10)], [run(0.2, 15), run(0.2, 16)]):
        assert not summary(record, missed)["reached"]
        assert "MISSED" in sentence("26%", summary(record, missed))


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_is_tried_with_settings_there_are(name: str) -> None:
    from alexnet_core.training.recipes import settle

    arguments = RECORDS[name].arguments
    flags = {
        flag.removeprefix("--").replace("-", "_"): text
        for flag, text in zip(arguments[::2], arguments[1::2], strict=True)
    }
    explicit = {flag: type(getattr(TrainConfig, flag))(text) for flag, text in flags.items()}
    settle(explicit, train_images=45_000, image_size=32)


def test_memory_is_told_apart_by_what_lies_behind_it(tmp_path: Any) -> None:
    smaps = f"""\
55d0-55e0 r-xp 00000000 00:00 7    /usr/lib/torch library.so
Rss:                3000 kB
Anonymous:          1000 kB
7f00-7f10 r--s 00000000 00:00 8    {tmp_path}/data set/images-00000.npy
Rss:                5000 kB
Anonymous:             0 kB
7f20-7f30 rw-p 00000000 00:00 0
Rss:                7000 kB
Anonymous:          7000 kB
"""
    assert parts(smaps, tmp_path / "data set") == {"anonymous": 8.192, "program": 2.048, "mapped_pictures": 5.12}


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_most_memory_of_a_process_is_not_that_of_the_one_that_started_it() -> None:
    small = "import sys, types; sys.modules['torch'] = types.ModuleType('torch')"
    code = f"{small}; from benchmarks.report import peak_mb; print(peak_mb())"
    root = Path(report.__file__).parents[1]
    child = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True)
    assert 5 < float(child.stdout) < report.peak_mb() / 2  # which has loaded torch


def test_memory_measured_with_that_of_the_starter_is_not_shown() -> None:
    pace = {"pictures": 60_000, "title": "CIFAR-10", "asked": None, "pictures_per_s": report.spread([4_000.0])}
    task = pace | {"shards": 4, "reading": {"own_mb": 1.0}, "peak_mb": report.spread([785.0]), "program_mb": 785.0}
    (row,) = prepare_rows({"tasks": {"cifar10_32": task}})
    assert row.beside.endswith("; 4 shards, read again in 1 MB of memory")
    task["memory_mb"] = {"peak": report.spread([610.0]), "program": report.spread([450.0])}
    (row,) = prepare_rows({"tasks": {"cifar10_32": task}})
    assert "; at most 610 MB of memory, 450 of them the program's; 4 shards" in row.beside


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("aten::mkldnn_convolution", "aten::conv2d", "forward"), "convolution, forward"),
        (("aten::fill_", "aten::max_pool2d_with_indices_backward", "autograd::engine: MaxPool"), "pooling, backward"),
        (("aten::copy_", "aten::to", "forward"), "casts and copies, forward"),
        (("aten::mul", "Optimizer.step#SGD.step"), "optimizer"),
        (("aten::gather",), "batches, augmentation, loss"),
    ],
)
def test_an_operation_belongs_to_what_called_it(names: tuple[str, ...], kind: str) -> None:
    event = None
    for name in reversed(names):
        event = SimpleNamespace(name=name, cpu_parent=event)
    assert big_network.kind_of(event) == kind


def test_what_a_gpu_did_is_counted_once() -> None:
    def event(name: str, device: DeviceType, microseconds: float, parent: object = None) -> SimpleNamespace:
        times = {"self_device_time_total": microseconds, "self_cpu_time_total": 7_000.0}
        return SimpleNamespace(name=name, device_type=device, cpu_parent=parent, **times)

    forward = event("forward", DeviceType.CPU, 0.0)
    convolution = event("aten::cudnn_convolution", DeviceType.CPU, 2_000.0, forward)
    kernel, marked = (event(name, DeviceType.CUDA, 2_000.0) for name in ("sm90_fprop_kernel", "forward"))
    everything = [forward, convolution, kernel, marked]
    assert big_network.milliseconds(everything, gpu=True) == {"convolution, forward": 2.0}
    assert big_network.milliseconds([convolution], gpu=False) == {"convolution, forward": 7.0}


def test_steps_that_end_an_epoch_are_not_counted_and_nothing_waits_between_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, waited = [0.0], [0]

    def events() -> Iterator[Any]:
        for step in itertools.count(1):
            now[0] += 1.0 if step % 3 else 100.0  # that step's network is examined, too
            yield Tick(step)

    monkeypatch.setattr(big_network.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waited.append(1))
    training = SimpleNamespace(
        compute=SimpleNamespace(device=torch.device("cuda")),
        config=SimpleNamespace(batch_size=2),
        steps_per_epoch=3,
        events=events,
    )
    steps = big_network.Steps(training)  # type: ignore[arg-type]
    assert steps.take(4) == 4.0  # 1, 2, 4 and 5
    assert sum(waited) == 4  # at both ends, and before and after step 3
    assert steps.take(1) == 1.0  # 7


def test_the_loop_of_others_takes_its_turn_after_each_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def ours(count: int) -> float:
        order.append("ours")
        return count / 10

    def theirs() -> float:
        order.append("theirs")
        return 8.0

    monkeypatch.setattr(big_network, "product_rate", lambda compute: 1e9)
    monkeypatch.setattr(big_network, "build", lambda *_: None)
    monkeypatch.setattr(big_network, "arithmetic", lambda model: 1e7)
    training = SimpleNamespace(config=SimpleNamespace(batch_size=4), compute=None)
    steps = SimpleNamespace(take=ours)
    found = big_network.measured(training, steps, 3, 1.0, theirs)  # type: ignore[arg-type]
    assert order[2:] == ["ours", "theirs"] * 3  # after two warm-ups
    assert found["images_per_s"]["median"] == 40
    assert found["torchvision_loop_images_per_s"] == report.spread([8.0] * 3)
    assert found["times_torchvision_loop"]["median"] == 5
    assert "times_torchvision_loop" not in big_network.measured(training, steps, 1, 1.0, None)  # type: ignore[arg-type]


def test_the_big_network_learns_from_prepared_pictures_that_are_kept(
    few: PreparedSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(big_network, "MODEL", "alexnet_sprint")
    monkeypatch.setattr(big_network, "SIZE", 32)
    compute = devices.choose("cpu", "fp32", 1)
    training = big_network.trained(compute, 8, few)
    images = training.pictures.images
    assert isinstance(images, torch.Tensor)
    assert np.array_equal(images.numpy(), few.images("train")[:])
    assert training.preprocessing == few.preprocessing
    assert list(training.model.parameters())[-1].shape[0] == big_network.CLASSES  # more than the pictures have
    assert big_network.Steps(training).take(1) > 0


def test_a_gpu_s_row_says_which_pictures_and_what_runs_beside_it() -> None:
    big = {"share": report.spread([0.5], 3), "images_per_s": report.spread([21_000.0]), "asked": big_network.ASKED}
    big |= {"pictures": {"from": "Imagenette", "count": 8_522, "kept": True}}
    big |= {"torchvision_loop_images_per_s": report.spread([3_000.0]), "times_torchvision_loop": report.spread([7.0])}
    first, second, _ = table.drawn({"A": gpu_rows(big, None)})
    assert "from 8,522 prepared pictures kept there, steps alone" in first
    assert "3,000 (3,000 to 3,000); this program 7.0 times as many" in second


def test_the_arithmetic_of_an_image_is_that_of_the_layer_table() -> None:
    from alexnet_core.models import build
    from alexnet_core.models.anatomy import anatomy

    with torch.device("meta"):
        model = build("alexnet", 10, 224)
    layers = [layer.multiply_adds for layer in anatomy(model, 224)]
    first = next(filter(None, layers))
    assert big_network.arithmetic(model) == 2 * (3 * sum(layers) - first)


def test_a_result_that_is_not_there_is_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    assert table.table().count("not yet measured") == sum(len(parts) for parts in table.SECTIONS.values()) + 2


def test_a_missed_target_is_called_missed() -> None:
    for error, is_missed in ((0.3, True), (0.2, False)):
        record = summary(records.RECORDS["26%"], [run(error, 12.0)])
        lines = table.drawn({"A": record_rows({"records": {"26%": record}})})
        assert ("missed" in "".join(lines)) == is_missed


def test_a_record_says_what_is_not_counted_and_what_the_whole_command_took() -> None:
    record = summary(records.RECORDS["26%"], [run(0.25, 12.0)])
    seconds, error = record_rows({"records": {"26%": record}})
    assert "first filters computed from them" in seconds.beside
    assert seconds.beside.endswith("the whole command, test and all, 17.0 s")
    assert "17.0 s" not in error.beside


def test_what_an_earlier_recipe_reached_is_marked_wherever_it_is_shown() -> None:
    record = summary(records.RECORDS["26%"], [run(0.25, 12.0)])
    now, before = ({"records": {"26%": one}} for one in (record, record | {"earlier_recipe": True}))
    for line in table.drawn({"A": record_rows(now), "B": record_rows(before)}):
        *_, elsewhere = line.split("|")[:-1]
        assert "recipe before" not in line.removesuffix(f"{elsewhere}|")
        assert "(by the recipe before its latest change)" in elsewhere
    for line in table.drawn({"A": record_rows(before)}):
        assert "(by the recipe before its latest change)" in line


@pytest.mark.parametrize(("top1", "met"), [(0.772, True), (0.768, False)])
def test_sooner_than_fastai_counts_only_where_both_are_as_right_as_was_asked(top1: float, met: bool) -> None:
    def side(seconds: float, top1: float) -> dict[str, Any]:
        spent = {"training_seconds": report.spread([seconds]), "setup_seconds": report.spread([7.04])}
        return spent | {"test_top1": report.spread([top1], 4)}

    target = {"sides": {peers.OURS: side(12.0, top1), "fastai": side(150.0, 0.773)}}
    rows = peer_rows({"asked": peers.ASKED, "target": target | {"times_sooner_than_fastai": report.spread([12.5])}})
    assert rows[-1].met == met
    assert all("before it, not counted, 7.0 s" in one.beside for one in rows[:-1])


def test_results_of_when_fastai_learned_from_other_pictures_say_so() -> None:
    side = {"training_seconds": report.spread([12.0]), "setup_seconds": report.spread([7.0])}
    sides = {name: side | {"test_top1": report.spread([0.78], 4)} for name in (peers.OURS, "fastai", "torchvision")}
    target = {"sides": sides, "times_sooner_than_fastai": report.spread([12.5])}
    marks = [row.mark for row in peer_rows({"asked": peers.ASKED, "target": target})]
    assert [bool(mark) for mark in marks] == [False, True, False, True]
    marks = [row.mark for row in peer_rows({"asked": peers.ASKED, "target": target | {"earlier_recipe": True}})]
    assert [mark.count("recipe") for mark in marks] == [1, 0, 0, 1]
    marks = [row.mark for row in peer_rows({"asked": peers.ASKED, "target": target | {"pictures": {"train": 45_000}}})]
    assert marks == [""] * 4


def test_the_speed_of_an_earlier_network_is_marked_for_all_who_trained_it() -> None:
    speed = {"images_per_s": {peers.OURS: report.spread([9.0]), "fastai, 0 workers": report.spread([3.0])}}
    speed |= {"times_best_peer": report.spread([3.0]), "earlier_recipe": True}
    assert all("recipe" in row.mark for row in peer_rows({"asked": peers.ASKED, "speed": speed}))


def test_peers_do_not_compute_in_what_a_machine_only_emulates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "emulated", lambda device: False)
    assert peers.offered() == peers.PEERS
    monkeypatch.setattr(peers, "emulated", lambda device: True)
    assert {peer.bf16 for peer in peers.offered().values()} == {False}


def test_pictures_are_shifted_as_far_here_as_by_the_peers() -> None:
    flags = dict(zip(peers.SPEED[::2], peers.SPEED[1::2], strict=True))
    assert round(float(flags["--translate"]) * 32) == 32 // 8  # peer_loops: RandomCrop(size, padding=size // 8)


def test_the_first_machine_with_a_figure_is_shown_and_the_others_beside_it() -> None:
    one, other = Row("Seconds", "5 s", "4 s"), Row("Seconds", "5 s", "9 s", met=False)
    assert table.drawn({"A": [one], "B": [other]}) == ["| Seconds | 5 s | 4 s | 1 | A | B: 9 s (missed) |"]
    assert table.drawn({"A": [Row("Seconds", "5 s")], "B": [other]}) == ["| Seconds | 5 s | 9 s (missed) | 1 | B |  |"]


def test_a_task_that_was_not_measured_is_no_row_and_keeps_no_table_from_being_made() -> None:
    found = {"seconds": report.spread([30.0]), "test_top1": report.spread([0.99], 4)}
    rows = train_rows({"tasks": {"digits": {"asked": {"seconds": 60, "top1": 0.98}} | found}})
    assert [row.what.split(",")[0] for row in rows] == ["Digits", "… test top-1 of these runs"]


def test_a_unit_is_told_with_the_pictures_it_was_looked_for_in() -> None:
    found = {"first": report.spread([1.0]), "afterwards": report.spread([0.01], 3)}
    units = {
        "asked_s": {"first": 3.0, "afterwards": 0.1, "first_picture": 1.0, "whole_picture": 15.0},
        "passport_s": {"features.2": found},
        "picture_s": {"first_picture": report.spread([0.1]), "whole_picture": report.spread([10.0])},
    }
    assert "over 10,000 pictures" in unit_rows(units)[0].what
    assert "over 96 pictures" in unit_rows(units | {"pictures": 96})[0].what


def test_rows_of_one_name_below_different_ones_stay_apart() -> None:
    first, second = Row("… again", figure="1 s"), Row("… again", figure="2 s")
    lines = table.drawn({"A": [first, second], "B": [first, second]})
    assert [line.split("|")[3:7] for line in lines] == [
        [" 1 s ", " 1 ", " A ", " B: 1 s "],
        [" 2 s ", " 1 ", " A ", " B: 2 s "],
    ]


def test_results_of_different_kinds_of_machines_are_kept_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(report, "instructions", lambda: "AVX2")
    report.write("app", {"part": {"a": 1}})
    assert report.earlier("app", "part") == {"a": 1}
    monkeypatch.setattr(report, "instructions", lambda: "AVX512 with bf16")
    assert report.earlier("app", "part") == {}
    report.write("app", {"part": {"a": 2}})
    report.write("train", {})
    first, second = report.kinds_with_results()
    assert "avx512" in first
    report.write("doctor", {"records": {"18%": {"earlier_recipe": True}}})
    report.write("runs", {}, ["a part"])
    monkeypatch.setattr(report, "instructions", lambda: "AVX2")
    report.write("train", {})
    report.write("start", {})
    assert report.kinds_with_results() == [second, first], "with parts missing it counts less"
    assert report.result("app", second) == {"part": {"a": 1}}


@pytest.mark.parametrize(
    ("vendor", "family", "words"),
    [
        ("AuthenticAMD", "25", "AVX512 with bf16"),
        ("AuthenticAMD", "26", "AVX512 with bf16, full width"),
        ("GenuineIntel", "6", "AVX512 with bf16"),
        ("", "", "AVX512 with bf16"),
    ],
)
def test_a_processor_that_takes_512_bits_in_halves_is_of_another_kind(
    monkeypatch: pytest.MonkeyPatch, vendor: str, family: str, words: str
) -> None:
    said = {"vendor_id": vendor, "cpu family": family, "flags": "avx512f avx512_bf16"}
    monkeypatch.setattr(report, "_of_processor", lambda field: said.get(field, "AMD EPYC"))
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert report.instructions() == words


def test_the_series_measures_the_big_network_on_a_gpu_under_a_name_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[list[str]] = []

    def run(command: list[str], **_: Any) -> SimpleNamespace:
        started.append(command[2:])
        return SimpleNamespace(returncode=0, stdout="")

    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(series.table, "main", lambda: None)
    monkeypatch.setattr(series.report, "kind", lambda: "here")
    both = {"big_network": ["--device", "cpu"], "big_network_gpu": ["--device", "cuda"]}
    monkeypatch.setattr(series, "COMMANDS", both)
    monkeypatch.setattr(series.subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    assert series.main() == 0
    assert started == [["benchmarks.big_network", "--device", device] for device in ("cpu", "cuda")]
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "big_network_gpu.json").write_text('{"known": 1}')
    started.clear()
    assert series.main() == 0
    assert started == [["benchmarks.big_network", "--device", "cpu"]]


def test_what_an_earlier_recipe_reached_is_still_to_be_measured() -> None:
    kept = {"26%": {"earlier_recipe": True}, "18%": {"earlier_recipe": False}}
    assert report.missing({"records": kept, "missing": ["11%"]}) == ["11%", "26%"]
    assert report.missing({"speed": {}, "target": {"earlier_recipe": True}, "preparation_seconds": 4}) == ["target"]
    assert report.missing({"ms": {}}) == []


def test_what_was_measured_here_is_not_measured_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[str] = []

    def run(command: list[str], **_: Any) -> SimpleNamespace:
        started.append(command[2])
        return SimpleNamespace(returncode=int(command[2] == "benchmarks.train"), stdout="")

    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(series.table, "main", lambda: None)
    monkeypatch.setattr(series.report, "kind", lambda: "here")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "app.json").write_text('{"known": 1}')
    (tmp_path / "here" / "records.json").write_text('{"records": {"26%": {}}, "missing": ["11%"]}')
    monkeypatch.setattr(series.subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    assert series.main() == 1  # train failed, and the others went on
    assert "benchmarks.app" not in started
    assert "benchmarks.records" in started  # it was interrupted
    assert len(started) == len(series.COMMANDS) - 1
    assert "FAILED: train" in capsys.readouterr().out
    started.clear()
    monkeypatch.setattr(sys, "argv", ["benchmarks", "app"])
    assert series.main() == 0
    assert started == ["benchmarks.app"]
