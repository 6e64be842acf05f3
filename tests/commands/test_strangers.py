"""What strangers' files do on the command line: one sentence of printable characters, exit code 2, no code run, and not
a file outside of the program's own folder."""

import os
import pickle
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from small_runs import printed

from alexnet_core.__main__ import main
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen, network_bytes, save_network
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.directory import RunDirectory
from tests.pictures import class_files, make_zip, png, png_claiming

ESCAPE = "\x1b[31m\u202e\n**x**"
"""What would colour a terminal, turn its writing round, and begin a new line."""


@pytest.fixture
def room(tmp_path: Path, home: Path) -> Iterator[Path]:
    """A folder whose files, and those around it, are afterwards what they were when the command began."""
    place = tmp_path / "room"
    place.mkdir()
    (tmp_path / "canary").write_text("alive")
    yield place
    around = {path for path in tmp_path.rglob("*") if home not in (path, *path.parents)}
    assert around == {tmp_path / "canary", place, *place.iterdir()}
    assert {path.name for path in place.iterdir()} <= {"theirs", "theirs.zip", "theirs.safetensors"}
    assert (tmp_path / "canary").read_text() == "alive"


class Evil:
    """Unpickled without care, it makes a folder beside the canary."""

    def __init__(self, room: Path) -> None:
        self.place = room.parent / "sung"

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.place),)


def link(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.create_system, member.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.mark.parametrize("verb", [("prepare",), ("collect", "--into", "Pets")])
@pytest.mark.parametrize(
    ("hostile", "says"),
    [
        ({"../../sung.png": png()}, "lead out of it"),
        ({"C:\\sung.png": png()}, "lead out of it"),
        ({link("cats/link.png"): b"/etc/passwd"}, "contains links"),
        ({"cats/bomb.png": bytes(9_000_000)}, "100 times its size"),
    ],
)
def test_zips(capsys, room: Path, verb: tuple[str, ...], hostile: dict[str, bytes], says: str) -> None:
    theirs = make_zip(room / "theirs.zip", class_files() | hostile)
    assert says in one(capsys, "data", verb[0], theirs, *verb[1:])


def test_pictures(capsys, room: Path, run: RunDirectory) -> None:
    for data, says in (
        (png_claiming(60_000, 60_000), "megapixels"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture"),
        (png()[:100], "cut off"),
        (b"", "empty"),
    ):
        (room / "theirs").write_bytes(data)
        assert says in one(capsys, "predict", room / "theirs", "--run", run.path)
        assert says in one(capsys, "explain", room / "theirs", "--run", run.path, "--out", room / "map.png")


@pytest.mark.parametrize("kind", ["pickle", "checkpoint", "zip"])
def test_programs_in_networks(capsys, room: Path, kind: str) -> None:
    theirs = room / "theirs"
    if kind == "pickle":
        theirs.write_bytes(pickle.dumps(Evil(room), protocol=2))
    elif kind == "checkpoint":
        torch.save({"state_dict": Evil(room)}, theirs)
    else:
        make_zip(theirs, {"n/network.safetensors": pickle.dumps(Evil(room), protocol=2), "../../sung": b"x"})
    assert "weights_only" not in one(capsys, "import", theirs)
    assert "weights_only" not in one(capsys, "predict", picture(room), "--model", "alexnet", "--weights", theirs)
    pickle.loads(pickle.dumps(Evil(room)))
    (room.parent / "sung").rmdir()  # the canary can sing, else this test proves nothing


def picture(room: Path) -> Path:
    place = room.parent / "home" / "good.png"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(png())
    return place


@pytest.mark.parametrize("name", ["../../etc", "..", "a\0b", "/etc/passwd", ESCAPE, "x" * 5_000])
def test_names_of_runs(capsys, room: Path, name: str) -> None:
    one(capsys, "predict", picture(room), "--run", name)
    one(capsys, "export", name, "--format", "safetensors", "--out", room / "n.safetensors")
    one(capsys, "train", "--resume", name)


def test_names_of_files_and_classes_are_shown_without_their_commands(capsys, room: Path) -> None:
    theirs = room.parent / "home" / f"{ESCAPE}.pt"
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_bytes(b"\x80\x02broken")
    assert "could not be read" in one(capsys, "import", theirs)
    assert "could not be read" in one(capsys, "predict", picture(room), "--model", "alexnet", "--weights", theirs)
    hostile = Network(
        "alexnet_mini", frozen(build("alexnet_mini", 2, 32)), (ESCAPE, "b"), Preprocessing(32, 36), source=ESCAPE
    )
    save_network(theirs.with_suffix(".safetensors"), hostile)
    assert plain(printed(capsys, "import", theirs.with_suffix(".safetensors"), "--name", ESCAPE))
    (room / "theirs.safetensors").write_bytes(network_bytes(hostile))
    network = ("--model", "alexnet_mini", "--weights", room / "theirs.safetensors")
    answer = printed(capsys, "predict", picture(room), *network)
    assert plain(answer)
    assert "[31m**x**" in answer.replace(" ", "")


def one(capsys, *arguments: object) -> str:
    """The sentence with which the command refuses."""
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 2
    said, told = capsys.readouterr()
    *progress, sentence = told.splitlines()
    assert (said, plain(told)) == ("", True)
    assert sentence.startswith("alexnet: ")
    assert not [line for line in progress if not line.startswith(("reading: ", "preparing: ", "adding: "))]
    assert len(sentence) < 700
    return sentence


def plain(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))
