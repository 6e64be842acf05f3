import dataclasses

import numpy as np
import pytest
import torch

from alexnet_core.data.augment import Augmentation, Chance, augment, colour_axes, draw, mix, order
from alexnet_core.preprocess import Preprocessing

PLAIN = Preprocessing(16, 16, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randint(0, 256, (12, 16, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def chance(count: int, **columns: float) -> Chance:
    """No change in the middle of each range, but for the named columns."""
    uniform = torch.full((count, 5), 0.5)
    for name, value in columns.items():
        uniform[:, ("horizontal", "vertical", "reflection", "rotation", "scale").index(name)] = value
    return Chance(uniform, torch.zeros(count, 3))


ALL = Augmentation(translate=0.2, reflect=True, colour=0.3, rotate=20, scale=0.2, erase=0.6)
USUAL = Augmentation(translate=0.2, reflect=True, colour=0.3)


@pytest.mark.parametrize("augmentation", [ALL, USUAL])
def test_a_picture_depends_on_seed_epoch_and_index_alone(images: torch.Tensor, augmentation: Augmentation) -> None:
    axes = colour_axes(torch.eye(3) * 0.05)
    whole = draw(7, 3, len(images))
    together = augment(images, whole, augmentation, PLAIN, axes)
    for index in torch.tensor([[4, 9], [11, 0], [4, 4]]):
        alone = augment(images[index], whole.rows(index), augmentation, PLAIN, axes)
        torch.testing.assert_close(alone, together[index], rtol=0, atol=1e-6)


def test_chance_differs_between_seeds_and_epochs() -> None:
    tables = [draw(seed, epoch, 5).uniform for seed, epoch in [(0, 1), (0, 2), (1, 1), (1, 2)]]
    assert len({tuple(table.flatten().tolist()) for table in tables}) == 4
    assert torch.equal(draw(0, 1, 5).uniform, tables[0])
    assert mix(1, 2) != mix(2, 1)


def test_each_picture_is_mirrored_in_every_second_epoch() -> None:
    mirrored = torch.stack([draw(3, epoch, 1000).uniform[:, 2] < 0.5 for epoch in range(1, 5)])
    assert torch.equal(mirrored[0], ~mirrored[1])
    assert torch.equal(mirrored[::2], mirrored[:1].expand(2, -1))
    assert 450 < mirrored[0].sum() < 550
    assert not torch.equal(mirrored[0], draw(4, 1, 1000).uniform[:, 2] < 0.5)


def test_order_is_a_permutation_that_changes_with_the_epoch() -> None:
    first, second = order(0, 1, 100), order(0, 2, 100)
    assert sorted(first.tolist()) == list(range(100))
    assert not torch.equal(first, second)


def test_nothing_asked_for_is_nothing_done(images: torch.Tensor) -> None:
    torch.testing.assert_close(augment(images, draw(0, 1, 12), Augmentation(), PLAIN), PLAIN.normalise(images))


def test_reflection_mirrors_left_and_right(images: torch.Tensor) -> None:
    mirrored = augment(images, chance(12, reflection=0.0), Augmentation(reflect=True), PLAIN)
    torch.testing.assert_close(mirrored, PLAIN.normalise(images).flip(3))
    kept = augment(images, chance(12, reflection=0.9), Augmentation(reflect=True), PLAIN)
    torch.testing.assert_close(kept, PLAIN.normalise(images))


def test_translation_shifts_by_at_most_its_share_and_reflects_the_border(images: torch.Tensor) -> None:
    shifted = augment(images, chance(12, horizontal=0.0, vertical=0.999), Augmentation(translate=0.25), PLAIN)
    original = PLAIN.normalise(images)
    torch.testing.assert_close(shifted[:, :, :12, 4:], original[:, :, 4:, :12])
    torch.testing.assert_close(shifted[:, :, :12, :4], original[:, :, 4:, 1:5].flip(3))


def test_a_warp_of_nothing_is_the_picture_and_a_quarter_turn_turns(images: torch.Tensor) -> None:
    original = PLAIN.normalise(images)
    still = augment(images, chance(12), Augmentation(rotate=90, scale=0.3), PLAIN)
    torch.testing.assert_close(still, original, rtol=0, atol=1e-5)
    turned = augment(images, chance(12, rotation=1.0), Augmentation(rotate=90), PLAIN)
    assert any(torch.allclose(turned, torch.rot90(original, k, (2, 3)), atol=1e-4) for k in (1, 3))


def test_scale_enlarges_about_the_middle() -> None:
    dot = torch.zeros(1, 16, 16, 3, dtype=torch.uint8)
    dot[:, 4:12, 4:12] = 255
    larger = augment(dot, chance(1, scale=1.0), Augmentation(scale=0.5), PLAIN)
    smaller = augment(dot, chance(1, scale=0.0), Augmentation(scale=0.5), PLAIN)
    assert larger.sum() == pytest.approx(float(PLAIN.normalise(dot).sum()) * 1.5**2, rel=0.1)
    assert smaller.sum() == pytest.approx(float(PLAIN.normalise(dot).sum()) / 1.5**2, rel=0.1)


def test_colour_axes_are_the_principal_components() -> None:
    covariance = torch.tensor([[0.06, 0.05, 0.04], [0.05, 0.06, 0.05], [0.04, 0.05, 0.06]])
    axes = colour_axes(covariance)
    torch.testing.assert_close(axes.T @ axes, covariance, rtol=1e-4, atol=1e-6)


def test_colour_moves_all_pixels_of_a_picture_alike(images: torch.Tensor) -> None:
    moved = Chance(torch.full((12, 5), 0.5), torch.randn(12, 3, generator=torch.Generator().manual_seed(2)))
    difference = augment(images, moved, Augmentation(colour=0.5), PLAIN, colour_axes(torch.eye(3) * 0.04))
    difference = difference - PLAIN.normalise(images)
    assert difference.std((2, 3)).max() < 1e-6
    np.testing.assert_allclose(difference.mean((2, 3)).norm(dim=1), 0.5 * 0.2 * moved.normal.norm(dim=1), rtol=1e-4)


def test_erasing_covers_rectangles_of_the_agreed_sizes_in_the_agreed_share_of_the_pictures() -> None:
    images = torch.full((2_000, 40, 40, 3), 255, dtype=torch.uint8)
    erased = augment(images, draw(3, 1, len(images)), Augmentation(erase=0.25), PLAIN)
    covered = (erased == 0).all(1)  # (B, S, S)
    touched = covered.any(2).any(1)
    assert touched.float().mean().item() == pytest.approx(0.25, abs=0.03)
    rows, columns = covered.any(2).sum(1), covered.any(1).sum(1)
    assert torch.equal(rows * columns, covered.sum((1, 2)))  # whole rectangles
    shares = (rows * columns)[touched] / 1600
    assert 0.01 < shares.min().item() < 0.05
    assert 0.3 < shares.max().item() < 0.45
    assert torch.equal(erased[~touched], PLAIN.normalise(images)[~touched])


def test_erasing_changes_no_other_chance(images: torch.Tensor) -> None:
    axes = colour_axes(torch.eye(3) * 0.05)
    before = augment(images, draw(7, 3, 12), USUAL, PLAIN, axes)
    after = augment(images, draw(7, 3, 12), dataclasses.replace(USUAL, erase=0.5), PLAIN, axes)
    assert torch.equal(before[after != 0], after[after != 0])
    assert (after == 0).any()
