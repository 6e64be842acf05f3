import json
import sys

import numpy as np
import pytest
import torch
import torchvision
from small_runs import CLASSES, printed, refusal

from alexnet_core.models import Network, build
from alexnet_core.models.export import FORMATS
from alexnet_core.models.weights import frozen, load_network
from alexnet_core.preprocess import Preprocessing


def test_a_network_file_can_be_used_without_its_run(capsys, run, tmp_path):
    out = tmp_path / "n.safetensors"
    assert str(out) in printed(capsys, "export", run.id, "--format", "safetensors", "--out", out)
    network, expected = load_network(out), run.network()
    assert (network.classes, network.preprocessing) == (CLASSES, expected.preprocessing)
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(network.model(images), expected.model(images))


def test_a_state_dict_is_tensors_alone(capsys, run, tmp_path):
    printed(capsys, "export", run.path, "--format", "state_dict", "--out", tmp_path / "n.pt")
    state = torch.load(tmp_path / "n.pt", weights_only=True)
    expected = run.network().model.state_dict()
    assert list(state) == list(expected)
    assert all(torch.equal(state[key], value) for key, value in expected.items())


def test_torchvision_loads_an_exported_alexnet(tmp_path):
    network = Network("alexnet", frozen(build("alexnet", 2)), ("a", "b"), Preprocessing(224, 256))
    (tmp_path / "a.pt").write_bytes(FORMATS["state_dict"](network))
    theirs = torchvision.models.alexnet(num_classes=2).eval()
    theirs.load_state_dict(torch.load(tmp_path / "a.pt", weights_only=True), strict=True)
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(theirs(images), network.model(images))


def test_onnx_answers_the_same_for_any_number_of_pictures_and_says_what_its_classes_are(capsys, run, tmp_path):
    pytest.importorskip("onnxscript", reason="the extra [onnx] is not installed")
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra [onnx] is not installed")
    out = tmp_path / "n.onnx"
    printed(capsys, "export", run.path, "--format", "onnx", "--out", out)
    session = onnxruntime.InferenceSession(out.read_bytes(), providers=["CPUExecutionProvider"])
    network = run.network()
    for count in (1, 2, 5):
        images = torch.randn(count, 3, 32, 32)
        (logits,) = session.run(["logits"], {"images": images.numpy()})
        assert logits.shape == (count, 3)
        assert np.allclose(logits, network.model(images).numpy(), atol=1e-4)
    notes = session.get_modelmeta().custom_metadata_map
    assert json.loads(notes["classes"]) == list(CLASSES)
    assert Preprocessing.from_dict(json.loads(notes["preprocessing"])) == network.preprocessing


def test_without_the_packages_for_onnx_the_sentence_says_how_to_get_them(capsys, run, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "onnxscript"]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith("torch.onnx._internal.exporter")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    sentence = refusal(capsys, "export", run.path, "--format", "onnx", "--out", tmp_path / "n.onnx")
    assert "pip install" in sentence
    assert not (tmp_path / "n.onnx").exists()


def test_what_cannot_be_written_is_one_sentence(capsys, run, tmp_path):
    start = ("export", run.path, "--format", "safetensors", "--out")
    assert "must end in .safetensors" in refusal(capsys, *start, tmp_path / "n.onnx")
    assert "no folder" in refusal(capsys, *start, tmp_path / "none" / "n.safetensors")
    assert "no-such-run" in refusal(capsys, "export", "no-such-run", "--format", "onnx", "--out", tmp_path / "n.onnx")


def test_a_full_disk_is_one_sentence_and_the_old_file_stays(capsys, run, tmp_path, monkeypatch):
    out = tmp_path / "n.pt"
    out.write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "No space left" in refusal(capsys, "export", run.path, "--format", "state_dict", "--out", out)
    assert out.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["n.pt"]
