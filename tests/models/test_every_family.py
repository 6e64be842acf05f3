"""Each family trains, is exported in every format, comes back, and says the same; torchvision's own network and
onnxruntime say it, too."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import get_model

from alexnet_core.devices import Compute
from alexnet_core.models import MODELS, Network, build
from alexnet_core.models.auxiliary import HEADS
from alexnet_core.models.export import FORMATS
from alexnet_core.models.importing import look, network_of
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.events import EpochDone, StepDone
from alexnet_core.training.loop import Training
from alexnet_core.training.recipes import model_settings

LARGE = ("alexnet", "alexnet_bn", "alexnet_narrow", "vgg11", "vgg16", "resnet50", "efficientnet_v2_s")
"""Half a minute and more for all: a gigabyte and a half of weights is trained, written and read."""
ALL = "EVERY_FAMILY" in os.environ
large = pytest.mark.skipif(not ALL, reason="takes long; EVERY_FAMILY=1 runs it")
CLASSES = ("cat", "dog", "ship")
LEFT_OUT = set[str]() if ALL and importlib.util.find_spec("onnxruntime") else {"onnx"}
"""Formats whose packages are not installed here; and each graph for ONNX takes some ten seconds to make."""


def trained(name: str, size: int) -> tuple[Network, list[float]]:
    """The network after two steps on six pictures of noise, and the losses of the steps."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (6, size, size, 3), dtype=np.uint8)
    labels = np.array([0, 1, 2, 0, 1, 2])
    settings = TrainConfig(model=name, epochs=1, batch_size=3, lr=1e-4, weight_decay=0.0, dropout=0.0, threads=1)
    preprocessing = Preprocessing(size, size)
    torch.manual_seed(0)
    model = build(name, len(CLASSES), size, **model_settings(settings))
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            # The running sums are those of the last batch. Nine tenths of where they began, which fits no layer, made
            # logits of 1e12 in inception_v3, of which 32 bits keep too little to compare.
            layer.momentum = 1.0
    before = [parameter.detach().clone() for parameter in list(model.parameters())[:1]]
    compute = Compute(torch.device("cpu"), "fp32", 1)
    training = Training(
        model, settings, compute, preprocessing, (images, labels), (images[:2], labels[:2]), np.eye(3) * 0.01
    )
    events = list(training.events())
    assert isinstance(events[-2], EpochDone)
    assert any(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=False))
    losses = [event.train_loss for event in events if isinstance(event, StepDone)]
    network = Network(name, frozen(training.learned), CLASSES, preprocessing, model_settings(settings))
    return network, losses


@pytest.mark.parametrize("name", [pytest.param(name, marks=large) if name in LARGE else name for name in MODELS])
def test_trained_exported_imported_and_saying_the_same(name: str, tmp_path: Path) -> None:
    size = max(MODELS[name].smallest, 32)
    network, losses = trained(name, size)
    assert len(losses) == 2
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network.model.to(memory_format=torch.contiguous_format)(images)
    for format in sorted(FORMATS.keys() - LEFT_OUT):
        path = tmp_path / "network"
        path.write_bytes(FORMATS[format](network))
        found = look(path, owner=format == "state_dict")
        if format == "state_dict":  # tensors alone, which say neither what the classes are called nor the size
            back = network_of(found, classes=CLASSES)
        else:
            back = network_of(found)
            assert (back.settings, back.preprocessing) == (network.settings, network.preprocessing), format
        assert (back.name, back.classes) == (name, CLASSES), format
        with torch.no_grad():
            torch.testing.assert_close(back.model(images), expected, rtol=1e-4, atol=1e-4)
        if format == "onnx":
            torch.testing.assert_close(_in_onnxruntime(path, images), expected, rtol=1e-4, atol=1e-4)
    if MODELS[name].ours is None:
        theirs = _torchvisions(name)
        theirs.load_state_dict(network.model.state_dict(), strict=True)
        with torch.no_grad():
            torch.testing.assert_close(theirs.eval()(images), expected, rtol=1e-4, atol=1e-4)


def _in_onnxruntime(path: Path, images: torch.Tensor) -> torch.Tensor:
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0])


def _torchvisions(name: str) -> torch.nn.Module:
    without_heads = {"aux_logits": False, "init_weights": False} if name in HEADS else {}
    with torch.device("meta"):
        model = get_model(name, weights=None, num_classes=len(CLASSES), **without_heads)
    return model.to_empty(device="cpu")


@pytest.mark.parametrize("name", HEADS)
def test_heads_move_the_weights_and_stay_out_of_the_curve(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_heads, losses = trained(name, 96)
    plan = HEADS[name]
    monkeypatch.setitem(HEADS, name, type(plan)(plan.behind, 0.0, plan.side))
    without, others = trained(name, 96)
    # The first loss is that of the first weights, which are the same; the second step begins from other ones.
    assert losses[0] == others[0]
    assert losses[1] != others[1]
    pairs = zip(with_heads.model.state_dict().values(), without.model.state_dict().values(), strict=True)
    assert any(not torch.equal(one, other) for one, other in pairs)
