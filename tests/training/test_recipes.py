import ast
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from alexnet_core.errors import ExplorerError
from alexnet_core.models import MODELS, build
from alexnet_core.training import recipes
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.recipes import RECIPES, TRANSFER, model_settings, settle


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("train_images", [8, 100, 1_300, 45_000, 1_281_167])
def test_every_recipe_settles_for_every_amount_of_data(recipe: str, train_images: int) -> None:
    begin = {"start_from": "a-run"} if recipe in TRANSFER else {}
    config = settle({"recipe": recipe, **begin}, train_images=train_images, image_size=64)
    assert 1 <= config.batch_size <= min(train_images, 250)
    assert config.epochs >= 1


def docstrings() -> dict[str, str]:
    """The string below each name that the module assigns, on one line."""
    body = ast.parse(Path(recipes.__file__).read_text("utf-8")).body
    return {
        node.targets[0].id: " ".join(after.value.value.split())
        for node, after in pairwise(body)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    }


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_says_its_command_what_comes_of_it_and_when(recipe: str) -> None:
    text = docstrings().get(recipe.upper(), "")
    command, _, result = text.removeprefix("`").partition("`")
    assert command.startswith("alexnet train --data ")
    assert re.search(r"\d %", result)
    assert re.search(r"\d s\b|second|minute|hour", result)


def test_what_is_given_wins_over_the_recipe_and_the_recipe_over_the_defaults() -> None:
    config = settle({"recipe": "paper_2012", "lr": 0.5}, train_images=1000, image_size=64, mirrors=False)
    assert (config.lr, config.schedule, config.momentum, config.weight_decay) == (0.5, "plateau", 0.9, 5e-4)
    assert config.batch_norm is False
    assert config.reflect is False
    assert settle({"reflect": True}, train_images=1000, image_size=64, mirrors=False).reflect is True


def test_the_test_looks_at_no_mirror_images_of_what_is_not_mirrored() -> None:
    def views(**explicit: object) -> str:
        return settle({"recipe": "lap", **explicit}, train_images=1000, image_size=32, mirrors=False).views

    assert views() == "one"
    assert views(reflect=True) == "ten"
    assert views(views="mirrored") == "mirrored"
    assert settle({"recipe": "lap"}, train_images=1000, image_size=32).views == "ten"
    assert settle({"recipe": "lap", "reflect": False}, train_images=1000, image_size=32).views == "one"


def test_a_recipe_may_name_a_network_and_a_person_another() -> None:
    assert settle({"recipe": "sprint"}, train_images=1000, image_size=32).model == "alexnet_sprint"
    assert settle({"recipe": "sprint", "model": "alexnet_mini"}, train_images=1000, image_size=32).model == (
        "alexnet_mini"
    )


@pytest.mark.parametrize(
    ("explicit", "size", "sentence"),
    [
        ({"recipe": "slow"}, 64, "no recipe called 'slow'"),
        ({"model": "lenet"}, 64, "no network called 'lenet'"),
        ({"model": "alexnet"}, 32, "smallest size that works is 63"),
        ({"model": "alexnet", "batch_norm": True}, 224, "alexnet_bn"),
        ({"batch_size": 2000}, 64, "larger than the 1000 training pictures"),
    ],
)
def test_what_cannot_be_is_refused_before_the_start(explicit: dict[str, Any], size: int, sentence: str) -> None:
    with pytest.raises(ExplorerError, match=sentence):
        settle(explicit, train_images=1000, image_size=size)


@pytest.mark.parametrize("name", MODELS)
def test_the_settings_handed_to_a_network_are_its_own(name: str) -> None:
    size = MODELS[name].image_size
    config = settle({"model": name, "dropout": 0.25}, train_images=1000, image_size=size)
    settings = model_settings(config)
    if name.startswith("alexnet"):
        model = build(name, 5, size, **settings)
        assert model.classifier[0].p == 0.25  # type: ignore[union-attr, index]
    assert set(settings) == set(MODELS[name].settings)


def test_a_network_to_start_from_brings_the_recipe_of_what_learns() -> None:
    def settled(**explicit: object) -> TrainConfig:
        return settle({"start_from": "a-run", **explicit}, train_images=500, image_size=64)

    assert (settled().recipe, settled().learn) == ("head", "head")
    assert settled(learn="last_layers").recipe == "last_layers"
    assert settled(learn="everything").layer_lr < 1
    assert settled(recipe="quick").learn == "everything"
    assert not settled(recipe="lap").whiten
    assert not settled(recipe="lap").identity


@pytest.mark.parametrize(
    ("explicit", "sentence"),
    [
        ({"recipe": "head"}, "Start from"),
        ({"learn": "last_layers"}, "--start-from"),
        ({"copy_layers": 2}, "--start-from"),
        ({"layer_lr": 0.5}, "--start-from"),
        ({"start_from": "a-run", "whiten": True}, "leave whiten out"),
        ({"start_from": "a-run", "identity": True}, "leave identity out"),
        ({"start_from": "a-run", "translate": 0.1}, "leave out translate"),
        ({"start_from": "a-run", "learn": "head", "erase": 0.5}, "leave out erase"),
    ],
)
def test_settings_of_transfer_that_do_not_agree_are_one_sentence(explicit: dict[str, object], sentence: str) -> None:
    with pytest.raises(ExplorerError, match=sentence):
        settle(explicit, train_images=500, image_size=64)
