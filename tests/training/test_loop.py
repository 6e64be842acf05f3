import dataclasses
from collections import deque
from io import BytesIO
from itertools import takewhile
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.devices import Compute, choose
from alexnet_core.errors import ExplorerError
from alexnet_core.models import build
from alexnet_core.training import first_weights
from alexnet_core.training.batches import keep
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.evaluate import evaluate
from alexnet_core.training.events import EpochDone, Event, Started, StepDone, Tick, from_record, to_record
from alexnet_core.training.loop import Training
from alexnet_core.training.recipes import model_settings

SMALL = TrainConfig(epochs=3, batch_size=16, optimizer="adamw", lr=2e-3, weight_decay=0.01, threads=1)


def training(digits: PreparedSet, config: TrainConfig = SMALL, images: int = 64, **precision: Any) -> Training:
    torch.manual_seed(config.seed)
    return Training(
        build(config.model, 10, 32, **model_settings(config)),
        config,
        Compute(torch.device("cpu"), **{"precision": "fp32", "threads": 1} | precision),
        digits.preprocessing,
        *some(digits, images),
        np.array(digits.rgb_covariance),
    )


def some(digits: PreparedSet, images: int = 64) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The first images of the training split and of the validation split, with their labels."""
    return (
        (digits.images("train")[:images], digits.labels("train")[:images]),
        (digits.images("val")[:40], digits.labels("val")[:40]),
    )


def written(events: list[Event]) -> list[dict[str, Any]]:
    return [to_record(event) for event in events if not isinstance(event, Tick)]


def test_events_come_in_order_and_survive_json(digits: PreparedSet) -> None:
    events = list(training(digits).events())
    assert isinstance(events[0], Started)
    assert events[0].steps == 12
    assert [event.step for event in events if isinstance(event, Tick)] == list(range(1, 13))
    assert [event.step for event in events if isinstance(event, EpochDone)] == [4, 8, 12]
    points = [event for event in events if isinstance(event, StepDone)]
    epochs = [event for event in events if isinstance(event, EpochDone)]
    for number, epoch in enumerate(epochs):
        of_epoch = [point.train_loss for point in points[number * 4 : number * 4 + 4]]
        assert epoch.train_loss == pytest.approx(sum(of_epoch) / 4, rel=1e-5)
    assert [from_record(record) for record in written(events)] == [e for e in events if not isinstance(e, Tick)]


def test_one_batch_can_be_learned_by_heart(digits: PreparedSet) -> None:
    plain = {"translate": 0.0, "reflect": False, "colour": 0.0, "dropout": 0.0, "batch_size": 16}
    config = dataclasses.replace(SMALL, epochs=40, **plain)  # type: ignore[arg-type]
    last = [e for e in training(digits, config, images=16).events() if isinstance(e, EpochDone)][-1]
    assert last.train_top1 == 1.0
    assert last.train_loss < 0.05


@pytest.mark.parametrize("precision", ["fp32", pytest.param("bf16", marks=pytest.mark.bf16)])
def test_the_same_seed_gives_the_same_run_and_another_one_another(digits: PreparedSet, precision: str) -> None:
    first, second = (written(list(training(digits, precision=precision).events())) for _ in range(2))
    assert first == second
    other = dataclasses.replace(SMALL, seed=1)
    assert written(list(training(digits, other, precision=precision).events())) != first


def test_the_averaged_weights_are_the_running_mean_and_what_is_examined(digits: PreparedSet) -> None:
    config = dataclasses.replace(SMALL, epochs=1, averaging=0.3)
    run = training(digits, config)
    mean, done = run.averaged.state_dict()["features.0.weight"].clone(), None  # type: ignore[union-attr]
    for event in run.events():
        if isinstance(event, Tick):
            kept = min(0.3, (1 + event.step) / (10 + event.step))
            mean = kept * mean + (1 - kept) * run.model.state_dict()["features.0.weight"]
        done = event if isinstance(event, EpochDone) else done
    assert torch.allclose(run.learned.state_dict()["features.0.weight"], mean, atol=1e-6)
    assert not torch.allclose(run.model.state_dict()["features.0.weight"], mean, atol=1e-5)
    score = evaluate(run.learned, run.val_images, run.val_labels, run.preprocessing, run.compute)
    assert done is not None
    assert done.val_loss == score.loss


def test_without_averaging_the_model_itself_is_what_is_learned(digits: PreparedSet) -> None:
    run = training(digits)
    assert run.learned is run.model


def test_whitening_takes_the_first_filters_from_the_training_pictures(digits: PreparedSet) -> None:
    whitened, plain = (training(digits, dataclasses.replace(SMALL, whiten=yes)) for yes in (True, False))
    first = [run.model.state_dict()["features.0.weight"] for run in (whitened, plain)]
    assert torch.equal(first[0][0], -first[0][1])
    assert first[0].std() > 10 * first[1].std()


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
def test_frozen_first_filters_stay_and_all_others_learn(digits: PreparedSet, optimizer: str) -> None:
    config = dataclasses.replace(SMALL, whiten=True, freeze_first=True, optimizer=optimizer, lr=0.01)
    run = training(digits, config)
    before = {name: value.clone() for name, value in run.model.named_parameters()}
    deque(run.events(), maxlen=0)
    moved = {name for name, value in run.model.named_parameters() if not torch.equal(value, before[name])}
    assert set(before) - moved == {name for name in before if name.startswith(("features.0.", "features.1."))}


def test_whitening_looks_at_pictures_of_all_classes(digits: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[torch.Tensor] = []
    monkeypatch.setattr(first_weights, "PICTURES", 4)
    monkeypatch.setattr(first_weights, "start_from_patches", lambda _, images: looked_at.append(images))
    run = training(digits, dataclasses.replace(SMALL, whiten=True))
    assert torch.equal(looked_at[0], torch.cat([run.pictures.plain(slice(row, row + 1)) for row in (0, 16, 32, 48)]))


@pytest.fixture(
    scope="module",
    params=[
        {},
        {"optimizer": "sgd", "schedule": "plateau", "rotate": 10.0, "scale": 0.1, "dropout": 0.5},
        {"batch_norm": False, "schedule": "step"},
        {"averaging": 0.9, "whiten": True, "identity": True, "bias_lr": 16.0},
        {"optimizer": "muon", "lr": 0.1, "momentum": 0.6, "whiten": True, "freeze_first": True},
        {"erase": 0.5, "balance": "sampling"},
    ],
    ids=["adamw", "sgd-plateau-warp", "no-batch-norm", "averaging", "muon", "erasing-even"],
)
def uninterrupted(
    request: pytest.FixtureRequest, digits: PreparedSet
) -> tuple[TrainConfig, list[dict[str, Any]], dict[str, torch.Tensor]]:
    """Settings, what a run of them writes that nobody leaves, and its weights at the end."""
    config = dataclasses.replace(SMALL, **request.param)
    whole = training(digits, config)
    return config, written(list(whole.events())), whole.model.state_dict()


@pytest.mark.parametrize("left_after", [1, 3, 4, 6, 11, 12])
def test_left_and_taken_up_again_equals_uninterrupted(
    digits: PreparedSet,
    uninterrupted: tuple[TrainConfig, list[dict[str, Any]], dict[str, torch.Tensor]],
    left_after: int,
) -> None:
    config, expected, weights = uninterrupted
    first = training(digits, config)
    before = list(takewhile(lambda event: event != Tick(left_after), first.events()))
    # Through a file, as in life: nothing may hang on to the old objects.
    state = torch.load(saved(first.state_dict()), weights_only=True)
    torch.manual_seed(12345)
    second = training(digits, config)
    second.load_state_dict(state)
    after = list(second.events())
    assert written(before) + written(after) == expected
    for name, value in weights.items():
        assert torch.equal(value, second.model.state_dict()[name]), name


@pytest.mark.parametrize("examination", [1, 3])
def test_left_while_it_is_examined_and_taken_up_again_equals_uninterrupted(
    digits: PreparedSet,
    uninterrupted: tuple[TrainConfig, list[dict[str, Any]], dict[str, torch.Tensor]],
    examination: int,
) -> None:
    config, expected, weights = uninterrupted
    first, before, examined = training(digits, config), [], 0

    def between() -> None:
        nonlocal examined
        examined += 1
        if examined == examination:  # the validation pictures of an epoch are one batch
            raise InterruptedError

    with pytest.raises(InterruptedError):
        before.extend(first.events(between))
    assert not isinstance(before[-1], EpochDone)
    state = torch.load(saved(first.state_dict()), weights_only=True)
    second = training(digits, config)
    second.load_state_dict(state)
    assert written(before) + written(list(second.events())) == expected
    for name, value in weights.items():
        assert torch.equal(value, second.model.state_dict()[name]), name


def test_what_another_version_let_learn_together_is_refused_in_a_sentence(digits: PreparedSet) -> None:
    config = dataclasses.replace(SMALL, optimizer="muon")
    state = training(digits, config).state_dict()
    others, _, turned = state["optimizer"]["param_groups"]
    turned["params"].append(others["params"].pop())
    with pytest.raises(ExplorerError, match="another version"):
        training(digits, config).load_state_dict(state)


def saved(state: dict[str, Any]) -> Any:
    buffer = BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return buffer


def test_a_loss_that_is_not_a_number_ends_the_run_with_advice(digits: PreparedSet) -> None:
    config = dataclasses.replace(SMALL, optimizer="sgd", lr=100.0, batch_norm=False, schedule="constant")
    with pytest.raises(ExplorerError, match="learning rate of 10 instead of 100"):
        list(training(digits, config).events())


def test_a_single_picture_is_refused_where_a_normalisation_would_see_one_value(digits: PreparedSet) -> None:
    config = dataclasses.replace(SMALL, model="resnet18", batch_size=1)
    with pytest.raises(ExplorerError, match="at least 2") as refused:
        training(digits, config, images=4)
    assert refused.value.remedy == ("batch_size", 2)
    two = dataclasses.replace(config, batch_size=2, epochs=1)
    *_, last = training(digits, two, images=4).events()
    assert isinstance(last, Tick)
    resting = dataclasses.replace(
        config, learn="head", start_from="elsewhere"
    )  # normalisations that do not learn count nothing
    assert training(digits, resting, images=4).resting


def test_the_plateau_schedule_divides_when_the_validation_stalls(digits: PreparedSet) -> None:
    class Deaf(nn.Module):
        """Learns nothing: its validation loss never changes."""

        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.zeros(1, 1))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.scale.detach() * self.scale + torch.zeros(len(images), 10)

    config = dataclasses.replace(SMALL, schedule="plateau", optimizer="sgd", lr=0.1, epochs=16, weight_decay=0.0)
    run = training(digits, config)
    run = Training(
        Deaf(), config, run.compute, digits.preprocessing,
        *some(digits), np.eye(3),
    )  # fmt: skip
    rates = [event.lr for event in run.events() if isinstance(event, EpochDone)]
    # The first epoch is the best; after three stalled ones the next is slower, three times in all.
    assert rates == pytest.approx([0.1] * 4 + [0.01] * 3 + [0.001] * 3 + [0.0001] * 6)


def test_muon_turns_the_hidden_convolutions_and_leaves_the_rest_to_sgd(digits: PreparedSet) -> None:
    run = training(digits, dataclasses.replace(SMALL, optimizer="muon", lr=0.1, momentum=0.6, epochs=15, dropout=0.0))
    *plain, turned = run.optimizer.param_groups
    assert (
        [weight.shape for weight in turned["params"]]
        == [
            layer.weight.shape
            for layer in run.model.features
            if isinstance(layer, nn.Conv2d)  # type: ignore[union-attr]
        ][1:]
    )
    count = sum(len(group["params"]) for group in (*plain, turned))
    assert count == len(list(run.model.parameters()))
    lengths = [float(weight.detach().norm()) for weight in turned["params"]]
    epochs = [event for event in run.events() if isinstance(event, EpochDone)]
    assert epochs[-1].train_loss < 0.5 * epochs[0].train_loss
    assert [float(weight.detach().norm()) for weight in turned["params"]] == pytest.approx(lengths, rel=1e-3)


def test_shuffled_labels_keep_their_counts_and_lose_their_pictures(digits: PreparedSet) -> None:
    plain, shuffled = (
        training(digits, dataclasses.replace(SMALL, shuffle_labels=yes)).batches.labels for yes in (False, True)
    )
    assert torch.equal(plain.bincount(), shuffled.bincount())
    assert (plain == shuffled).float().mean() < 0.5
    again = training(digits, dataclasses.replace(SMALL, shuffle_labels=True)).batches.labels
    assert torch.equal(again, shuffled)


def test_weighted_classes_count_alike_and_without_weights_nothing_changes(digits: PreparedSet) -> None:
    def loss_of_the_first_step(labels: np.ndarray, balance: str) -> float:
        torch.manual_seed(0)
        config = dataclasses.replace(SMALL, balance=balance, batch_size=64, epochs=1)
        images = digits.images("train")[:64]
        run = Training(
            build("alexnet_mini", 10, 32),
            config,
            Compute(torch.device("cpu"), precision="fp32", threads=1),
            digits.preprocessing,
            (images, labels),
            some(digits)[1],
            np.array(digits.rgb_covariance),
        )
        return next(event.train_loss for event in run.events() if isinstance(event, EpochDone))

    even, uneven = np.arange(64) % 2, (np.arange(64) % 16 == 0).astype(np.int64)
    assert loss_of_the_first_step(even, "loss") == pytest.approx(loss_of_the_first_step(even, "none"), rel=1e-5)
    assert loss_of_the_first_step(uneven, "loss") != pytest.approx(loss_of_the_first_step(uneven, "none"), rel=1e-5)


def test_a_long_run_has_a_curve_of_limited_length(digits: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alexnet_core.training.loop.CURVE_POINTS", 5)
    points = [event for event in training(digits).events() if isinstance(event, StepDone)]
    assert [point.step for point in points] == [3, 6, 9, 12]


@pytest.mark.gpu
def test_a_gpu_learns_too(digits: PreparedSet) -> None:
    run = training(digits)
    cuda = Training(
        run.model, SMALL, Compute(torch.device("cuda"), "bf16", 1), digits.preprocessing,
        *some(digits), np.array(digits.rgb_covariance),
    )  # fmt: skip
    events = [event for event in cuda.events() if isinstance(event, EpochDone)]
    assert events[-1].train_loss < events[0].train_loss


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "sgd", "lr": 0.02, "averaging": 0.9},
        {"optimizer": "muon", "lr": 0.1, "momentum": 0.6},
    ],
    ids=["adamw", "sgd-averaging", "muon"],
)
def test_on_a_gpu_a_run_left_and_taken_up_again_equals_an_uninterrupted_one(
    digits: PreparedSet, precision: str, changes: dict[str, Any]
) -> None:
    config = dataclasses.replace(SMALL, **changes)

    def made() -> Training:
        torch.manual_seed(config.seed)
        return Training(
            build(config.model, 10, 32, dropout=config.dropout), config, choose("cuda", precision, 1),
            digits.preprocessing, *some(digits), np.array(digits.rgb_covariance),
        )  # fmt: skip

    whole, first, second = made(), made(), made()
    expected = written(list(whole.events()))
    before = list(takewhile(lambda event: event != Tick(5), first.events()))
    second.load_state_dict(torch.load(saved(first.state_dict()), map_location="cpu", weights_only=True))
    assert written(before) + written(list(second.events())) == expected
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("precision", "changes"),
    [
        ("fp32", {}),
        ("bf16", {}),
        ("bf16", {"optimizer": "sgd", "lr": 0.02, "averaging": 0.9, "erase": 0.5}),
        ("bf16", {"optimizer": "muon", "lr": 0.1, "momentum": 0.6, "rotate": 5.0}),
        ("fp16", {}),
        ("fp16", {"optimizer": "sgd", "lr": 0.02}),
    ],
    ids=["fp32-adamw", "bf16-adamw", "bf16-sgd-averaging", "bf16-muon", "fp16-adamw", "fp16-sgd"],
)
def test_no_step_waits_for_a_gpu(digits: PreparedSet, precision: str, changes: dict[str, Any]) -> None:
    config = dataclasses.replace(SMALL, **changes)
    compute = choose("cuda", precision, 1)
    (images, labels), val = some(digits)
    run = Training(
        build(config.model, 10, 32, dropout=config.dropout), config, compute, digits.preprocessing,
        (keep(images, compute.device), labels), val, np.array(digits.rgb_covariance),
    )  # fmt: skip
    batches = run.batches.epoch(1)
    try:
        for step in range(4):
            if step == 2:  # the first ones ask for memory, and load what computes them
                torch.cuda.set_sync_debug_mode("error")
            run._learn(*next(batches), config.lr)
            run.step += 1
            run._average()
    finally:
        torch.cuda.set_sync_debug_mode("default")
