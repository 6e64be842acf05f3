"""The one way from prepared pictures to what a step learns from: whole batches, changed on the device that trains.

Pictures are read once and kept on the device where they fit. Where they do not, they stay on disk and a thread gathers
the next batches while the device computes. Both give the same bits: which pictures make a batch, and what happens to
them, depends on (seed, epoch, index) alone.
"""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import numpy as np
import psutil
import torch

from alexnet_core.data.ahead import made_ahead
from alexnet_core.data.augment import Augmentation, augment, draw, normalised, order
from alexnet_core.data.balance import even_order
from alexnet_core.data.shards import ImageRows
from alexnet_core.distributed import ALONE, World
from alexnet_core.preprocess import Preprocessing

KEPT_SHARE = {"cuda": 0.5, "cpu": 0.25, "mps": 0.25}
"""Of the memory that is free, the part that pictures may take. A processor shares its memory with other programs, and
what it reads from disk again and again the system keeps in memory anyway."""
READ_AT_ONCE = 64 * 2**20
"""Bytes on their way from the disk to the device while pictures are read."""
AHEAD = 3
"""Batches gathered, and copied to a GPU, before they are asked for."""


Images = torch.Tensor | ImageRows
"""Pictures kept on the device, or on disk."""


def keep(images: Images, device: torch.device, processes: int = 1) -> Images:
    """`images` as one tensor on `device` when they fit into their share of its free memory, else as they are.

    `processes` is how many on this machine ask for the same.
    """
    if isinstance(images, torch.Tensor):
        return images.to(device)
    row = int(np.prod(images.shape[1:]))
    # Every process has a GPU of its own; the memory of the machine they share.
    share = KEPT_SHARE[device.type] / (1 if device.type == "cuda" else processes)
    if len(images) * row > free_memory(device) * share:
        return images
    kept = torch.empty(images.shape, dtype=torch.uint8, device=device)
    some = max(1, READ_AT_ONCE // row)
    for first in range(0, len(images), some):
        kept[first : first + some] = torch.from_numpy(np.array(images[first : first + some]))
    return kept


def free_memory(device: torch.device) -> int:
    """Bytes that a program can still have on `device`."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def pieces(images: Images, rows: Iterable[slice | torch.Tensor], device: torch.device) -> Generator[torch.Tensor]:
    """The pictures of each of `rows`, uint8 on `device`; index tensors lie where the pictures lie.

    From disk they are gathered, and copied to a GPU, up to `AHEAD` pieces ahead, and no further, in a thread that ends
    with the generator. An error in that thread is raised here.
    """
    if isinstance(images, torch.Tensor):
        yield from (images[some] for some in rows)
        return
    # A stream of its own: in the one that computes, a copy would wait for the steps before it.
    stream = torch.cuda.Stream(device) if device.type == "cuda" else None
    with closing(made_ahead(rows, partial(_gathered, images, stream), _thread(device), AHEAD)) as gathered:
        for batch, copied in gathered:
            if copied is None:
                yield batch.to(device)
                continue
            computing = torch.cuda.current_stream(device)
            computing.wait_event(copied)  # the GPU waits, and this thread does not
            batch.record_stream(computing)  # its memory is not given to another batch before it was computed with
            yield batch


def _thread(device: torch.device) -> ThreadPoolExecutor:
    if device.type != "cuda":
        return ThreadPoolExecutor(1, "copy-ahead")
    # A new thread would turn to the first GPU, which may be another process's.
    return ThreadPoolExecutor(1, "copy-ahead", torch.cuda.set_device, (torch.cuda.current_device(),))


def _gathered(
    images: ImageRows, stream: torch.cuda.Stream | None, rows: slice | torch.Tensor
) -> tuple[torch.Tensor, torch.cuda.Event | None]:
    """The pictures, with a `stream` on its GPU, and what tells there that they have arrived."""
    found = images[rows] if isinstance(rows, slice) else images[rows.numpy()]
    batch = torch.from_numpy(np.array(found) if isinstance(rows, slice) else found)
    if stream is None:
        return batch, None
    with torch.cuda.stream(stream):
        # From pinned memory a GPU copies by itself, without anybody waiting.
        return batch.pin_memory().to(stream.device, non_blocking=True), stream.record_event()


class Batches:
    """The training pictures and their labels, epoch after epoch in another order, changed by chance."""

    def __init__(
        self,
        images: Images,
        labels: np.ndarray,
        *,
        seed: int,
        batch_size: int,
        augmentation: Augmentation,
        preprocessing: Preprocessing,
        axes: torch.Tensor,
        device: torch.device,
        world: World = ALONE,
        even: bool = False,
    ) -> None:
        """`images` as `keep` returns them; `axes` are `colour_axes`; `batch_size` is that of the whole `world`. With
        `even` all classes come equally often, however many pictures they have."""
        self.classes = np.array(labels) if even else None
        self.images, self.labels = images, torch.from_numpy(labels).to(device)
        self.seed, self.batch_size, self.device = seed, min(batch_size, len(images)), device
        self.share = world.share(self.batch_size)
        self.augmentation, self.preprocessing, self.axes = augmentation, preprocessing, axes.to(device)

    def __len__(self) -> int:
        """Pictures."""
        return len(self.images)

    def plain(self, rows: slice | torch.Tensor) -> torch.Tensor:
        """These pictures unchanged, normalised: (N, 3, S, S)."""
        with closing(pieces(self.images, [rows], self.device)) as found:
            return normalised(next(found), self.preprocessing)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Changed pictures (B, 3, S, S) and labels (B,) of an epoch (counted from 1), from batch number `first` on: the
        rows of each batch that are this process's share. What is left over at the end, fewer than a batch, is not
        shown."""
        count = len(self)
        places = order(self.seed, epoch, count) if self.classes is None else even_order(self.seed, epoch, self.classes)
        # Once an epoch to the device, so that no step has to wait for a copy.
        there = places.to(self.device)
        chance = draw(self.seed, epoch, count).to(self.device)
        cuts = [
            slice(number * self.batch_size + self.share.start, number * self.batch_size + self.share.stop)
            for number in range(first, count // self.batch_size)
        ]
        index = there if isinstance(self.images, torch.Tensor) else places
        with closing(pieces(self.images, (index[cut] for cut in cuts), self.device)) as found:
            for cut, images in zip(cuts, found, strict=True):
                rows = there[cut]
                # A picture that comes twice in an epoch is changed in two ways: by its place, not by its number.
                chosen = chance.rows(rows if self.classes is None else cut)
                changed = augment(images, chosen, self.augmentation, self.preprocessing, self.axes)
                yield changed, self.labels[rows]
