"""What is copied, what learns and how fast; and that a head learns from features what it would learn from pictures."""

import copy
import dataclasses
import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.devices import Compute
from alexnet_core.errors import ExplorerError
from alexnet_core.models import MODELS, Network, build
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.events import EpochDone, Started, StepDone, Tick
from alexnet_core.training.features import Features, FeatureSource, StoredAnswers
from alexnet_core.training.loop import Training
from alexnet_core.training.transfer import (
    Moments,
    Tail,
    answers_before,
    begin_with,
    head_of,
    layers_of,
    preprocessing_of,
    rates,
    weights_to_copy,
)

PLAIN = Compute(torch.device("cpu"), "fp32", 1)
LETTERS = tuple("abcdefghij")
SMALL = TrainConfig(
    epochs=2, batch_size=16, optimizer="adamw", lr=2e-3, threads=1, dropout=0.0, translate=0.0, colour=0.0,
    start_from="somewhere",
)  # fmt: skip
SIZES = {"inception_v3": 75, "alexnet": 63, "alexnet_bn": 63, "alexnet_narrow": 63}
"""Small pictures that each family still takes."""


def some(data: PreparedSet, images: int = 48) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    return (
        (data.images("train")[:images], data.labels("train")[:images]),
        (data.images("val")[:16], data.labels("val")[:16]),
    )


def source(classes: tuple[str, ...] = LETTERS, **settings: Any) -> Network:
    torch.manual_seed(1)
    model = frozen(build("alexnet_mini", len(classes), 32, **settings))
    return Network("alexnet_mini", model, classes, Preprocessing(32, 36, (0.4, 0.5, 0.6)), settings, "a source")


def begun(digits: PreparedSet, **changes: Any) -> Training:
    """A training on digits that begins with `source`."""
    config = dataclasses.replace(SMALL, **changes)
    torch.manual_seed(0)
    model = build("alexnet_mini", 10, 32, dropout=config.dropout)
    begin_with(model, digits.classes, source(), config)
    preprocessing = preprocessing_of(source(), 32)
    return Training(model, config, PLAIN, preprocessing, *some(digits), np.array(digits.rgb_covariance))


def family(name: str) -> tuple[nn.Module, int]:
    size = SIZES.get(name, 32)
    torch.manual_seed(0)
    return build(name, 10, size), size


# -- layers ------------------------------------------------------------------------------------------------------------


def test_the_layers_of_alexnet_are_its_eight() -> None:
    layers = layers_of(build("alexnet_mini", 10, 32))
    assert len(layers) == 8
    assert layers[0] == ("features.0", "features.1")  # the normalisation goes with its convolution
    assert layers[-1] == ("classifier.6",)


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_of_a_family_is_in_one_layer_and_the_head_comes_last(name: str) -> None:
    with torch.device("meta"):
        model = build(name, 7, max(64, MODELS[name].image_size))
    layers = layers_of(model)
    assert 5 <= len(layers) <= 20
    everything = rates(model, TrainConfig(start_from="x", model=name, layer_lr=0.5))
    assert everything.keys() == dict(model.named_parameters()).keys()
    assert min(everything.values()) == 0.5 ** (len(layers) - 1)
    head = model.get_submodule(head_of(model))
    assert next(iter(head.parameters())).shape[0] == 7
    assert everything[f"{head_of(model)}.weight"] == 1


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("vgg11", "vgg16", "alexnet", "alexnet_bn")])
def test_the_head_goes_on_where_the_other_layers_end(name: str) -> None:
    model, size = family(name)
    model.eval()
    images = torch.randn(2, 3, size, size)
    head = head_of(model)
    with torch.no_grad():
        whole = model(images)
        parts = Tail(model, head)(answers_before(model, head, images))
    assert torch.allclose(parts, whole, atol=1e-5)
    assert not any(module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("learn", ["head", "everything"])
@pytest.mark.parametrize(
    "name",
    ["alexnet_narrow", "alexnet_sprint", "googlenet", "inception_v3", "resnet18", "squeezenet1_1",
     "mobilenet_v3_small", "efficientnet_b0"],
)  # fmt: skip
def test_every_family_starts_from_a_thousand_classes_and_learns(digits: PreparedSet, name: str, learn: str) -> None:
    size = SIZES.get(name, 32)
    torch.manual_seed(0)
    known = Network(name, frozen(build(name, 1000, size)), tuple(map(str, range(1000))), Preprocessing(size, size))
    model = build(name, 10, size)
    config = dataclasses.replace(SMALL, model=name, learn=learn, epochs=1, batch_size=4, layer_lr=0.9)
    begin_with(model, digits.classes, known, config)
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (8, size, size, 3), dtype=np.uint8), np.arange(8) % 10
    before = {key: value.clone() for key, value in model.state_dict().items()}
    run = Training(model, config, PLAIN, known.preprocessing, pictures, pictures, np.eye(3))
    events = list(run.events())
    assert sum(isinstance(event, Tick) for event in events) == 2
    head = head_of(model)
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert f"{head}.weight" in changed
    if learn == "head":
        assert changed <= {f"{head}.weight", f"{head}.bias"}
        learning = sum(value.numel() for key, value in before.items() if key.startswith(f"{head}."))
        assert next(event for event in events if isinstance(event, Started)).parameters == learning
    else:
        assert {name for name, _ in model.named_parameters()} <= changed


