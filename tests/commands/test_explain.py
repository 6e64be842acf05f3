import json

import numpy as np
import pytest
from PIL import Image
from small_runs import printed, refusal

from alexnet_core.images import decode_file
from alexnet_core.insight.attribution import ATTRIBUTIONS, attribute


@pytest.mark.parametrize(("method", "channels"), [("saliency", 3), ("grad_cam", 1)])
def test_npy_holds_the_raw_map_in_the_coordinates_of_the_preprocessed_picture(
    capsys, run, photo, tmp_path, method, channels
):
    out = tmp_path / "map.npy"
    printed(capsys, "explain", photo, "--run", run.path, "--method", method, "--target", "dog", "--out", out)
    values = np.load(out, allow_pickle=False)
    assert (values.shape, values.dtype) == ((channels, 32, 32), np.float32)
    expected = attribute(run.network(), decode_file(photo), method, 1).values
    assert np.allclose(values, expected, atol=1e-6)


def test_png_is_the_map_over_the_picture_enlarged_by_a_whole_number(capsys, run, photo, tmp_path):
    out = tmp_path / "MAP.PNG"
    printed(capsys, "explain", photo, "--run", run.path, "--method", "grad_cam", "--out", out)
    with Image.open(out) as drawn:
        assert drawn.size == (448, 448)
        assert drawn.mode == "RGB"


def test_the_facts_are_printed_and_without_a_target_the_predicted_class_is_explained(capsys, run, photo, tmp_path):
    arguments = ("explain", photo, "--run", run.path, "--method", "integrated_gradients", "--out", tmp_path / "m.npy")
    facts = json.loads(printed(capsys, *arguments, "--json"))
    (answer,) = json.loads(printed(capsys, "predict", photo, "--run", run.path, "--json"))
    assert facts["class"] == answer["top"][0]["class"]
    assert facts["shape"] == [3, 32, 32]
    assert "convergence_delta" in facts
    assert "convergence delta" in printed(capsys, *arguments)


def test_an_existing_file_is_replaced_whole_and_no_other_is_left(capsys, run, photo, tmp_path):
    out = tmp_path / "maps" / "map.npy"
    out.parent.mkdir()
    out.write_bytes(b"old" * 10_000)
    printed(capsys, "explain", photo, "--run", run.path, "--out", out)
    assert np.load(out).shape == (3, 32, 32)
    assert list(out.parent.iterdir()) == [out]


def test_the_methods_are_listed(capsys):
    text = printed(capsys, "explain", "--list")
    rows = json.loads(printed(capsys, "explain", "--list", "--json"))
    assert [row["name"] for row in rows] == list(ATTRIBUTIONS)
    for row in rows:
        assert row["says"] in text
        assert row["silent_on"] in text
        for setting in row["settings"]:
            assert f"--set {setting['name']}=" in text
            assert setting["help"] in text
    assert "(2 to 500)" in text
    assert "(black, white, blurred, average, random)" in text


def test_settings_and_a_second_class_reach_the_method(capsys, run, photo, tmp_path):
    out = tmp_path / "map.npy"
    arguments = ("explain", photo, "--run", run.path, "--method", "integrated_gradients", "--out", out)
    asked = ("--target", "dog", "--against", "0", "--set", "steps=7", "--set", "more=off", "--set", "baseline=white")
    facts = json.loads(printed(capsys, *arguments, *asked, "--json"))
    assert facts["settings"] | {"steps": 7, "more": "off", "baseline": "white"} == facts["settings"]
    assert (facts["n_steps"], facts["baseline"], facts["against"]) == (7, "white", 0)
    settings = {"steps": 7, "more": "off", "baseline": "white"}
    expected = attribute(
        run.network(), decode_file(photo), "integrated_gradients", facts["target"], against=0, settings=settings
    )
    assert np.allclose(np.load(out), expected.values, atol=1e-6)
    assert f"against class 0 ({expected.against_name})" in printed(capsys, *arguments, *asked)


def test_what_cannot_be_done_is_one_sentence_and_nothing_is_written(capsys, run, photo, tmp_path):
    (tmp_path / "folder.png").mkdir()
    before = sorted(tmp_path.rglob("*"))
    start, out = ("explain", photo, "--run", run.path), ("--out", tmp_path / "m.png")
    assert "--out" in refusal(capsys, *start)
    assert "explain IMAGE" in refusal(capsys, "explain", "--run", run.path, *out)
    assert "grad_cam" in refusal(capsys, *start, *out, "--method", "magic")
    assert "dog" in refusal(capsys, *start, *out, "--target", "doge")
    assert "NAME=VALUE" in refusal(capsys, *start, *out, "--set", "steps")
    assert "NAME=VALUE" in refusal(capsys, *start, *out, "--set", "steps=3", "--set", "steps=4")
    assert "has none" in refusal(capsys, *start, *out, "--set", "steps=3")
    assert "against itself" in refusal(capsys, *start, *out, "--target", "dog", "--against", "dog")
    assert "0 to 2" in refusal(capsys, *start, *out, "--target", "3")
    assert ".png or .npy" in refusal(capsys, *start, "--out", tmp_path / "m.jpg")
    assert "no folder" in refusal(capsys, *start, "--out", tmp_path / "none" / "m.png")
    assert "is a folder" in refusal(capsys, *start, "--out", tmp_path / "folder.png")
    assert sorted(tmp_path.rglob("*")) == before


def test_methods_that_compare_with_many_take_pictures_of_a_prepared_set(capsys, run, photo, tmp_path, write_pictures):
    printed(capsys, "data", "prepare", write_pictures(tmp_path / "pets"), "--size", 32, "--out", tmp_path / "set")
    arguments = ["explain", photo, "--run", run.path, "--out", tmp_path / "map.npy", "--method"]
    known = ["deep_lift_shap", "--json", "--references", tmp_path / "set"]
    assert json.loads(printed(capsys, *arguments, *known))["compared_with"] == "8 pictures of the data set"
    assert "leave --references out" in refusal(capsys, *arguments, "saliency", "--references", tmp_path / "set")
    assert refusal(capsys, *arguments, "deep_lift_shap", "--references", tmp_path)
