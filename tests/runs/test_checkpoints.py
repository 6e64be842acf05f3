import errno
import os
from pathlib import Path

import pytest
import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.runs.checkpoints import checkpoints, load_newest, save_checkpoint


def save(folder: Path, *steps: int) -> list[Path]:
    return [save_checkpoint(folder, step, {"step": step, "weights": torch.arange(1000.0) + step}) for step in steps]


def test_the_newest_is_loaded_and_the_last_two_are_kept(tmp_path: Path) -> None:
    saved = save(tmp_path, 1, 9, 10)
    assert checkpoints(tmp_path) == [saved[2], saved[1]]
    state, said = load_newest(tmp_path)
    assert state is not None
    assert state["step"] == 10
    assert torch.equal(state["weights"], torch.arange(1000.0) + 10)
    assert said == []
    assert [path.name for path in tmp_path.iterdir() if path not in saved] == []


def test_an_old_one_that_is_being_read_goes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(_path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "The process cannot access the file")

    saved = save(tmp_path, 1, 2)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", held)
        saved += save(tmp_path, 3)
    assert checkpoints(tmp_path) == saved[::-1]
    saved += save(tmp_path, 4)
    assert checkpoints(tmp_path) == saved[:1:-1]


@pytest.mark.parametrize("way", ["truncated", "emptied", "flipped early", "flipped late", "lengthened"])
def test_a_damaged_one_is_passed_over_and_named(tmp_path: Path, way: str) -> None:
    newest = save(tmp_path, 1, 2)[1]
    data = bytearray(newest.read_bytes())
    if way == "truncated":
        del data[-1:]
    elif way == "emptied":
        data.clear()
    elif way == "lengthened":
        data += b"\0"
    else:
        data[100 if way == "flipped early" else -2000] ^= 1
    newest.write_bytes(data)
    state, said = load_newest(tmp_path)
    assert state is not None
    assert state["step"] == 1
    assert said == ["The checkpoint of step 2 is damaged; going on from the one before."]
    assert not newest.exists()


def test_without_a_whole_one_there_is_none_and_it_says_so(tmp_path: Path) -> None:
    save(tmp_path, 1)[0].write_bytes(b"")
    said = "The checkpoint of step 1 is damaged; there is none before it: beginning anew."
    assert load_newest(tmp_path) == (None, [said])
    assert load_newest(tmp_path) == (None, [])


def of_windows(number: int) -> OSError:
    """As Python raises it there, in German."""
    error = OSError(errno.EINVAL, "Die Auslagerungsdatei ist zu klein, um diesen Vorgang durchzuführen")
    error.winerror = number
    return error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), RuntimeError("can't allocate memory"), MemoryError(),
        OSError(errno.ENOMEM, "Not enough space"), of_windows(1455),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] data. DefaultCPUAllocator: not enough memory: you tried to allocate "
            "150994944 bytes."
        ),
    ],
)  # fmt: skip
def test_one_that_finds_no_memory_is_not_taken_for_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(*_: object, **__: object) -> None:
        raise error

    saved = save(tmp_path, 1, 2)
    monkeypatch.setattr(torch, "load", full)
    with pytest.raises(type(error)):
        load_newest(tmp_path)
    assert checkpoints(tmp_path) == saved[::-1]


def test_one_that_counts_on_more_metrics_than_there_are_is_passed_over(tmp_path: Path) -> None:
    for step in (1, 2):
        save_checkpoint(tmp_path, step, {"step": step, "metrics_size": 100 * step})
    state, said = load_newest(tmp_path, metrics_size=150)
    assert state == {"step": 1, "metrics_size": 100}
    assert said == [
        "metrics.jsonl has lost its end, which the checkpoint of step 2 needs; going on from the one before."
    ]
    assert load_newest(tmp_path, metrics_size=100)[0] == state


def test_one_on_a_part_of_the_disk_that_cannot_be_read_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = save(tmp_path, 1, 2)[1]
    read = Path.read_bytes

    def broken(path: Path) -> bytes:
        if path == newest:
            raise OSError(5, "Input/output error")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", broken)
    state, said = load_newest(tmp_path)
    assert state is not None
    assert (state["step"], len(said)) == (1, 1)


def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "step-notes.pt").write_text("mine")
    save(tmp_path, 1, 2, 3)
    assert (tmp_path / "step-notes.pt").read_text() == "mine"


def test_a_full_disk_is_one_sentence_and_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ExplorerError, match="No space left on device"):
        save(tmp_path, 2)
    monkeypatch.undo()
    assert [path.name[:13] for path in tmp_path.iterdir()] == ["step-00000001"]