# -- what is copied ----------------------------------------------------------------------------------------------------


def test_all_is_copied_but_the_last_layer() -> None:
    model, known = build("alexnet_mini", 3, 32), source()
    begin_with(model, ("x", "y", "z"), known, SMALL)
    theirs = known.model.state_dict()
    own = {name: value for name, value in model.state_dict().items() if not name.startswith("classifier.6")}
    assert all(torch.equal(value, theirs[name]) for name, value in own.items())


def test_the_same_classes_keep_their_last_layer() -> None:
    model, known = build("alexnet_mini", 10, 32), source()
    begin_with(model, LETTERS, known, SMALL)
    assert torch.equal(model.state_dict()["classifier.6.weight"], known.model.state_dict()["classifier.6.weight"])
    copied = weights_to_copy(build("alexnet_mini", 10, 32), tuple("klmnopqrst"), known, SMALL)
    assert "classifier.6.weight" not in copied


@pytest.mark.parametrize("count", [1, 3, 7])
def test_only_the_first_layers_are_copied_where_that_is_asked_for(count: int) -> None:
    copied = weights_to_copy(
        build("alexnet_mini", 10, 32), LETTERS, source(), dataclasses.replace(SMALL, copy_layers=count)
    )
    first = {name for layer in layers_of(source().model)[:count] for name in layer}
    assert {name.rpartition(".")[0] for name in copied} == first


def test_pictures_keep_the_colours_that_the_source_has_learned_from() -> None:
    assert preprocessing_of(source(), 48) == Preprocessing(48, 48, (0.4, 0.5, 0.6))


@pytest.mark.parametrize(
    ("changes", "size", "settings", "sentence"),
    [
        ({"model": "alexnet_sprint"}, 32, {}, r"kind alexnet_mini, not alexnet_sprint"),
        ({"copy_layers": 8}, 32, {}, r"8 layers.*at most 7"),
        ({"copy_layers": 3, "learn": "head"}, 32, {}, r"before it have to be copied"),
        ({}, 64, {}, r"32 x 32 pixels.*--size 32"),
        ({}, 32, {"batch_norm": False}, r"batch normalisation"),
    ],
)
def test_a_source_that_does_not_fit_is_one_sentence(
    changes: dict[str, Any], size: int, settings: dict[str, Any], sentence: str
) -> None:
    config = dataclasses.replace(SMALL, **changes)
    with pytest.raises(ExplorerError, match=sentence):
        weights_to_copy(build("alexnet_mini", 10, size, **settings), LETTERS, source(), config)


def test_the_first_layers_fit_pictures_of_other_sizes(digits: PreparedSet) -> None:
    config = dataclasses.replace(SMALL, copy_layers=5)
    known = source()
    with torch.device("meta"):
        model = build("alexnet_mini", 10, 33)
    assert "features.0.weight" in weights_to_copy(model, LETTERS, known, config)


# -- what learns -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("learn", "copied", "first"),
    [("head", 0, "classifier.6"), ("last_layers", 0, "classifier.1"), ("last_layers", 3, "features.11")],
)
def test_what_is_frozen_keeps_its_bytes_also_its_statistics(
    digits: PreparedSet, learn: str, copied: int, first: str
) -> None:
    run = begun(digits, learn=learn, copy_layers=copied)
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    list(run.events())
    names = list(before)
    start = next(place for place, name in enumerate(names) if name.startswith(first))
    after = run.model.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in names[:start])
    assert not any(torch.equal(after[name], before[name]) for name in names[start:])


