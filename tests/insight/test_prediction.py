import zipfile
from pathlib import Path

import pytest
import torch
from small_networks import Linear, network_of, noise, small_network, traces
from torchvision.models import get_weight

from alexnet_core.errors import ExplorerError
from alexnet_core.images import decode
from alexnet_core.insight import prediction
from alexnet_core.insight.prediction import logits, predict
from alexnet_core.models import MODELS, Network, build
from alexnet_core.models.weights import imagenet_network
from alexnet_core.preprocess import Preprocessing

SHARED = Path(__file__).parents[3] / "shared"
WEIGHTS = SHARED / "weights" / "squeezenet1_1-imagenet.pth"
PHOTOGRAPHS = SHARED / "data" / "imagenette-160.zip"


def test_the_probabilities_are_the_softmax_of_the_logits_most_probable_first():
    network = small_network()
    pictures = [noise(seed=seed) for seed in range(3)]
    answers = predict(network, pictures, top=4)
    for picture, answer in zip(pictures, answers, strict=True):
        with torch.no_grad():
            expected = network.model(network.preprocessing.tensor(picture))[0].softmax(0)
        assert [one.probability for one in answer] == sorted((one.probability for one in answer), reverse=True)
        assert sum(one.probability for one in answer) == pytest.approx(1, abs=1e-5)
        for one in answer:
            assert one.name == network.classes[one.index]
            assert one.probability == pytest.approx(float(expected[one.index]), abs=1e-5)


def test_batches_change_nothing(monkeypatch):
    network = small_network()
    pictures = [noise(seed=seed) for seed in range(5)]
    whole = logits(network, pictures)
    monkeypatch.setattr(prediction, "BATCH", 2)
    assert torch.allclose(logits(network, pictures), whole, atol=1e-5)
    assert whole.shape == (5, 4)


def test_fewer_classes_than_asked_for_are_all_given_and_no_picture_has_no_answer():
    assert len(predict(small_network(), [noise()], top=99)[0]) == 4
    assert predict(small_network(), []) == []


def test_no_class_asked_for_is_refused():
    with pytest.raises(ExplorerError, match="At least one"):
        predict(small_network(), [noise()], top=0)


def test_an_answer_that_is_not_finite_is_named_as_such():
    model = Linear()
    with torch.no_grad():
        model.layer.weight.fill_(1e38)
    with pytest.raises(ExplorerError, match="not a finite number"):
        predict(network_of(model), [noise()])


def test_dropout_is_off_and_the_mode_comes_back():
    model = build("alexnet_mini", 4, 32).train()
    network = Network("alexnet_mini", model, ("a", "b", "c", "d"), Preprocessing(32, 32))
    before = traces(model)
    assert predict(network, [noise()]) == predict(network, [noise()])
    assert traces(model) == before


@pytest.mark.skipif(
    not WEIGHTS.exists() or not PHOTOGRAPHS.exists(), reason="the shared weights and photographs are missing"
)
def test_a_trained_network_recognises_photographs():
    network = imagenet_network("squeezenet1_1", WEIGHTS)
    pictures, labels = [], []
    with zipfile.ZipFile(PHOTOGRAPHS) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("test/") and not name.endswith("/"))
        for folder in sorted({name.split("/")[1] for name in names}):
            for name in [name for name in names if name.split("/")[1] == folder][:40:10]:
                pictures.append(decode(archive.read(name), name))
                labels.append(folder)
    assert len(pictures) == 40
    assert set(labels) <= set(network.classes)
    answers = predict(network, pictures)
    top1 = sum(answer[0].name == label for answer, label in zip(answers, labels, strict=True))
    top5 = sum(label in [one.name for one in answer] for answer, label in zip(answers, labels, strict=True))
    # By chance 0.04 and 0.2 of 40. The photographs have a short side of 160, which costs the network a third.
    assert top1 >= 14
    assert top5 >= 24
    theirs = get_weight(MODELS["squeezenet1_1"].imagenet_weights).transforms()
    with torch.no_grad():
        expected = network.model(torch.stack([theirs(picture) for picture in pictures])).argmax(dim=1)
    same = sum(answer[0].index == int(index) for answer, index in zip(answers, expected, strict=True))
    assert same >= 34, "torchvision's own preparation gives other answers"
