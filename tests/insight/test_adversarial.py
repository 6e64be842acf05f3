"""Attacked pictures keep their bound, are whole pixel values, and fool the network from a file, too."""

from dataclasses import replace
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from alexnet_core.errors import ExplorerError
from alexnet_core.images import decode
from alexnet_core.insight.adversarial import EPSILONS, amplification, amplified, as_file, attack, right_answers
from alexnet_core.insight.distortions import probabilities
from alexnet_core.insight.prediction import logits, predict
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.directory import RunDirectory
from app.samples import SAMPLES
from tests.insight.small_networks import SIZE, Failing, Linear, network_of, noise, small_network, traces

PIXELS = np.asarray(noise(SIZE, SIZE))


@pytest.fixture(scope="module")
def trained():
    return RunDirectory.find("alexnet-mini-cifar10").network()


def square(network, sample="flower"):
    return np.asarray(network.preprocessing.crop(SAMPLES[sample].load()))


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
@pytest.mark.parametrize("epsilon", [0, 1, 4, 16])
def test_the_bound_is_kept(kind, epsilon):
    found = attack(small_network(), PIXELS, kind, epsilon)
    assert found.pixels.dtype == np.uint8
    assert np.abs(found.change).max() <= epsilon
    assert np.array_equal(found.pixels.astype(int) - PIXELS, found.change)
    assert found.change.any() == (epsilon > 0)


def test_fgsm_takes_one_step_along_the_sign_of_a_linear_networks_gradient():
    network = network_of(Linear())
    label = int(logits(network, [noise(SIZE, SIZE)]).argmax())
    answers = probabilities(network, PIXELS[None])[0]
    weights = network.model.layer.weight.view(4, 3, SIZE, SIZE).permute(0, 2, 3, 1).numpy()
    slope = np.tensordot(answers, weights, 1) - weights[label]
    expected = np.clip(PIXELS + 5 * np.sign(slope), 0, 255)
    assert np.array_equal(attack(network, PIXELS, "fgsm", 5).pixels, expected)


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_it_pushes_away_from_the_answer_or_towards_the_target(kind):
    network = small_network()
    before = probabilities(network, PIXELS[None])[0]
    first, target = int(before.argmax()), int(before.argmin())
    assert attack(network, PIXELS, kind, 8).probabilities[first] < before[first]
    assert attack(network, PIXELS, kind, 8, target=target).probabilities[target] > before[target]


def test_a_small_change_fools_a_trained_network_also_from_a_file(trained):
    pixels = square(trained)
    first = int(probabilities(trained, pixels[None])[0].argmax())
    found = attack(trained, pixels, "pgd", 8)
    target = trained.classes.index("cat")
    aimed = attack(trained, pixels, "pgd", 8, target=target)
    for one in (found, aimed):
        file = BytesIO()
        as_file(trained.preprocessing, one.pixels).save(file, "PNG")
        answer = predict(trained, [decode(file.getvalue(), "again.png")])[0][0]
        assert answer.index != first
        assert answer.probability == pytest.approx(float(one.probabilities.max()), abs=1e-4)
    assert int(aimed.probabilities.argmax()) == target


def test_more_steps_find_more(trained):
    pixels = square(trained)
    first = int(probabilities(trained, pixels[None])[0].argmax())
    one, many = (attack(trained, pixels, kind, 3).probabilities[first] for kind in ("fgsm", "pgd"))
    assert many <= one


def test_a_larger_bound_helps_the_attacker(trained):
    pixels = square(trained)
    first = int(probabilities(trained, pixels[None])[0].argmax())
    left = [float(attack(trained, pixels, "pgd", epsilon).probabilities[first]) for epsilon in (0, 1, 4, 16)]
    assert all(later <= earlier + 0.02 for earlier, later in pairwise(left))


@pytest.mark.parametrize(("size", "resize"), [(32, 32), (32, 37), (224, 256)])
def test_a_file_comes_back_as_the_very_square(size, resize):
    pixels = np.asarray(noise(size, size))
    picture = as_file(Preprocessing(size, resize), pixels)
    assert picture.size == (resize, resize)
    assert np.array_equal(np.asarray(Preprocessing(size, resize).crop(picture)), pixels)


def test_the_change_is_shown_as_large_as_it_fits():
    change = np.array([[[-3, 0, 3]]], np.int16)
    assert amplification(change) == 42
    assert amplified(change, 42).tolist() == [[[2, 128, 254]]]
    assert amplification(np.zeros_like(change)) == 127


def test_what_cannot_be_is_refused():
    with pytest.raises(ExplorerError, match="from 0 to 255"):
        attack(small_network(), PIXELS, "pgd", -1)
    with pytest.raises(ExplorerError, match="no class number 9"):
        attack(small_network(), PIXELS, "pgd", 4, target=9)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_nothing_is_left_behind_also_by_a_failure(after):
    network = network_of(Failing(Linear(), after=after))
    network.model.train()
    before = traces(network.model)
    with pytest.raises(ZeroDivisionError):
        attack(network, PIXELS, "pgd", 4)
    assert traces(network.model) == before
    sound = replace(network, model=network.model.model)
    attack(sound, PIXELS, "pgd", 4)
    assert traces(network.model) == before
    assert isinstance(Image.fromarray(attack(sound, PIXELS, "fgsm", 4).pixels), Image.Image)


def test_many_are_attacked_as_each_alone():
    torch.manual_seed(0)
    network = network_of(Linear())
    squares = np.stack([PIXELS, PIXELS[::-1], PIXELS[:, ::-1]])
    labels = probabilities(network, squares).argmax(axis=1)
    before = traces(network.model)
    found = list(right_answers(network, squares, labels, "fgsm"))
    assert traces(network.model) == before
    assert [place for place, _ in found] == list(range(len(EPSILONS)))
    for (_, right), epsilon in zip(found, EPSILONS, strict=True):
        alone = [attack(network, pixels, "fgsm", epsilon).probabilities.argmax() for pixels in squares]
        assert right.tolist() == (np.array(alone) == labels).tolist()


def test_fewer_are_right_where_more_may_be_changed(trained, monkeypatch):
    monkeypatch.setattr("alexnet_core.insight.adversarial.BATCH", 2)  # three pictures are two passes
    squares = np.stack([square(trained, name) for name in ("ship", "aeroplane", "flower")])
    labels = probabilities(trained, squares).argmax(axis=1)
    found = list(right_answers(trained, squares, labels, "pgd"))
    assert [len(right) for _, right in found] == [2, 1] * len(EPSILONS)
    shares = [np.concatenate([right for at, right in found if at == place]).mean() for place in range(len(EPSILONS))]
    assert shares[0] == 1
    assert shares[-1] < 1
