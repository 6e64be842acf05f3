"""Preparation: splits that never change, and stopping at any moment without losing or doubling a picture."""

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alexnet_core.data import preparation, unfinished
from alexnet_core.data.collection import Collection, Entry
from alexnet_core.data.preparation import write
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.images import NoRoom
from tests.pictures import pixels

ROWS = 300


def collection(bad: frozenset[int] = frozenset(), read=None) -> Collection:
    """300 random pictures in three classes, the given ones bad."""

    def picture(position: int) -> Image.Image:
        if position in bad:
            raise ExplorerError(f"Picture {position} is bad.")
        return Image.fromarray(pixels(position, (16, 16)))

    return Collection(
        name="noise",
        title="{Noise}",
        classes=("a", "b", "c"),
        source="drawn",
        licence="none",
        entries=tuple(Entry(f"{position:03d}.png", position % 3) for position in range(ROWS)),
        read=read or picture,
        facts={"number": [str(position) for position in range(ROWS)]},
    )


def contents(prepared: PreparedSet) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in prepared.directory.iterdir()}


def test_rows_are_the_pictures_of_their_files(tmp_path: Path) -> None:
    prepared = write(collection(), tmp_path / "out", 16, "key")
    for split in ("train", "val", "test"):
        known = prepared.facts(split)
        assert known is not None
        rows = zip(prepared.images(split), prepared.labels(split), prepared.files(split), known["number"], strict=True)
        for image, label, file, number in rows:
            position = int(number)
            assert file == f"{position:03d}.png"
            assert label == position % 3
            assert np.array_equal(image, pixels(position, (16, 16)))


def test_bad_pictures_are_reported_and_leave_no_gap(tmp_path: Path) -> None:
    bad = frozenset({0, 7, 150, 299})
    prepared = write(collection(bad), tmp_path / "out", 16, "key")
    assert sorted(prepared.bad_files) == [(f"{p:03d}.png", f"Picture {p} is bad.") for p in sorted(bad)]
    assert sum(prepared.count(split) for split in prepared.splits) == ROWS - 4
    for split in prepared.splits:
        for image, file in zip(prepared.images(split), prepared.files(split), strict=True):
            assert np.array_equal(image, pixels(int(file[:3]), (16, 16)))


def test_class_without_a_good_picture_disappears(tmp_path: Path) -> None:
    prepared = write(collection(frozenset(range(1, ROWS, 3))), tmp_path / "out", 16, "key")
    assert prepared.classes == ("a", "c")
    assert set(prepared.labels("train")) == {0, 1}


def test_stopped_and_continued_equals_uninterrupted(tmp_path: Path) -> None:
    bad = frozenset({5, 70, 200})
    whole = write(collection(bad), tmp_path / "whole", 16, "key")
    stops = 0
    while True:
        asked = iter([False, True])
        try:
            pieces = write(collection(bad), tmp_path / "pieces", 16, "key", cancelled=lambda asked=asked: next(asked))
        except ExplorerError as error:
            assert "goes on from there" in str(error)  # noqa: PT017
            stops += 1
        except StopIteration:
            break
        else:
            break
        assert not (tmp_path / "pieces").exists()
        assert stops < 20
    assert stops >= 3
    pieces = write(collection(bad), tmp_path / "pieces", 16, "key")
    assert contents(pieces) == contents(whole)
    assert not list(tmp_path.glob("*.partial"))
    assert not list(tmp_path.glob("*.lock"))


SLOW = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from alexnet_core.data import preparation
    from tests.data.test_preparation import collection
    preparation.SAVE_EVERY = 0.0
    base = collection(frozenset({5, 70, 200}))
    def read(position):
        time.sleep(0.02)
        return base.read(position)
    preparation.write(collection(read=read), Path(sys.argv[1]), 16, "key",
                      lambda done, total, stage: print(done, flush=True))
