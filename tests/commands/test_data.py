"""`alexnet data`: one JSON document, or lines for people; what went wrong is one sentence and exit code 2."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from alexnet_core.__main__ import main
from alexnet_core.commands import progress
from alexnet_core.data.sources import DATASETS
from tests.pictures import class_files, make_folder, make_zip


@pytest.fixture
def alexnet(tmp_path: Path, monkeypatch, capsys):
    """Runs the command in an empty home; gives (standard output, standard error)."""
    monkeypatch.setenv("ALEXNET_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, code: int = 0) -> tuple[str, str]:
        assert main(["data", *arguments]) == code
        return tuple(capsys.readouterr())

    return run


def test_list_and_prepare(alexnet, tmp_path: Path) -> None:
    make_zip(tmp_path / "pets.zip", class_files() | {"cats/text.png": b"hello"})
    said, progress = alexnet("prepare", "pets.zip", "--size", "16", "--out", "somewhere/pets")
    assert "2 classes, 16 pixels, 14 train, 2 val" in said
    assert "cats/text.png" in said
    assert "preparing" in progress
    assert "preparing" not in said
    assert (tmp_path / "somewhere" / "pets" / "meta.json").is_file()

    made = json.loads(alexnet("prepare", "digits", "--size", "8", "--json")[0])
    assert (made["image_size"], made["splits"]["test"]) == (8, 269)
    listed = json.loads(alexnet("list", "--json")[0])
    assert [one["name"] for one in listed] == list(DATASETS)
    assert [p["directory"] for one in listed for p in one["prepared"]] == [made["directory"]]
    assert all(one["licence"] for one in listed)
    shown = alexnet("list")[0]
    assert "prepared at 8 pixels" in shown
    assert "download of 171 MB" in shown
    assert "--data" not in shown


def test_prepared_pictures_of_ones_own_are_listed_with_what_train_takes_for_them(alexnet, tmp_path: Path) -> None:
    make_folder(tmp_path / "pets", class_files())
    made = json.loads(alexnet("prepare", "pets", "--size", "16", "--json")[0])
    assert f"--data {made['directory']}" in alexnet("list")[0]


def test_a_place_with_a_space_is_listed_as_a_terminal_takes_it(alexnet, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("ALEXNET_HOME", str(tmp_path / "Ada Lovelace"))
    make_folder(tmp_path / "pets", class_files())
    made = json.loads(alexnet("prepare", "pets", "--size", "16", "--json")[0])
    assert f'--data "{made["directory"]}"' in alexnet("list")[0]


def test_collect_adds_to_the_same_data_set(alexnet, tmp_path: Path) -> None:
    make_folder(tmp_path / "one", class_files() | {"cats/text.png": b"hello"})
    make_zip(
        tmp_path / "two.zip", class_files(["birds"], seed=9_000) | {"loose.png": class_files(images=1)["cats/0.png"]}
    )
    said, progress = alexnet("collect", "one", "--into", "My pets")
    assert "My pets: 16 pictures in 2 classes, 16 of them new" in said
    assert "cats/text.png" in said
    assert "adding: 1 of 17 pictures" in progress
    said = alexnet("collect", "two.zip", "--into", " My  pets", "--class", "others")[0]
    assert "My pets: 24 pictures in 3 classes, 8 of them new" in said
    assert "there already, byte for byte: 1, of these in another class: 1" in said
    source = said.split()[-1]
    (listed,) = [one for one in json.loads(alexnet("list", "--json")[0]) if one["source"] == source]
    assert (listed["title"], listed["images"], listed["prepared"]) == ("My pets", 24, [])
    made = json.loads(alexnet("prepare", source, "--size", "8", "--json")[0])
    assert made["classes"] == ["birds", "cats", "dogs"]
    assert "no folder or zip" in alexnet("collect", "nowhere", "--into", "My pets", code=2)[1]


def test_a_source_that_gives_nothing_makes_no_data_set(alexnet, tmp_path: Path) -> None:
    (tmp_path / "not.zip").write_bytes(b"not a zip")
    make_folder(tmp_path / "broken", {"cats/1.png": b"broken"})
    assert "not a zip" in alexnet("collect", "not.zip", "--into", "Pets", code=2)[1]
    assert (
        "None of these 1 files can be used. The first, cats/1.png: "
        in (alexnet("collect", "broken", "--into", "Pets", code=2)[1])
    )
    assert "Pets" not in alexnet("list")[0]
    assert list((tmp_path / "home" / "collections").glob("*")) == []


def test_shards_are_as_small_as_asked(alexnet, tmp_path: Path) -> None:
    alexnet("prepare", "digits", "--size", "32", "--shard", "1", "--out", "out")
    sizes = [path.stat().st_size for path in sorted((tmp_path / "out").glob("images-*.npy"))]
    assert len(sizes) == 6  # 1,797 pictures of 3,072 bytes
    assert max(sizes) <= 1_000_000 + 128
    assert "at least 1 MB" in alexnet("prepare", "digits", "--shard", "0", code=2)[1]


def test_lines_of_progress_say_how_long_it_will_take(monkeypatch, capsys) -> None:
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with progress.ProgressShown() as shown:
        for clock[0], done in (
            (10.0, 1_000),
            (20.0, 1_500),
            (30.0, 2_000),
            (31.0, 2_500),
            (40.0, 3_000),
        ):  # taken up again
            shown.update(done, 3_000, "preparing")
    assert capsys.readouterr().err.splitlines() == [
        "preparing: 1,000 of 3,000 pictures",
        "preparing: 1,500 of 3,000 pictures, about 30 s left",
        "preparing: 2,000 of 3,000 pictures, about 20 s left",
        "preparing: 3,000 of 3,000 pictures",
    ]
    assert [progress.duration_in_words(s) for s in (99, 100, 5_999, 7_200)] == ["99 s", "2 min", "100 min", "2.0 h"]


@pytest.mark.parametrize(
    ("source", "says"), [("nothing", "no data set"), ("one", "too few pictures"), ("digits --size 9000", "between")]
)
def test_what_a_person_can_put_right_is_one_sentence_and_exit_code_2(
    alexnet, tmp_path: Path, source: str, says: str
) -> None:
    make_folder(tmp_path / "one", class_files(["cats"]))
    said, error = alexnet("prepare", *source.split(), code=2)
    assert says in error
    assert error.count("\n") == 1
    assert said == ""


def test_the_real_command_from_another_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alexnet_core", "data", "prepare", "nothing"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 2
    assert "no data set" in done.stderr
    assert "Traceback" not in done.stderr
