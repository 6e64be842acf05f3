"""The short form: a few of each trial. `make endurance` makes them all."""

import random
from pathlib import Path

import pytest

from alexnet_core.data.prepared import PreparedSet

from . import broken, child, damage, kills, trouble
from .runs import EVERYTHING, Result, new_run, small_set

SHORT = EVERYTHING | {"epochs": 3}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedSet:
    return small_set(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def expected(data: PreparedSet, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return child.undisturbed(new_run(data, tmp_path_factory.mktemp("whole"), SHORT))


def test_killed_at_random_and_inside_savings_it_ends_with_the_same_bytes(
    data: PreparedSet, expected: Result, tmp_path: Path
) -> None:
    ways = [kills.in_training, kills.in_saving, kills.before_first_checkpoint]
    account = kills.endure(new_run(data, tmp_path, SHORT), expected, random.Random(0), ways, kills=4)
    assert account.found == {}
    assert account.kills >= 2
    assert account.resumes >= 1


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("optimizer_not_restored", "metrics"),
        ("metrics_not_truncated_before_the_first_checkpoint", "metrics"),
    ],
)
def test_a_broken_engine_is_caught(data: PreparedSet, tmp_path: Path, name: str, check: str) -> None:
    account = broken.tried(name, data, tmp_path, random.Random(0))
    assert check in {broken.caught(phrase) for phrase in account.found}


def test_a_damaged_checkpoint_costs_nothing_but_steps(data: PreparedSet, expected: Result, tmp_path: Path) -> None:
    left = new_run(data, tmp_path / "left", SHORT)
    damage.left_in_the_middle(left)
    for _, way in (damage.DAMAGES["cut short at any byte"], damage.DAMAGES["one bit flipped"]):
        assert damage.damaged(left, tmp_path / "copy", expected, way, random.Random(0)) == []


@pytest.mark.parametrize("operation", [1, 60])
def test_a_full_disk_is_told_and_costs_nothing_but_steps(
    data: PreparedSet, expected: Result, tmp_path: Path, operation: int
) -> None:
    assert trouble.full_disk(new_run(data, tmp_path, SHORT), expected, operation) == []


def test_what_is_saved_is_never_poisoned(data: PreparedSet, tmp_path: Path) -> None:
    assert trouble.no_number(data, tmp_path / "sound") == []
    assert "a checkpoint is poisoned" in trouble.no_number(data, tmp_path / "broken", "trouble.poisoned_checkpoints")


@pytest.mark.parametrize("megabytes", [1, 40])
def test_too_little_memory_names_a_batch_size(data: PreparedSet, tmp_path: Path, megabytes: int) -> None:
    assert trouble.too_little_memory(data, tmp_path, megabytes) == []


def test_pictures_that_cannot_be_read_are_told(data: PreparedSet, expected: Result, tmp_path: Path) -> None:
    run = new_run(data, tmp_path, SHORT)
    assert trouble.cut_pictures_in_training(run, expected) == []
