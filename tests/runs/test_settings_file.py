"""Settings as a file and as a link start the same run, and nothing else gets through."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alexnet_core.errors import ExplorerError
from alexnet_core.places import data_home
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.recording import execute
from alexnet_core.runs.settings_file import (
    LARGEST_FILE,
    LONGEST_LINK,
    Request,
    from_json,
    from_link,
    read_settings_file,
    request_of,
    source_of,
    to_json,
    to_link,
)
from alexnet_core.training import recipes
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.recipes import RECIPES, settle

NewRun = Callable[..., RunDirectory]


def asked(**settings: object) -> Request:
    recipe = RECIPES[str(settings.get("recipe", "quick"))].settings
    config = TrainConfig.from_dict({"epochs": 7, "batch_size": 32, "threads": 1} | recipe | settings)
    return Request(config.as_dict(), "digits", "Digits", 64, "ab" * 32)


@pytest.mark.parametrize("recipe", RECIPES)
def test_both_bring_back_every_setting(recipe: str) -> None:
    request = asked(recipe=recipe, lr=0.0123, reflect=False)
    kept = from_json(to_json(request))
    assert TrainConfig.from_dict(RECIPES[recipe].settings | kept.settings).as_dict() == request.settings
    assert replace(kept, settings=request.settings) == request
    back = from_link(to_link(request))
    assert TrainConfig.from_dict(RECIPES[recipe].settings | back.settings).as_dict() == request.settings
    assert (back.data, back.image_size) == ("digits", 64)
    assert len(to_link(request)) < 900


def test_a_recipe_that_changes_does_not_change_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(recipe="quick", optimizer="sgd")
    link = to_link(request)
    changed = replace(RECIPES["quick"], settings=RECIPES["quick"].settings | {"lr": 9.0, "optimizer": "muon"})
    monkeypatch.setitem(recipes.RECIPES, "quick", changed)
    config = settle(from_link(link).settings, train_images=1000, image_size=64)
    assert config.as_dict() == request.settings
    assert from_link(link).settings["optimizer"] == "sgd"  # the default, and yet named


def test_who_mirrors_digits_all_the_same_asks_for_it_in_a_link_too() -> None:
    for reflect in (True, False):
        request = asked(reflect=reflect)
        for mirrors in (True, False):
            back = settle(from_link(to_link(request)).settings, train_images=1000, image_size=64, mirrors=mirrors)
            assert back.as_dict() == request.settings


def test_a_setting_that_the_network_does_not_have_is_not_asked_for() -> None:
    request = Request(TrainConfig(model="resnet18", epochs=1, batch_size=8).as_dict(), "digits", image_size=64)
    for back in (from_json(to_json(replace(request, data_title="Digits"))), from_link(to_link(request))):
        assert settle(back.settings, train_images=100, image_size=64).as_dict() == request.settings


def test_the_threads_of_a_larger_machine_do_not_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(threads=7)
    for here, threads in ((8, 7), (4, 0)):
        monkeypatch.setattr("alexnet_core.runs.settings_file.cores", lambda here=here: here)
        for back in (from_json(to_json(request)), from_link(to_link(request))):
            assert settle(back.settings, train_images=1000, image_size=64).threads == threads


def test_a_runs_own_config_is_a_settings_file(new_run: NewRun) -> None:
    run = new_run()
    request = read_settings_file(run.path / "config.json")
    assert request.settings == request_of(run).settings
    assert request.data == run.config().data.name


def test_a_run_that_ended_before_its_first_step_knows_the_size_of_its_pictures(new_run: NewRun) -> None:
    run = new_run()
    assert read_settings_file(run.path / "config.json").image_size == 32
    events = execute(run)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert list(run.snapshots()) == [0]
    config = run.path / "config.json"
    config.write_text(config.read_text().replace(run.config().data.identity, "gone"))
    assert request_of(run).image_size == read_settings_file(config).image_size == 32


def encoded(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "document",
    [
        {"settings": {"epochs": 10**9}, "data": "digits", "size": 64},
        {"settings": {"depth": 3}, "data": "digits", "size": 64},
        {"settings": {"epochs": "3"}, "data": "digits", "size": 64},
        {"settings": {"lr": 10**400}, "data": "digits", "size": 64},
        {"settings": {"optimizer": "<b>"}, "data": "digits", "size": 64},
        {"settings": {}, "data": "digits", "size": 10**6},
        {"settings": {}, "data": "digits", "size": True},
        {"settings": [], "data": "digits", "size": 64},
        {"settings": {}, "data": ["digits"], "size": 64},
        {"settings": {}, "size": 64},
        [],
        None,
    ],
)
def test_impossible_requests_are_one_sentence(document: object) -> None:
    with pytest.raises(ExplorerError):
        from_link(encoded(document))
    if isinstance(document, dict) and "data" in document:
        data = {"name": document["data"], "title": "x", "image_size": document["size"]}
        with pytest.raises(ExplorerError):
            from_json(json.dumps({"settings": document["settings"], "data": data}).encode())


@pytest.mark.parametrize("link", ["", "%%%", "e30", "é", "a" * (LONGEST_LINK + 4), encoded("[" * 4000), "bm90IGpzb24"])
def test_damaged_links_are_one_sentence(link: str) -> None:
    with pytest.raises(ExplorerError, match="damaged"):
        from_link(link)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"\xff\xfe", b"[" * 90_000, b'{"settings": {}}', b" " * (LARGEST_FILE + 1)]
)
def test_foreign_files_are_one_sentence(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "*x*.json").write_bytes(text)
    with pytest.raises(ExplorerError, match="settings file"):
        read_settings_file(tmp_path / "*x*.json")
    with pytest.raises(ExplorerError, match="cannot be read"):
        read_settings_file(tmp_path / "none.json")


def test_where_the_pictures_are_found(new_run: NewRun, home: Path) -> None:
    assert source_of(asked()) == "digits"
    request = request_of(new_run())
    assert not request.known_data
    with pytest.raises(ExplorerError, match="--data"):
        source_of(request)
    # The same prepared set in this computer's home, wherever it came from.
    data_home().mkdir(parents=True)
    there = data_home() / "few-32"
    there.symlink_to(new_run(home / "other").config().data.directory)
    assert source_of(from_link(to_link(request))) == str(there)
