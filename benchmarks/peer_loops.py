"""How others train the same network: one peer, one measurement, in a process of its own; prints one JSON line.

`python -m benchmarks.peer_loops torchvision --data FOLDER ...`; benchmarks.peers starts these in turns. Every peer gets
the network from the same constructor with the same first weights, channels last, its optimizer of habit, and one-cycle.
Pictures lie as files in FOLDER/<split>/<class>, and each peer reads them in the way its own documentation shows.

Measured are images a second or, with --epochs, a whole training: it looks at the split val after each epoch, as this
program does, and takes the test once, after the clock has stopped.
"""

import argparse
import json
import time
from contextlib import AbstractContextManager, nullcontext
from itertools import repeat
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from alexnet_core.models import build

MEAN, STD = (0.491, 0.482, 0.447), (0.247, 0.243, 0.261)
WARM_UP = 10
"""Steps that are not counted: workers start, kernels are chosen."""


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--network", default="alexnet_mini")
    parser.add_argument("--network-settings", type=json.loads, default={}, help="JSON for the constructor")
    parser.add_argument("--classes", type=int, default=0, help="of the network; 0 takes as many as the pictures have")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--threads", type=int, default=0, help="0 leaves PyTorch's own choice")
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--steps", type=int, default=40, help="counted steps")
    parser.add_argument("--epochs", type=int, default=0, help="train this long, and take the test")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    torch.manual_seed(asked.seed)
    print(json.dumps(PEERS[asked.peer](asked)))


def device() -> torch.device:
    """A CUDA GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def network(asked: argparse.Namespace, classes: int) -> nn.Module:
    """The same network that the program trains, for so many classes unless other ones are asked for."""
    model = build(asked.network, asked.classes or classes, asked.size, **asked.network_settings)
    return model.to(device(), memory_format=torch.channels_last)


def loader(asked: argparse.Namespace, split: str) -> DataLoader[Any]:
    """Batches of a split, from as many workers as asked for, as in torchvision's references: decoded by Pillow; those
    to learn from are shuffled and changed one by one."""
    learning = split == "train"
    if not learning:
        changes = [transforms.Resize(asked.size), transforms.CenterCrop(asked.size)]
    elif asked.size <= 64:
        changes = [transforms.RandomCrop(asked.size, padding=asked.size // 8), transforms.RandomHorizontalFlip()]
    else:
        changes = [transforms.RandomResizedCrop(asked.size), transforms.RandomHorizontalFlip()]
    changes += [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    return DataLoader(
        ImageFolder(str(asked.data / split), transforms.Compose(changes)),
        asked.batch,
        shuffle=learning,
        drop_last=learning,
        num_workers=asked.workers,
        pin_memory=torch.cuda.is_available(),
        persistent_workers=asked.workers > 0,
    )


def sgd(asked: argparse.Namespace, model: nn.Module, steps_per_epoch: int) -> tuple[torch.optim.Optimizer, Any]:
    """SGD with momentum and one cycle of the learning rate."""
    optimizer = torch.optim.SGD(model.parameters(), lr=asked.lr, momentum=0.9, weight_decay=5e-4)
    steps = asked.epochs * steps_per_epoch or WARM_UP + asked.steps
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, asked.lr, total_steps=steps)


class Pace:
    """Images a second of the steps after the warm-up."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.batch, self.steps, self.done, self.start, self.seconds = asked.batch, asked.steps, 0, 0.0, 0.0

    def step(self) -> bool:
        """Called after each step; whether it was the last to be counted."""
        self.done += 1
        if self.done == WARM_UP or self.done == WARM_UP + self.steps:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            now = time.perf_counter()
            self.start, self.seconds = (now, 0.0) if self.done == WARM_UP else (self.start, now - self.start)
        return self.done >= WARM_UP + self.steps

    def result(self) -> dict[str, float]:
        """What was measured."""
        return {"images_per_s": self.steps * self.batch / self.seconds}


def trained(began: float, ready: float, ended: float, test_top1: float) -> dict[str, float]:
    """What is told of a whole training, from three moments."""
    return {"training_seconds": ended - ready, "setup_seconds": ready - began, "test_top1": test_top1}


def torchvision_loop(asked: argparse.Namespace) -> dict[str, float]:
    """torchvision's references: ImageFolder, DataLoader, a plain loop."""
    began = time.perf_counter()
    batches, val, pace = loader(asked, "train"), loader(asked, "val") if asked.epochs else None, Pace(asked)
    model = network(asked, len(batches.dataset.classes))
    optimizer, schedule = sgd(asked, model, len(batches))
    ready = time.perf_counter()
    for _ in range(asked.epochs) if asked.epochs else repeat(None):
        model.train()
        for images, labels in map(_placed, batches):
            with _autocast(asked):
                loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if not asked.epochs and pace.step():
                return pace.result()
        if val is not None:
            right(asked, model, val)
    ended = time.perf_counter()
    return trained(began, ready, ended, right(asked, model, loader(asked, "test")))


