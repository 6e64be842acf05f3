"""What the benchmarks make of figures; the measuring itself is done by `make bench`."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from alexnet_core.training.config import TrainConfig
from benchmarks import big_network, records, table
from benchmarks.records import RECORDS, Record, sentence, summary
from benchmarks.start import parts


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


def test_the_arithmetic_of_an_image_is_that_of_the_layer_table() -> None:
    from alexnet_core.models import build
    from alexnet_core.models.anatomy import anatomy

    with torch.device("meta"):
        model = build("alexnet", 10, 224)
    layers = [layer.multiply_adds for layer in anatomy(model, 224)]
    first = next(filter(None, layers))
    assert big_network.arithmetic(model) == 2 * (3 * sum(layers) - first)


def test_a_result_that_is_not_there_is_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {name: table.result(name) for name in ("train", "explain", "app")}
    monkeypatch.setattr(table, "result", there.get)
    text = table.table()
    assert text.count("not yet measured") >= 4
    assert "Digits, `quick`" in text


def test_a_missed_target_is_called_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    record = summary(records.RECORDS["26%"], [run(0.3, 12.0)])
    assert "missed" in "".join(table.record_rows({"records": {"26%": record}}))
    record = summary(records.RECORDS["26%"], [run(0.2, 12.0)])
    assert "missed" not in "".join(table.record_rows({"records": {"26%": record}}))
