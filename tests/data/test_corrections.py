from pathlib import Path

import numpy as np
import pytest

from alexnet_core import places
from alexnet_core.data import corrections
from alexnet_core.data.corrections import Corrections, corrected
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepare
from alexnet_core.errors import ExplorerError
from tests.pictures import class_files, make_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pets", class_files(images=12))


@pytest.fixture
def prepared(folder: Path) -> PreparedSet:
    return prepare(folder, image_size=16)


def rows(prepared: PreparedSet) -> dict[str, tuple[str, str, bytes]]:
    """(class, split, pixels) by file."""
    return {
        file: (prepared.classes[label], split, image.tobytes())
        for split in prepared.splits
        for file, label, image in zip(
            prepared.files(split), prepared.labels(split), prepared.images(split), strict=True
        )
    }


def test_nothing_corrected_is_the_set_itself(prepared: PreparedSet, folder: Path) -> None:
    assert corrections.of(prepared) == Corrections()
    assert corrected(prepared) is corrections.in_stock(prepared) is prepared
    assert prepare(folder, image_size=16).identity == prepared.identity


def test_corrections_make_a_set_of_its_own_and_leave_everything_else(prepared: PreparedSet, folder: Path) -> None:
    before = {path: path.read_bytes() for path in (*folder.rglob("*.png"), *prepared.directory.iterdir())}
    drop, relabel, move = prepared.files("train")[:3]
    other = {"cats": "dogs", "dogs": "cats"}[rows(prepared)[relabel][0]]
    said = Corrections().then("drop", {drop: ""}).then("relabel", {relabel: other}).then("split", {move: "val"})
    corrections.keep(prepared, said)
    assert corrections.in_stock(prepared) is None  # not prepared yet
    new = prepare(folder, image_size=16)
    assert new.identity != prepared.identity
    assert new.original == prepared.identity
    expected = rows(prepared)
    del expected[drop]
    expected[relabel] = (other, *expected[relabel][1:])
    expected[move] = (expected[move][0], "val", expected[move][2])
    assert rows(new) == expected
    assert corrections.in_stock(prepared) == new == corrected(new)
    assert {path: path.read_bytes() for path in before} == before
    assert prepare(folder, image_size=16, as_it_came=True) == prepared


def test_they_hold_for_every_size_and_are_known_again(prepared: PreparedSet, folder: Path) -> None:
    drop = prepared.files("train")[0]
    corrections.keep(prepared, Corrections().then("drop", {drop: ""}))
    larger = prepare(folder, image_size=20)
    assert drop not in rows(larger)
    assert corrections.of(larger) == corrections.of(prepared)
    assert larger.image_size == 20


def test_each_action_can_be_undone(prepared: PreparedSet, folder: Path) -> None:
    first, second = prepared.files("train")[:2]
    said = Corrections().then("drop", {first: ""}).then("keep", {second: "label"}).then("drop", {second: ""})
    assert (said.changes, said.kept("label"), said.kept("copy")) == (2, {second}, set())
    assert said.undone().dropped == {first}
    corrections.keep(prepared, said.undone().undone().undone())
    assert prepare(folder, image_size=16) == prepared
    assert Corrections().undone() == Corrections()
    assert Corrections().then("drop", {}) == Corrections()


def test_a_picture_can_be_in_order_in_several_ways() -> None:
    said = Corrections().then("keep", {"a": "tiny", "b": "tiny"}).then("keep", {"a": "blurred"})
    assert (said.kept("tiny"), said.kept("blurred")) == ({"a", "b"}, {"a"})
    assert said.undone().kept("blurred") == set()


def test_what_it_changes_has_one_key_whatever_the_order() -> None:
    one = Corrections().then("drop", {"a": ""}).then("drop", {"b": ""}).then("keep", {"c": "label"})
    other = Corrections().then("drop", {"b": "", "a": ""})
    assert one.key == other.key != ""
    assert Corrections().then("relabel", {"a": "x"}).then("relabel", {"a": "y"}).relabelled == {"a": "y"}


def test_the_colours_of_the_rest_are_counted_anew(prepared: PreparedSet) -> None:
    corrections.keep(prepared, Corrections().then("drop", dict.fromkeys(prepared.files("train")[:5], "")))
    new = corrected(prepared)
    pixels = new.images("train")[:] / 255
    assert new.mean == pytest.approx(tuple(np.mean(pixels, axis=(0, 1, 2))), abs=1e-6)


def test_too_much_left_out_is_refused_in_a_sentence(prepared: PreparedSet, folder: Path) -> None:
    corrections.keep(prepared, Corrections().then("drop", {file: "" for file in rows(prepared) if "cats" in file}))
    with pytest.raises(ExplorerError, match="too few pictures"):
        prepare(folder, image_size=16)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"actions": [1]}',
        '{"actions": [{"kind": "run", "files": {}}]}',
        '{"actions": [{"kind": "drop", "files": 1}]}',
    ],
)
def test_a_damaged_file_is_told_in_a_sentence(prepared: PreparedSet, text: str) -> None:
    corrections.keep(prepared, Corrections().then("drop", {prepared.files("train")[0]: ""}))
    (file,) = places.corrections_home().iterdir()
    file.write_text(text)
    with pytest.raises(ExplorerError, match="cannot be read"):
        corrections.of(prepared)


def test_names_that_lead_nowhere_change_nothing(prepared: PreparedSet) -> None:
    file = prepared.files("train")[0]
    said = Corrections().then("relabel", {file: "no such class"}).then("split", {file: "no such split"})
    corrections.keep(prepared, said.then("drop", {"no such file": ""}))
    assert rows(corrected(prepared)) == rows(prepared)
