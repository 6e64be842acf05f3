import dataclasses

import pytest

from alexnet_core.errors import ExplorerError
from alexnet_core.training.config import BOUNDS, CHOICES, TrainConfig, explanations


def test_every_field_has_an_explanation_and_every_number_its_bounds() -> None:
    fields = {field.name: field.default for field in dataclasses.fields(TrainConfig)}
    assert set(explanations()) == set(fields)
    assert all(text.endswith(".") for text in explanations().values())
    numbers = {name for name, value in fields.items() if type(value) in (int, float)}
    assert set(BOUNDS) == numbers
    texts = {name for name, value in fields.items() if type(value) is str}
    assert set(CHOICES) == texts - {"model", "recipe", "start_from"}


def test_settings_survive_json() -> None:
    config = TrainConfig(lr=0.3, optimizer="adamw", reflect=False, seed=7)
    assert TrainConfig.from_dict(config.as_dict()) == config
    assert TrainConfig.from_dict({"lr": 1}).lr == 1.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lr", float("nan")),
        ("lr", float("inf")),
        ("lr", 0.0),
        ("epochs", -1),
        ("dropout", 1.0),
        ("seed", 2**31),
        ("optimizer", "lion"),
        ("schedule", ""),
        ("precision", "int8"),
    ],
)
def test_impossible_values_are_refused_in_a_sentence(name: str, value: object) -> None:
    with pytest.raises(ExplorerError, match=r"(?i)between|choose one of"):
        TrainConfig(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "values", [{"depth": 3}, {"lr": "0.1"}, {"epochs": 1.5}, {"reflect": 1}, {"epochs": True}, {"model": None}]
)
def test_foreign_settings_are_refused_in_a_sentence(values: dict[str, object]) -> None:
    with pytest.raises(ExplorerError, match=r"no setting called|cannot be"):
        TrainConfig.from_dict(values)


@pytest.mark.parametrize("value", [10**400, -(10**400)])
def test_a_number_of_four_hundred_digits_is_refused_in_a_sentence(value: int) -> None:
    with pytest.raises(ExplorerError, match="between"):
        TrainConfig.from_dict({"lr": value})
