import weakref

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, top_k_accuracy_score
from torch import nn

from alexnet_core.devices import Compute
from alexnet_core.preprocess import Preprocessing
from alexnet_core.training.evaluate import evaluate

CPU = Compute(torch.device("cpu"), "fp32", 1)
PLAIN = Preprocessing(8, 8)


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_scores_equal_scikit_learns_however_the_batches_are_cut(batch_size: int) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (50, 8, 8, 3), dtype=np.uint8)
    labels = np.concatenate([np.arange(9), random.integers(0, 9, 41)])
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(192, 9)).train()
    score = evaluate(model, images, labels, PLAIN, CPU, batch_size)
    with torch.no_grad():
        p = model.eval()(PLAIN.normalise(torch.from_numpy(images))).double().softmax(1).numpy()
    assert score.loss == pytest.approx(log_loss(labels, p), rel=1e-5)
    assert score.top1 == pytest.approx(top_k_accuracy_score(labels, p, k=1))
    assert score.top5 == pytest.approx(top_k_accuracy_score(labels, p, k=5))
    np.testing.assert_array_equal(score.predictions, p.argmax(1))
    np.testing.assert_allclose(score.probabilities, p.max(1), rtol=1e-4)


def test_the_models_mode_is_restored() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    images, labels = np.zeros((4, 8, 8, 3), np.uint8), np.array([0, 1, 2, 0])
    for mode in (True, False):
        evaluate(model.train(mode), images, labels, PLAIN, CPU)
        assert model.training is mode


def test_with_few_classes_the_true_one_is_always_among_five() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    assert evaluate(model, np.zeros((4, 8, 8, 3), np.uint8), np.array([0, 1, 2, 0]), PLAIN, CPU).top5 == 1.0


def probabilities(images: np.ndarray, model: nn.Module) -> np.ndarray:
    with torch.no_grad():
        return model.eval()(PLAIN.normalise(torch.from_numpy(np.ascontiguousarray(images)))).double().softmax(1).numpy()


def test_several_views_are_the_mean_of_their_probabilities() -> None:
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (20, 8, 8, 3), dtype=np.uint8), random.integers(0, 4, 20)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 4))
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    middle_and_corners = [padded[:, top : top + 8, left : left + 8] for top, left in
                          ((1, 1), (0, 0), (0, 2), (2, 0), (2, 2))]  # fmt: skip
    shown = {"one": [images], "mirrored": [images, images[:, :, ::-1]]}
    shown["ten"] = middle_and_corners + [view[:, :, ::-1] for view in middle_and_corners]
    for views, of in shown.items():
        mean = np.mean([probabilities(view, model) for view in of], axis=0)
        score = evaluate(model, images, labels, PLAIN, CPU, views=views)
        np.testing.assert_array_equal(score.predictions, mean.argmax(1))
        np.testing.assert_allclose(score.probabilities, mean.max(1), rtol=1e-4)
        assert score.loss == pytest.approx(log_loss(labels, mean), rel=1e-4)


class Noting(nn.Module):
    """A network that notes how many pictures it is shown together, and how many views of them are kept meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[int] = []
        self.views: list[weakref.ref[torch.Tensor]] = []
        self.most = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.shown.append(len(images))
        self.views = [view for view in self.views if view() is not None] + [weakref.ref(images)]
        self.most = max(self.most, len(self.views))
        return images.mean((2, 3))


def test_large_pictures_are_looked_at_in_small_numbers_and_one_view_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alexnet_core.training.evaluate.PIXELS_AT_ONCE", 7 * 8 * 8)
    model = Noting()
    evaluate(model, np.zeros((20, 8, 8, 3), np.uint8), np.zeros(20, np.int64), PLAIN, CPU, views="ten")
    assert model.shown == [7] * 20 + [6] * 10
    assert model.most == 1
