"""The experiment of Yosinski et al.: which runs it has, that they are what they say, and that it goes on."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.places import runs_home
from alexnet_core.runs import transferability as study
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.transferability import Experiment


def small(digits: PreparedSet, **changes: object) -> Experiment:
    return study.experiment(digits, layers=[2], epochs=1, most=8, **changes)  # type: ignore[arg-type]


def test_there_are_two_bases_and_four_kinds_for_each_number_of_layers(digits: PreparedSet) -> None:
    asked = study.experiment(digits, layers=[3, 1, 3])
    names = [study.name_of(part) for part in study.parts(asked)]
    assert names[:2] == ["base B", "base A"]
    assert names[2:6] == ["BnB, 1 layer", "BnB+, 1 layer", "AnB, 1 layer", "AnB+, 1 layer"]
    assert len(names) == 2 + 2 * 4
    settings = {part.run_id.removeprefix(asked.key): part.settings for part in study.parts(asked)}
    assert settings["-anb-3"]["start_from"] == f"{asked.key}-base-a"
    assert (settings["-anb-3"]["learn"], settings["-anb-3"]["copy_layers"]) == ("last_layers", 3)
    assert settings["-bnb-tuned-1"]["start_from"] == f"{asked.key}-base-b"
    assert settings["-bnb-tuned-1"]["learn"] == "everything"


def test_the_halves_share_no_class_and_see_colours_alike(digits: PreparedSet) -> None:
    halves = study.halves(small(digits))
    assert set(halves["a"].classes) | set(halves["b"].classes) == set(digits.classes)
    assert not set(halves["a"].classes) & set(halves["b"].classes)
    assert halves["a"].mean == halves["b"].mean
    assert study.halves(small(digits, seed=1))["a"].classes != halves["a"].classes


def test_it_is_carried_out_stopped_and_goes_on(digits: PreparedSet) -> None:
    asked = small(digits)
    study.save(asked)
    assert study.experiments() == [asked]
    steps = study.carry_out(asked, threads=1)
    said = ""
    for done, part, told in steps:
        said = told
        if part.kind == "bnb" and done == 2:
            RunDirectory(runs_home() / part.run_id).ask("STOP")  # a person's wish, before it begins
    assert said == "BnB, 2 layers: Stopped after step 1. Resume to go on."
    assert study.finished(asked) == 2
    assert study.going_on(asked) is None
    RunDirectory(runs_home() / f"{asked.key}-bnb-2").ask("STOP")  # a second click, when its process has gone already
    metrics = (runs_home() / f"{asked.key}-base-a" / "metrics.jsonl").stat().st_mtime_ns
    said = [text for _, _, text in study.carry_out(asked, threads=1)]
    assert study.finished(asked) == len(study.parts(asked)) == 6
    assert said[0] == "BnB, 2 layers: learning."
    assert (runs_home() / f"{asked.key}-base-a" / "metrics.jsonl").stat().st_mtime_ns == metrics
    assert list(study.carry_out(asked, threads=1)) == []

    weights = {
        name: load_file(runs_home() / f"{asked.key}-{name}" / "network.safetensors")
        for name in ("base-a", "base-b", "anb-2", "bnb-2", "anb-tuned-2")
    }
    second = "features.4.weight"
    assert torch.equal(weights["anb-2"][second], weights["base-a"][second])
    assert torch.equal(weights["bnb-2"][second], weights["base-b"][second])
    assert not torch.equal(weights["anb-tuned-2"][second], weights["base-a"][second])
    assert not torch.equal(weights["anb-2"]["features.8.weight"], weights["base-a"]["features.8.weight"])

    points = {(point.kind, point.layers): point.top1 for point in study.points(asked)}
    assert set(points) == {("base", 0), ("bnb", 2), ("bnb-tuned", 2), ("anb", 2), ("anb-tuned", 2)}
    grown = dataclasses.replace(asked, layers=(2, 3))
    assert study.finished(grown) == 6


def test_layers_that_are_asked_for_later_stand_beside_the_earlier_ones(digits: PreparedSet) -> None:
    study.save(small(digits))
    study.save(study.experiment(digits, layers=[4], epochs=1, most=8))
    (kept,) = study.experiments()
    assert kept.layers == (2, 4)


@pytest.mark.parametrize("layers", [[], [0], [8]])
def test_impossible_numbers_of_layers_are_one_sentence(digits: PreparedSet, layers: list[int]) -> None:
    with pytest.raises(ExplorerError, match="Between 1 and 7"):
        study.experiment(digits, layers=layers)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"most": -3}, "cannot be -3 training pictures"),
        ({"epochs": -1}, "Epochs must lie between"),
        ({"model": "lenet"}, "no network called 'lenet'"),
        ({"model": "alexnet_sprint", "layers": [5]}, "Between 1 and 4"),
        ({"model": "alexnet"}, "smallest size that works"),
    ],
)
def test_what_no_run_can_have_is_said_before_anything_is_kept(
    digits: PreparedSet, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ExplorerError, match=sentence):
        study.experiment(digits, **changes)  # type: ignore[arg-type]
    assert study.experiment(digits).layers == (1, 2, 3, 4, 5, 6, 7)
    assert study.experiment(digits, model="alexnet_sprint").layers == (1, 2, 3, 4)


def test_two_classes_cannot_be_halved(few: PreparedSet) -> None:
    with pytest.raises(ExplorerError, match="two halves"):
        study.experiment(few)


def test_a_stop_during_the_test_at_the_end_stops_the_experiment(digits: PreparedSet) -> None:
    asked = small(digits)
    for done, part, _ in study.carry_out(asked, threads=1):
        if done == 1 and part.half == "b":  # its run is over
            RunDirectory(runs_home() / part.run_id).ask("STOP")
    assert study.finished(asked) == 1