""")


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_killed_at_any_moment_it_goes_on_without_a_trace(tmp_path: Path) -> None:
    bad = frozenset({5, 70, 200})
    whole = write(collection(bad), tmp_path / "whole", 16, "key")
    out = tmp_path / "killed"
    child = subprocess.Popen([sys.executable, "-c", SLOW, str(out)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert int(child.stdout.readline()) > 0
    child.stdout.readline()
    # While it lives nobody else may prepare the same; once it is dead its lock is worth nothing.
    with pytest.raises(ExplorerError, match="another process"):
        write(collection(bad), out, 16, "key")
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert not out.exists()
    partial = tmp_path / "killed.partial" / "images-00000.npy"
    with partial.open("ab") as file:
        file.write(b"half a row")  # as if the kill had come in the middle of writing
    read: list[int] = []

    def counted(position: int) -> Image.Image:
        read.append(position)
        return collection(bad).read(position)

    assert contents(write(collection(read=counted), out, 16, "key")) == contents(whole)
    assert 0 < len(read) < ROWS  # it went on, and did not begin again


KILLED = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from alexnet_core.data import preparation
    from alexnet_core.data.shards import ShardWriter
    from tests.data.test_preparation import collection

    def attempt(out, last_call):
        # The status of a process that prepares, and is killed before its so-manieth step that others could see.
        child = os.fork()
        if child:
            return os.waitpid(child, 0)[1]
        calls = 0
        def deadly(place, name):
            real = getattr(place, name)
            def call(*arguments, **named):
                nonlocal calls
                calls += 1
                if calls == last_call:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **named)
            setattr(place, name, call)
        for name in ("fsync", "replace", "rename", "unlink", "mkdir"):
            deadly(os, name)
        deadly(ShardWriter, "append")
        deadly(ShardWriter, "_open")
        try:
            preparation.write(collection(frozenset({5, 70, 200})), out, 16, "key", shard_bytes=50 * 768)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
        os._exit(0)

    preparation.SAVE_EVERY, preparation.CHUNK = 0.0, 32
    root, kills = Path(sys.argv[1]), 0
    for last_call in range(4, 1000, int(sys.argv[2])):
        if attempt(root / f"{last_call}", last_call) == 0:
            break
        kills += 1
        while attempt(root / f"{last_call}", int(sys.argv[3])):  # which may be killed, too
            kills += 1
    print(kills)
""")


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
@pytest.mark.parametrize(("every", "again"), [(7, 0), (40, 35)])
def test_killed_between_any_two_steps_it_ends_with_the_same_bytes(tmp_path: Path, every: int, again: int) -> None:
    bad = frozenset({5, 70, 200})
    whole = contents(write(collection(bad), tmp_path / "whole", 16, "key", shard_bytes=50 * 768))
    assert sum(name.startswith("images-") for name in whole) == 6
    (tmp_path / "killed").mkdir()
    command = [sys.executable, "-c", KILLED, str(tmp_path / "killed"), str(every), str(again)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert said.stderr == ""
    assert int(said.stdout) >= 5
    for out in (tmp_path / "killed").iterdir():
        assert contents(PreparedSet.open(out)) == whole


INTERRUPTED = textwrap.dedent("""
    import os, signal, sys
    from alexnet_core import __main__
    from alexnet_core.data import sources
    from tests.data.test_preparation import collection
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
    base = collection()
    def read(position):
        if position == 150:
            os.kill(os.getpid(), signal.SIGINT)
        return base.read(position)
    sources.digits = lambda title, licence: collection(read=read)
    sys.exit(__main__.main(["data", "prepare", "digits", "--size", "16", "--out", sys.argv[1]]))
""")


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is another thing on Windows")
def test_ctrl_c_is_one_sentence_and_what_was_done_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = subprocess.run([sys.executable, "-c", INTERRUPTED, str(out)], capture_output=True, text=True, check=False)
    assert said.returncode == 130
    assert "Traceback" not in said.stderr
    assert said.stderr.splitlines()[-1].startswith("alexnet: The preparation of “{Noise}” was stopped after ")
    assert said.stderr.endswith("Start it again and it goes on from there.\n")
    done = json.loads((tmp_path / "out.partial" / "progress.json").read_text())["done"]
    assert (tmp_path / "out.partial" / "images-00000.npy").stat().st_size >= done * 768


def test_unfinished_attempt_at_something_else_is_begun_again(tmp_path: Path) -> None:
    with pytest.raises(ExplorerError):
        write(collection(), tmp_path / "out", 16, "one", cancelled=lambda: True)
    prepared = write(collection(), tmp_path / "out", 16, "two")
    assert prepared.identity == "two"
    assert contents(prepared) == contents(write(collection(), tmp_path / "whole", 16, "two"))


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"identity": "key", "done": "x", "bad": []}'])
def test_damaged_note_of_progress_means_beginning_again(tmp_path: Path, damage: bytes) -> None:
    with pytest.raises(ExplorerError):
        write(collection(), tmp_path / "out", 16, "key", cancelled=lambda: True)
    (tmp_path / "out.partial" / "progress.json").write_bytes(damage)
    assert write(collection(), tmp_path / "out", 16, "key").count("train") == 225