@torch.inference_mode()
def right(asked: argparse.Namespace, model: nn.Module, batches: DataLoader[Any]) -> float:
    """The share of the pictures that the network has right."""
    model.eval()
    hits = 0
    for images, labels in map(_placed, batches):
        with _autocast(asked):
            hits += int((model(images).argmax(1) == labels).sum())
    return hits / len(batches.dataset)


def _placed(batch: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = (part.to(device(), non_blocking=True) for part in batch)
    return images.contiguous(memory_format=torch.channels_last), labels


def _autocast(asked: argparse.Namespace) -> AbstractContextManager[object]:
    return torch.autocast(device().type, dtype=torch.bfloat16) if asked.bf16 else nullcontext()


def lightning_loop(asked: argparse.Namespace) -> dict[str, float]:
    """Lightning's Trainer over the same pictures, with everything off that one can do without."""
    import lightning

    began = time.perf_counter()
    batches, pace = loader(asked, "train"), Pace(asked)

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = network(asked, len(batches.dataset.classes))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.network(images.contiguous(memory_format=torch.channels_last))

        def training_step(self, batch: Any, number: int) -> torch.Tensor:
            images, labels = batch
            return F.cross_entropy(self(images), labels)

        def on_train_batch_end(self, outputs: Any, batch: Any, number: int) -> None:
            pace.step()

        def validation_step(self, batch: Any, number: int) -> None:
            images, labels = batch
            self.log("top1", (self(images).argmax(1) == labels).float().mean(), batch_size=len(labels))

        test_step = validation_step

        def configure_optimizers(self) -> Any:
            optimizer, schedule = sgd(asked, self, len(batches))
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    trainer = lightning.Trainer(
        max_steps=-1 if asked.epochs else WARM_UP + asked.steps,
        max_epochs=asked.epochs or -1,
        num_sanity_val_steps=0,
        devices=1,
        precision="bf16-mixed" if asked.bf16 else "32-true",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    module, val = Module(), loader(asked, "val") if asked.epochs else None
    ready = time.perf_counter()
    trainer.fit(module, batches, val)
    if not asked.epochs:
        return pace.result()
    ended = time.perf_counter()
    (test,) = trainer.test(module, loader(asked, "test"), verbose=False)
    return trained(began, ready, ended, test["top1"])


def fastai_loop(asked: argparse.Namespace) -> dict[str, float]:
    """fastai's fit_one_cycle over ImageDataLoaders.from_folder, its own optimizer and batch transforms.

    Its mixed precision is for CUDA alone (`autocast("cuda")` in callback/fp16.py), so on a processor it computes in
    32 bits. The pictures are mirrored and not shifted: a lighter change than the others make, faster and, over few
    epochs, no loss.
    """
    from fastai.vision.all import (
        Callback,
        CancelFitException,
        FlipItem,
        ImageDataLoaders,
        Learner,
        Normalize,
        Resize,
        accuracy,
        get_image_files,
    )

    pace = Pace(asked)

    class Count(Callback):
        def after_batch(self) -> None:
            if self.training and pace.step():
                raise CancelFitException

    began = time.perf_counter()
    resized = [] if asked.size == 32 else [Resize(asked.size)]
    loaders = ImageDataLoaders.from_folder(
        asked.data,
        train="train",
        valid="val",
        bs=asked.batch,
        item_tfms=[*resized, FlipItem()],
        batch_tfms=[Normalize.from_stats(MEAN, STD)],
        num_workers=asked.workers,
        device=device(),
        seed=0,
    )
    learner = Learner(loaders, network(asked, len(loaders.vocab)), loss_func=nn.CrossEntropyLoss(), metrics=accuracy)
    learner.to_channelslast(use_amp=False)
    if asked.bf16 and torch.cuda.is_available():
        learner.to_bf16()
    ready = time.perf_counter()
    with learner.no_bar(), learner.no_logging():
        if not asked.epochs:
            learner.fit_one_cycle(1 + (WARM_UP + asked.steps) // len(loaders.train), asked.lr, cbs=Count())
            return pace.result()
        learner.fit_one_cycle(asked.epochs, asked.lr)
        ended = time.perf_counter()
        _, top1 = learner.validate(dl=loaders.test_dl(get_image_files(asked.data / "test"), with_labels=True))
    return trained(began, ready, ended, float(top1))


PEERS = {"torchvision": torchvision_loop, "lightning": lightning_loop, "fastai": fastai_loop}


if __name__ == "__main__":
    main()
