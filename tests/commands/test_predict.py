import json
import weakref
from io import BytesIO, TextIOWrapper

import pytest
import torch
from small_runs import CLASSES, printed, refusal

from alexnet_core import images
from alexnet_core.__main__ import main
from alexnet_core.images import decode_file


def test_json_is_one_document_with_the_networks_own_answer(capsys, run, photo):
    (answer,) = json.loads(printed(capsys, "predict", photo, "--run", run.path, "--json", "--top", 2))
    network = run.network()
    with torch.no_grad():
        expected = network.model(network.preprocessing.tensor(decode_file(photo)))[0].softmax(0)
    assert answer["file"] == str(photo)
    assert [one["class"] for one in answer["top"]] == [CLASSES[i] for i in expected.topk(2).indices]
    assert answer["top"][0]["probability"] == pytest.approx(float(expected.max()), abs=1e-5)


def test_several_pictures_and_a_run_by_its_name(capsys, run, photo):
    text = printed(capsys, "predict", photo, photo, "--run", run.id)
    assert text.count(str(photo)) == 2
    assert all(name in text for name in CLASSES)


def test_photographs_are_in_memory_one_after_the_other(capsys, run, photo, monkeypatch):
    decoded, alive = [], []

    def watched(path):
        picture = decode_file(path)
        decoded.append(weakref.ref(picture))
        alive.append(sum(one() is not None for one in decoded))
        return picture

    monkeypatch.setattr(images, "decode_file", watched)
    printed(capsys, "predict", *[photo] * 5, "--run", run.path)
    assert alive == [1] * 5


def test_letters_that_a_terminal_does_not_have_are_written_as_their_numbers(run, photo, tmp_path, monkeypatch):
    out = TextIOWrapper(BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", out)
    assert main(["predict", str(photo.rename(tmp_path / "łąka.png")), "--run", run.id]) == 0
    out.flush()
    assert rb"\u0142\u0105ka.png" in out.buffer.getvalue()


def test_a_network_file_is_used_by_its_networks_name(capsys, run, photo):
    by_run = printed(capsys, "predict", photo, "--run", run.path, "--json")
    by_file = printed(capsys, "predict", photo, "--model", "alexnet_mini", "--weights", run.network_path, "--json")
    assert by_run == by_file


def test_what_cannot_be_used_is_one_sentence(capsys, run, photo, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    assert "missing.png" in refusal(capsys, "predict", "missing.png", "--run", run.path)
    assert "text.png" in refusal(capsys, "predict", tmp_path / "text.png", "--run", run.path)
    assert "--run" in refusal(capsys, "predict", photo)
    assert "either" in refusal(capsys, "predict", photo, "--run", run.path, "--model", "alexnet")
    assert "own weights" in refusal(capsys, "predict", photo, "--run", run.path, "--weights", "w.pth")
    assert "lenet" in refusal(capsys, "predict", photo, "--model", "lenet")
    assert "no-such-run" in refusal(capsys, "predict", photo, "--run", "no-such-run")
    assert "nowhere" in refusal(capsys, "predict", photo, "--run", tmp_path / "nowhere")
    assert "w.pth" in refusal(capsys, "predict", photo, "--model", "alexnet", "--weights", tmp_path / "w.pth")
    assert "At least one" in refusal(capsys, "predict", photo, "--run", run.path, "--top", 0)


def test_a_run_without_a_network_yet_is_one_sentence(capsys, run, photo):
    run.network_path.unlink()
    assert "no network yet" in refusal(capsys, "predict", photo, "--run", run.path)
