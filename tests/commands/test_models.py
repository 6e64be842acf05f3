import json

from small_runs import printed, refusal

from alexnet_core.models import MODELS


def test_every_family_is_listed_with_its_numbers(capsys):
    rows = {row["name"]: row for row in json.loads(printed(capsys, "models", "--json"))}
    assert list(rows) == list(MODELS)
    assert rows["alexnet"]["parameters"] == 61_100_840
    assert rows["alexnet"]["multiply_adds"] == 714_188_480
    text = printed(capsys, "models")
    assert "61,100,840" in text
    assert text.count("\n") == 1 + len(MODELS)


def test_of_small_pictures_those_are_listed_that_take_them(capsys):
    rows = {row["name"]: row for row in json.loads(printed(capsys, "models", "--size", 32, "--classes", 10, "--json"))}
    assert set(rows) == {name for name, entry in MODELS.items() if entry.smallest <= 32}
    assert rows["alexnet_mini"]["image_size"] == 32
    assert "For larger pictures only: alexnet, " in printed(capsys, "models", "--size", 32)
    assert "7 pixels" in refusal(capsys, "models", "--size", 7)
    assert "1025 pixels" in refusal(capsys, "models", "--size", 1025)


def test_one_network_is_shown_layer_by_layer(capsys):
    table = json.loads(printed(capsys, "models", "alexnet", "--json"))
    assert table["image_size"] == 224
    assert (
        table["layers"][0] | {"parameters": 23_296, "output_shape": [64, 55, 55], "receptive_field": 11}
        == table["layers"][0]
    )
    text = printed(capsys, "models", "alexnet", "--classes", 10, "--size", 128)
    assert "57,044,810 parameters" in text
    assert "64 x 31 x 31" in text


def test_what_does_not_exist_or_fit_is_one_sentence(capsys):
    assert "alexnet_mini" in refusal(capsys, "models", "lenet")
    assert "63 pixels" in refusal(capsys, "models", "alexnet", "--size", 62)
    assert "0 pixels" in refusal(capsys, "models", "alexnet", "--size", 0)
    assert "two classes" in refusal(capsys, "models", "alexnet", "--classes", 1)
