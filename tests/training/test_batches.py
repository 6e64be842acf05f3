import threading
import time
from typing import Any

import numpy as np
import pytest
import torch

from alexnet_core.data.augment import Augmentation, colour_axes
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.training import batches
from alexnet_core.training.batches import Batches, Images, keep, pieces

CPU = torch.device("cpu")
ALL = Augmentation(translate=0.2, reflect=True, colour=0.3, rotate=20, scale=0.2)
USUAL = Augmentation(translate=0.2, reflect=True, colour=0.3)


def made(digits: PreparedSet, images: Images, augmentation: Augmentation = USUAL, **changes: Any) -> Batches:
    settings: dict[str, Any] = {"seed": 3, "batch_size": 16, "device": CPU} | changes
    return Batches(
        images,
        digits.labels("train")[: len(images)],
        augmentation=augmentation,
        preprocessing=digits.preprocessing,
        axes=colour_axes(torch.tensor(digits.rgb_covariance)),
        **settings,
    )


class Shards:
    """Pictures in several files look like this: what an array can do, and no more."""

    def __init__(self, images: np.ndarray, *, ends_after: int = 1000) -> None:
        self.images, self.shape, self.asked, self.ends_after = images, images.shape, 0, ends_after

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        self.asked += 1
        if self.asked > self.ends_after:
            raise OSError(5, "Input/output error")
        return self.images[rows]


@pytest.mark.parametrize("augmentation", [USUAL, ALL], ids=["whole pixels", "turned"])
def test_kept_and_copied_ahead_are_equal_to_the_bit(digits: PreparedSet, augmentation: Augmentation) -> None:
    images = digits.images("train")[:100]
    kept = keep(images, CPU)
    assert isinstance(kept, torch.Tensor)
    here = list(made(digits, kept, augmentation).epoch(2))
    for there in (images, Shards(images)):
        ahead = list(made(digits, there, augmentation).epoch(2))
        assert len(here) == len(ahead) == 6
        for one, other in zip(here, ahead, strict=True):
            assert torch.equal(one[0], other[0])
            assert torch.equal(one[1], other[1])


def test_an_epoch_shows_each_picture_once_with_its_label(digits: PreparedSet) -> None:
    plain = made(digits, digits.images("train")[:64], Augmentation())
    whole = digits.preprocessing.normalise(torch.from_numpy(digits.images("train")[:64].copy()))
    seen = []
    for images, labels in plain.epoch(1):
        for image, label in zip(images, labels, strict=True):
            row = int((whole - image).abs().flatten(1).amax(1).argmin())
            torch.testing.assert_close(image, whole[row])
            assert label == digits.labels("train")[row]
            seen.append(row)
    assert len(set(seen)) == 64


def test_an_even_epoch_shows_classes_equally_often_and_a_repeated_picture_in_two_ways(digits: PreparedSet) -> None:
    few = np.array([0] * 60 + [1] * 4)  # so that these four come eight times each
    batches = Batches(
        digits.images("train")[:64],
        few,
        seed=3,
        batch_size=16,
        augmentation=USUAL,
        preprocessing=digits.preprocessing,
        axes=colour_axes(torch.tensor(digits.rgb_covariance)),
        device=CPU,
        even=True,
    )
    shown = list(batches.epoch(1))
    labels = torch.cat([labels for _, labels in shown])
    assert labels.bincount().tolist() == [32, 32]
    rare = torch.cat([images for images, _ in shown])[labels == 1].flatten(1)
    assert len(rare.unique(dim=0)) > 20  # of four pictures


def test_an_epoch_can_begin_in_the_middle(digits: PreparedSet) -> None:
    some = made(digits, digits.images("train")[:64])
    assert torch.equal(list(some.epoch(3))[2][0], next(some.epoch(3, first=2))[0])
    assert not torch.equal(next(some.epoch(3))[0], next(some.epoch(4))[0])


def test_only_what_fits_is_kept(digits: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    images = digits.images("train")[:]
    need = images.nbytes / batches.KEPT_SHARE["cpu"]
    monkeypatch.setattr(batches, "free_memory", lambda device: need + 4)
    kept = keep(images, CPU)
    assert isinstance(kept, torch.Tensor)
    assert torch.equal(kept, torch.from_numpy(images.copy()))
    assert keep(images, CPU, processes=2) is images
    monkeypatch.setattr(batches, "free_memory", lambda device: need - 4)
    assert keep(images, CPU) is images


def test_pictures_are_read_in_small_portions(digits: PreparedSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "READ_AT_ONCE", 10 * 32 * 32 * 3)
    images = Shards(digits.images("train")[:64])
    kept = keep(images, CPU)
    assert images.asked == 7
    assert torch.equal(torch.as_tensor(kept), torch.from_numpy(images.images.copy()))


def test_only_a_few_batches_are_gathered_ahead(digits: PreparedSet) -> None:
    images = Shards(digits.images("train")[:320])
    running = made(digits, images).epoch(1)
    next(running)
    end = time.monotonic() + 10
    while images.asked < batches.AHEAD + 1 and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.05)
    assert images.asked == batches.AHEAD + 1
    running.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("copy-ahead")]


def test_an_error_of_the_thread_reaches_the_loop_and_ends_it(digits: PreparedSet) -> None:
    images = Shards(digits.images("train")[:320], ends_after=5)
    running = made(digits, images).epoch(1)
    with pytest.raises(OSError, match="Input/output error"):
        list(running)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("copy-ahead")]


def test_pieces_may_be_ranges(digits: PreparedSet) -> None:
    images = digits.images("val")[:10]
    for source in (images, keep(images, CPU)):
        found = list(pieces(source, [slice(0, 7), slice(7, 10)], CPU))
        assert torch.equal(torch.cat(found), torch.from_numpy(images.copy()))


@pytest.mark.gpu
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "copied ahead"])
def test_a_gpu_gets_the_same_batches_as_a_processor(digits: PreparedSet, kept: bool) -> None:
    cuda = torch.device("cuda")
    images = digits.images("train")[:320]
    there = list(made(digits, keep(images, cuda) if kept else images, device=cuda).epoch(1))
    for one, other in zip(made(digits, images).epoch(1), there, strict=True):
        assert other[0].device.type == "cuda"
        assert torch.equal(one[0], other[0].cpu())
        assert torch.equal(one[1], other[1].cpu())