FULL = textwrap.dedent("""
    import resource, signal, sys
    from pathlib import Path
    from alexnet_core.data import preparation
    from alexnet_core.errors import ExplorerError
    from tests.data.test_preparation import collection
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        preparation.write(collection(), Path(sys.argv[1]), 16, "key")
    except ExplorerError as error:
        print(error)
""")


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on file sizes")
def test_full_disk_is_one_sentence_and_what_was_done_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = subprocess.run([sys.executable, "-c", FULL, str(out)], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == (
        "There is no space left on the disk for “out”. Make room and start again: it goes on from here."
    )
    assert not out.exists()
    assert (tmp_path / "out.partial" / "images-00000.npy").stat().st_size > 10_000
    assert write(collection(), out, 16, "key").count("train") == 225


def test_too_little_room_is_seen_before_the_start(tmp_path: Path, monkeypatch) -> None:
    usage = type("usage", (), {"free": 1_000})
    monkeypatch.setattr(unfinished.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ExplorerError, match="no space left"):
        write(collection(), tmp_path / "out", 16, "key")


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), RuntimeError("can't start new thread")]
)
def test_too_little_memory_is_one_sentence_and_what_was_done_is_kept(tmp_path: Path, error: Exception) -> None:
    def read(position: int) -> Image.Image:
        if position == ROWS - 1:
            raise error
        return collection().read(position)

    with pytest.raises(ExplorerError, match="not enough memory to prepare “out”"):
        write(collection(read=read), tmp_path / "out", 16, "key")
    assert json.loads((tmp_path / "out.partial" / "progress.json").read_text())["done"] > 0
    assert contents(write(collection(), tmp_path / "out", 16, "key")) == contents(
        write(collection(), tmp_path / "whole", 16, "key")
    )


def test_a_picture_for_which_there_was_no_memory_is_not_left_out(tmp_path: Path) -> None:
    def read(position: int) -> Image.Image:
        if position == ROWS - 1:
            raise NoRoom("There was not enough memory to open it. Close other programs and try again.")
        return collection().read(position)

    with pytest.raises(NoRoom):
        write(collection(read=read), tmp_path / "out", 16, "key")
    assert write(collection(), tmp_path / "out", 16, "key").bad_files == []


def test_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("canary")
    with pytest.raises(ExplorerError, match="cannot be written"):
        write(collection(), tmp_path / "file" / "out", 16, "key")
    assert (tmp_path / "file").read_text() == "canary"


@pytest.mark.parametrize("place", ["out", "out.partial"])
def test_other_peoples_folders_are_left_alone(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir()
    (tmp_path / place / "letter.txt").write_text("canary")
    with pytest.raises(ExplorerError, match="already holds something else"):
        write(collection(), tmp_path / "out", 16, "key")
    assert [file.name for file in (tmp_path / place).iterdir()] == ["letter.txt"]


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert write(collection(), tmp_path / "out", 16, "key").directory == tmp_path / "out"


def test_memory_stays_bounded_while_the_disk_is_slow(tmp_path: Path) -> None:
    """Decoding may run ahead of writing by a few tasks only."""
    ahead = 0
    started: list[int] = []

    def read(position: int) -> Image.Image:
        started.append(position)
        return Image.fromarray(pixels(0, (16, 16)))

    def progress(done: int, total: int, stage: str) -> None:
        nonlocal ahead
        time.sleep(0.01)
        if stage == "preparing":
            ahead = max(ahead, len(started) - done)

    entries = tuple(Entry(f"{k}", k % 2) for k in range(4_000))
    many = Collection("noise", "Noise", ("a", "b"), "", "", entries, read)
    write(many, tmp_path / "out", 16, "key", progress)
    assert ahead <= (2 * (os.cpu_count() or 1) + 1) * preparation.CHUNK


def test_same_picture_in_two_classes_or_splits_is_reported(tmp_path: Path) -> None:
    def read(position: int) -> Image.Image:
        return Image.fromarray(pixels(1 if position == 0 else position, (16, 16)))

    prepared = write(collection(read=read), tmp_path / "out", 16, "key")
    assert [set(pair) for pair in prepared.duplicates] == [{"000.png", "001.png"}]


def test_too_few_good_pictures_are_refused_after_reading(tmp_path: Path) -> None:
    with pytest.raises(ExplorerError, match="too few pictures"):
        write(collection(frozenset(range(12, ROWS))), tmp_path / "out", 16, "key")
    assert not (tmp_path / "out").exists()