def test_layers_learn_the_slower_the_nearer_to_the_picture_they_are(digits: PreparedSet) -> None:
    run = begun(digits, layer_lr=0.5, optimizer="sgd", momentum=0.0, weight_decay=0.0, schedule="constant", epochs=1)
    next(event for event in run.events() if isinstance(event, Tick))
    share = {id(p): group["lr"] / 2e-3 for group in run.optimizer.param_groups for p in group["params"]}
    expected = {"features.0": 0.5**7, "features.4": 0.5**6, "classifier.4": 0.5, "classifier.6": 1.0}
    for name, rate in expected.items():
        assert share[id(run.model.get_parameter(f"{name}.weight"))] == pytest.approx(rate)
    whole = copy.deepcopy(run.model.state_dict())
    plain = begun(digits, layer_lr=1.0, optimizer="sgd", momentum=0.0, weight_decay=0.0, schedule="constant", epochs=1)
    begin = plain.model.state_dict()["features.0.weight"].clone()
    next(event for event in plain.events() if isinstance(event, Tick))
    step, slow = plain.model.state_dict()["features.0.weight"] - begin, whole["features.0.weight"] - begin
    assert torch.allclose(slow, step * 0.5**7, atol=1e-7)


def test_muon_has_its_paces_too(digits: PreparedSet) -> None:
    run = begun(digits, optimizer="muon", lr=0.05, momentum=0.6, learn="last_layers", copy_layers=3, layer_lr=0.5)
    turned = [group for group in run.optimizer.param_groups if group["orthogonal"]]
    assert sorted(group["lr_share"] for group in turned) == [0.5**4, 0.5**3]
    list(run.events())


# -- features ----------------------------------------------------------------------------------------------------------


def features(run: Training, data: PreparedSet) -> FeatureSource:
    return FeatureSource(
        run.model, head_of(run.model), data, run.preprocessing, run.compute, mirrored=run.config.reflect
    )


def whole(data: PreparedSet, from_features: bool, **changes: Any) -> Training:
    """A training of the head on all of a small set, from its pictures or from features."""
    config = dataclasses.replace(SMALL, learn="head", **changes)
    torch.manual_seed(0)
    model = build("alexnet_mini", len(data.classes), 32, dropout=0.0)
    begin_with(model, data.classes, source(), config)
    pictures = (
        (data.images("train")[:], data.labels("train")),
        (data.images("val")[:], data.labels("val")),
    )
    run = Training(model, config, PLAIN, preprocessing_of(source(), 32), *pictures, np.array(data.rgb_covariance))
    if from_features:
        place = features(run, data)
        list(place.fill())
        run.learn_from(place.features())
    return run


@pytest.mark.parametrize("changes", [{}, {"reflect": False}, {"balance": "sampling"}, {"averaging": 0.9}])
def test_from_features_a_head_learns_what_it_learns_from_the_pictures(
    few: PreparedSet, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    unchanged = Moments(torch.zeros(1, 1, 1), torch.ones(1, 1, 1))
    monkeypatch.setattr(Features, "moments", lambda self, device: unchanged)
    runs = [whole(few, from_features, **changes) for from_features in (False, True)]
    pictures, cached = ([event for event in run.events() if isinstance(event, StepDone | EpochDone)] for run in runs)
    assert [event.train_loss for event in cached] == pytest.approx([event.train_loss for event in pictures], rel=1e-4)
    ends = [[event.val_loss for event in events if isinstance(event, EpochDone)] for events in (pictures, cached)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-4)
    weights = [run.learned.state_dict()["classifier.6.weight"] for run in runs]
    assert torch.allclose(weights[0], weights[1], atol=1e-5)


def test_from_standardised_answers_a_head_learns_more(few: PreparedSet) -> None:
    ends = [
        [event for event in whole(few, from_features, epochs=10).events() if isinstance(event, EpochDone)][-1]
        for from_features in (False, True)
    ]
    assert ends[1].train_loss < 0.8 * ends[0].train_loss


def test_weights_for_standardised_answers_say_the_same_of_plain_ones(few: PreparedSet) -> None:
    run = whole(few, from_features=True)
    list(run.events())
    alone = copy.deepcopy(run.model).eval()
    alone.load_state_dict(run.weights())
    images = run.pictures.plain(slice(0, 8))
    head = head_of(alone)
    with torch.no_grad():
        answers = answers_before(alone, head, images)
        expected = Tail(run.model, head, run.moments)(answers)
        assert torch.allclose(alone(images), expected, atol=1e-4)
        assert not torch.allclose(run.model.eval()(images), expected, atol=1e-2)
    assert run.moments is not None
    weight, bias = torch.randn(3, 5, 1, 1), torch.randn(3)
    moments = Moments(torch.randn(5, 1, 1), torch.rand(5, 1, 1) + 0.5)
    there_and_back = moments.plain(*moments.standardised(weight, bias))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(there_and_back, (weight, bias), strict=True))


