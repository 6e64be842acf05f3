from collections.abc import Callable
from typing import TypeVar

import pytest

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.distributed import ALONE, World
from alexnet_core.errors import ExplorerError
from alexnet_core.runs import way_of_computing
from alexnet_core.runs.way_of_computing import chosen_way
from alexnet_core.training.recipes import settle

T = TypeVar("T")


class Two(World):
    """One of two processes that agree without talking."""

    def from_main(self, make: Callable[[], T]) -> T:
        return make()

    def together(self, do: Callable[[], T]) -> T:
        return do()


def test_a_run_of_a_machine_with_a_gpu_says_where_it_can_go_on(
    few: PreparedSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    settings = settle({"epochs": 1, "batch_size": 8}, train_images=few.count("train"), image_size=32)
    with pytest.raises(ExplorerError, match=r"Resume it there, or begin a new run: train --settings"):
        chosen_way(settings, few, ("cuda", "bf16", 1, "channels_last", "off"), ALONE, print)


def test_several_processes_do_not_compile_and_say_so(few: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way_of_computing, "can_compile", lambda *_: True)
    by_hand = {"threads": 1, "precision": "fp32", "memory_format": "channels_last", "compile": "on", "device": "cpu"}
    settings = settle({"epochs": 1, "batch_size": 8, **by_hand}, train_images=few.count("train"), image_size=32)
    way, said = chosen_way(settings, few, None, ALONE, print)
    assert way.compiled
    assert said == []
    way, said = chosen_way(settings, few, None, Two(0, 2, 0, 2), print)
    assert not way.compiled
    assert said == ["Compiling is for one process; training goes on without."]