def test_features_are_computed_once_and_go_on_where_they_were_left(
    few: PreparedSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alexnet_core.training.features.CHUNK", 8)
    monkeypatch.setattr("alexnet_core.training.features.SAVE_EVERY", 0.0)
    run = whole(few, from_features=False)
    place = features(run, few)
    left = place.fill()
    done = [next(left) for _ in range(3)]
    assert done[-1] == (24, 2 * few.count("train") + few.count("val"))
    left.close()
    again = features(run, few)
    assert again.folder == place.folder
    assert next(iter(again.fill()))[0] == 32
    list(again.fill())
    resumed = (place.folder / "answers.bin").read_bytes()
    assert list(again.fill()) == []
    (place.folder / "meta.json").unlink()
    list(again.fill())
    assert (place.folder / "answers.bin").read_bytes() == resumed


def test_features_that_another_person_computed_are_used(few: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    run = whole(few, from_features=False)
    list(features(run, few).fill())

    def not_ours(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "utime", not_ours)
    assert list(features(run, few).fill()) == []


def test_features_follow_the_data_the_network_and_the_way_of_computing(few: PreparedSet) -> None:
    run = whole(few, from_features=False)
    key = features(run, few).folder
    assert features(run, dataclasses.replace(few, identity="another")).folder != key
    with torch.no_grad():
        run.model.get_parameter("classifier.6.weight").add_(1)
    assert features(run, few).folder == key  # the head has no part in them
    with torch.no_grad():
        run.model.get_parameter("features.0.weight")[0].add_(1e-6)
    assert features(run, few).folder != key


def test_features_that_do_not_fit_into_memory_are_read_where_they_lie(
    few: PreparedSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [event for event in whole(few, from_features=True).events() if isinstance(event, EpochDone)]
    monkeypatch.setattr("alexnet_core.training.features.free_memory", lambda device: 0)
    run = whole(few, from_features=True)
    assert not isinstance(run.val_images, torch.Tensor)
    assert [event for event in run.events() if isinstance(event, EpochDone)] == expected


def test_damaged_features_are_told_and_computed_again(few: PreparedSet) -> None:
    run = whole(few, from_features=True)
    place = features(run, few)
    (place.folder / "answers.bin").write_bytes(b"short")
    with pytest.raises(ExplorerError, match="computed again"):
        place.features()
    list(place.fill())
    place.features()


def test_too_little_memory_is_not_taken_for_damaged_features(few: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    place = features(whole(few, from_features=True), few)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr("alexnet_core.training.features.StoredAnswers", full)
    with pytest.raises(OSError, match=os.strerror(errno.ENOMEM)):
        place.features()
    assert (place.folder / "answers.bin").exists()


def test_features_cut_short_under_a_training_are_a_sentence(tmp_path: Path) -> None:
    answers = np.arange(24, dtype=np.float32).reshape(4, 6, 1, 1)
    (tmp_path / "answers.bin").write_bytes(answers.tobytes())
    stored = StoredAnswers(tmp_path / "answers.bin", answers.shape, answers.dtype)
    assert np.array_equal(stored[1:3], answers[1:3])
    assert np.array_equal(stored[np.array([3, 0])], answers[[3, 0]])
    os.truncate(tmp_path / "answers.bin", 30)
    assert np.array_equal(stored[:1], answers[:1])
    with pytest.raises(ExplorerError, match="computed again"):
        stored[1:3]


def test_the_oldest_features_go_when_there_is_no_room(few: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    first = features(whole(few, from_features=True), few).folder
    monkeypatch.setattr("alexnet_core.training.features.KEPT_BYTES", 1)
    second = features(whole(few, from_features=True, reflect=False), few).folder
    assert second.exists()
    assert not first.exists()
