"""The training loop: a generator of events.

It computes and yields, nothing else. Whoever iterates writes, draws, saves or leaves; `Training.state_dict` holds all
that is needed to go on from any `Tick` to the bit.

Chance has no memory here: order, augmentation and dropout are drawn anew from (seed, epoch or step), so that there are
no random states to save and none to forget.
"""

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional as F

from alexnet_core.data.augment import Augmentation, colour_axes, mix, order
from alexnet_core.data.balance import class_weights
from alexnet_core.devices import Compute
from alexnet_core.distributed import ALONE, World
from alexnet_core.errors import ExplorerError
from alexnet_core.models.auxiliary import HEADS, WithHeads
from alexnet_core.preprocess import Preprocessing
from alexnet_core.training.batches import Batches, Images
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.evaluate import evaluate
from alexnet_core.training.events import EpochDone, Event, Started, StepDone, Tick
from alexnet_core.training.features import FeatureBatches, Features
from alexnet_core.training.first_weights import begin
from alexnet_core.training.optimizers import optimizer
from alexnet_core.training.schedule import STALLED_EPOCHS, learning_rate
from alexnet_core.training.transfer import Moments, Tail, head_of, rates, resting
from alexnet_core.training.whole_batch import check_one_picture, replace_layers

CURVE_POINTS = 500
"""Points of the training curve over a whole run; more cannot be told apart on a screen."""


class Training:
    """A model on its way through the data; the `step` is how far it has come."""

    def __init__(
        self,
        model: nn.Module,
        config: TrainConfig,
        compute: Compute,
        preprocessing: Preprocessing,
        train: tuple[Images, np.ndarray],
        val: tuple[Images, np.ndarray],
        rgb_covariance: np.ndarray,
        world: World = ALONE,
    ) -> None:
        """`train` and `val` are uint8 images (N, S, S, 3) and their labels (N,); `config` is a settled one. Layers of
        `model` are replaced, names and states stay.

        Raises ExplorerError when there are more processes in the `world` than images in a batch, and when a batch is
        too small for a normalisation.
        """
        self.config, self.compute, self.preprocessing, self.world = config, compute, preprocessing, world
        self.model = compute.place(model)
        images, labels = train
        if config.shuffle_labels:
            labels = labels[order(config.seed, 0, len(labels)).numpy()]  # epochs begin with 1: an order of its own
        self.pictures = self._in_batches(images, labels, rgb_covariance)
        self.batches: Batches | FeatureBatches = self.pictures
        self.class_weights = None
        if config.balance == "loss":
            self.class_weights = torch.from_numpy(class_weights(labels)).to(compute.device)
        self.val_images, self.val_labels = val
        begin(self.model, config, self.pictures)
        # Before the layers are replaced: what is examined and kept is the network as it was built.
        self.averaged = copy.deepcopy(self.model).requires_grad_(False) if config.averaging else None
        self._let_learn()
        self.optimizer = optimizer(self.learning, config, self._shares())
        self.head = ""
        """Of a network that learns from features, the layer where they come in."""
        self.moments: Moments | None = None
        self.scaler = torch.amp.GradScaler(compute.device.type, enabled=compute.precision == "fp16")
        self.steps_per_epoch = config.steps_per_epoch(len(self.batches))
        self.steps = self.steps_per_epoch * config.epochs
        self.step = 0
        self.lowest_val_loss, self.stalled, self.drops = math.inf, 0, 0
        # Sums since the last point of the curve, and since the epoch began: loss, hits, images.
        self.since_point = torch.zeros(3, device=compute.device)
        self.since_epoch = torch.zeros_like(self.since_point)

    def _in_batches(self, images: Images, labels: np.ndarray, rgb_covariance: np.ndarray) -> Batches:
        """The training pictures, changed by chance as the settings say."""
        config = self.config
        return Batches(
            images,
            labels,
            world=self.world,
            seed=config.seed,
            batch_size=config.batch_size,
            augmentation=Augmentation(
                config.translate, config.reflect, config.colour, config.rotate, config.scale, config.erase
            ),
            preprocessing=self.preprocessing,
            axes=colour_axes(torch.as_tensor(rgb_covariance)),
            device=self.compute.device,
            even=config.balance == "sampling",
        )

    def _let_learn(self) -> None:
        """Which parameters learn, and the network as it takes steps: its layers replaced, in parallel, compiled."""
        config, compute, world = self.config, self.compute, self.world
        if self.batches.batch_size < world.world_size:
            raise ExplorerError(
                f"A batch of {self.batches.batch_size} cannot be shared by {world.world_size} processes; start fewer, "
                "or choose a larger batch size."
            )
        self.rates = rates(self.model, config) if config.learn != "everything" or config.layer_lr < 1 else None
        if self.rates is not None:
            for name, parameter in self.model.named_parameters():
                parameter.requires_grad_(name in self.rates)
        group = world.group_for(compute.device)
        # What learns: the network, with the heads that help some to learn from nothing and that are not kept.
        self.learning = self.model
        if config.model in HEADS and not config.start_from:
            classes = list(self.model.parameters())[-1].shape[0]
            self.learning = compute.place(WithHeads(config.model, self.model, classes))
        replace_layers(self.learning, world, self.batches.batch_size, group)
        self.network = compute.for_steps(self.learning if world.world_size == 1 else _in_parallel(self.learning, group))
        self.resting = [] if self.rates is None else resting(self.learning)
        if self.batches.batch_size == 1:
            check_one_picture(self.model, self.preprocessing.size, self.resting)

    def _shares(self) -> dict[int, float] | None:
        """The share of the learning rate of each parameter that learns, by its identity; None where all learn alike."""
        if self.rates is None:
            return None
        return {id(self.model.get_parameter(name)): share for name, share in self.rates.items()}

    def learn_from(self, features: Features) -> None:
        """Take the answers of all layers but the head from `features` from now on, in place of the pictures; the other
        layers do not learn, and a head learns sooner from standardised answers than from the pictures."""
        self.head, self.moments = head_of(self.model), features.moments(self.compute.device)
        if self.step == 0:  # a checkpoint holds weights that are written for standardised answers already
            for model in (self.model, self.averaged):
                if model is not None:
                    model.load_state_dict(self._head_weights(model, self.moments.standardised), strict=False)
        self.batches = FeatureBatches(self.pictures, features)
        self.val_images = features.val
        self.network = self.compute.for_steps(Tail(self.model, self.head, self.moments))

    def weights(self) -> dict[str, torch.Tensor]:
        """Those of the learned network, as it is used by itself."""
        weights = self.learned.state_dict()
        return weights if self.moments is None else weights | self._head_weights(self.learned, self.moments.plain)

    def _head_weights(
        self, model: nn.Module, written: Callable[..., tuple[torch.Tensor, ...]]
    ) -> dict[str, torch.Tensor]:
        """Weight and bias of the head of `model`, written otherwise."""
        names = [f"{self.head}.weight", f"{self.head}.bias"]
        with torch.no_grad():
            return dict(zip(names, written(*map(model.get_parameter, names)), strict=True))

    @property
    def epoch(self) -> int:
        """The epoch of the step that comes next, counted from 1."""
        return self.step // self.steps_per_epoch + 1

    @property
    def learned(self) -> nn.Module:
        """The network to examine and keep: the one with the averaged weights where there is one."""
        return self.model if self.averaged is None else self.averaged

    def check(self) -> None:
        """Raises ExplorerError when weights or sums are no longer numbers. The loss shows that only at the next point
        of the curve, and what is saved before then must be fit to go on from. Every process has to ask for it."""
        numbers = [*self.model.state_dict().values(), self._rows_of_all(self.since_point)]
        if not all(bool(value.isfinite().all()) for value in numbers):
            self._check(math.nan)

    def state_dict(self) -> dict[str, Any]:
        """All that changes, as tensors and plain numbers. Every process has to ask for it.

        Raises ExplorerError when weights or sums are no longer numbers.
        """
        self.check()
        return {
            "model": self.learning.state_dict(),
            "averaged": None if self.averaged is None else self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            # One row a process: sums that were added up now would be rounded otherwise than at the end.
            "since_point": self._rows_of_all(self.since_point),
            "since_epoch": self._rows_of_all(self.since_epoch),
            **{name: getattr(self, name) for name in _NUMBERS},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where `state_dict` was taken. Raises ExplorerError where another version took it, which let other
        weights learn together (Muon once turned a last layer that is a convolution, too)."""
        self.learning.load_state_dict(state["model"])
        if self.averaged is not None:
            self.averaged.load_state_dict(state["averaged"])
        try:
            self.optimizer.load_state_dict(state["optimizer"])
        except ValueError as error:
            raise ExplorerError(
                "The run began with another version of the program, in which other weights learned together, so it "
                "cannot go on; begin a new run: train --settings RUN_DIR/config.json."
            ) from error
        self.scaler.load_state_dict(state["scaler"])
        self.since_point.copy_(state["since_point"][self.world.rank])
        self.since_epoch.copy_(state["since_epoch"][self.world.rank])
        for name in _NUMBERS:
            setattr(self, name, state[name])

    def _rows_of_all(self, numbers: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(np.stack(self.world.gather(numbers.cpu().numpy())))

    def events(self, between: Callable[[], None] = lambda: None) -> Iterator[Event]:
        """Train to the end, or until the caller stops asking. A `Tick` follows each step and its other events.

        `between` is called after each batch of the examinations at the ends of epochs, and may raise to leave: the
        `state_dict` of that moment goes on with the examination. Raises ExplorerError when the loss is no longer a
        number.
        """
        config = self.config
        if self.step == 0:
            parameters = sum(parameter.numel() for parameter in self.model.parameters() if parameter.requires_grad)
            yield Started(config.epochs, self.steps, len(self.batches), len(self.val_images), parameters)
        point_every = math.ceil(self.steps / CURVE_POINTS)
        if self.step and self.step % self.steps_per_epoch == 0 and float(self.since_epoch[2]):
            # It was left while the network was examined.
            lr = learning_rate(config, self.step, self.steps, self.drops)
            yield self._finish_epoch(self.step // self.steps_per_epoch, lr, between)
            yield Tick(self.step)
        while self.step < self.steps:
            epoch, first = self.epoch, self.step % self.steps_per_epoch
            for images, labels in self.batches.epoch(epoch, first):
                lr = learning_rate(config, self.step + 1, self.steps, self.drops)
                self._learn(images, labels, lr)
                self.step += 1
                self._average()
                if self.step % point_every == 0:
                    yield self._point(epoch, lr)
                if self.step % self.steps_per_epoch == 0:
                    yield self._finish_epoch(epoch, lr, between)
                yield Tick(self.step)

    def _learn(self, images: torch.Tensor, labels: torch.Tensor, lr: float) -> None:
        torch.manual_seed(mix(self.config.seed, self.step, 3))  # dropout
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group.get("lr_share", 1.0)
        self.learning.train()
        for layer in self.resting:
            layer.eval()
        with self.compute.autocast():
            answers = self.network(images.to(memory_format=self.compute.memory_format))
        logits, heads = answers if isinstance(self.learning, WithHeads) else (answers, [])
        loss = self._loss(logits, labels)
        self.optimizer.zero_grad(set_to_none=True)
        # Heads count here and nowhere else: the curves tell the network's own loss.
        learned = loss + sum(HEADS[self.config.model].weight * self._loss(head, labels) for head in heads)
        # The mean over the whole batch, also where the shares are unequal: the gradients of all are averaged.
        self.scaler.scale(learned * (self.world.world_size / self.batches.batch_size)).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        hits = (logits.detach().argmax(1) == labels).sum()
        count = torch.full_like(loss, len(labels))
        sums = torch.stack([loss.detach(), hits.float(), count])
        self.since_point += sums
        self.since_epoch += sums

    def _loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The sum over the pictures of the batch."""
        smoothing = self.config.label_smoothing
        if self.class_weights is None:
            return F.cross_entropy(logits.float(), labels, reduction="sum", label_smoothing=smoothing)
        losses = F.cross_entropy(logits.float(), labels, reduction="none", label_smoothing=smoothing)
        return (losses * self.class_weights[labels]).sum()

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averaged weights towards the present ones, more so at the beginning, when the mean is of few
        (Polyak and Juditsky 1992; the decay that grows is TensorFlow's)."""
        if self.averaged is None:
            return
        kept = min(self.config.averaging, (1 + self.step) / (10 + self.step))
        pairs = list(zip(self.averaged.state_dict().values(), self.model.state_dict().values(), strict=True))
        numbers = [(mean, now) for mean, now in pairs if mean.is_floating_point()]
        torch._foreach_lerp_([mean for mean, _ in numbers], [now for _, now in numbers], 1 - kept)
        for mean, now in pairs:
            if not mean.is_floating_point():
                mean.copy_(now)

    def _point(self, epoch: int, lr: float) -> StepDone:
        loss, _, images = self.world.sum(self.since_point).tolist()
        self.since_point.zero_()
        self._check(loss)
        return StepDone(self.step, epoch, loss / images, lr)

    def _finish_epoch(self, epoch: int, lr: float, between: Callable[[], None]) -> EpochDone:
        loss, hits, images = self.world.sum(self.since_epoch).tolist()
        self._check(loss)
        examined = Tail(self.learned, self.head, self.moments) if self.head else self.learned
        preprocessing = None if self.head else self.preprocessing
        score = evaluate(
            examined, self.val_images, self.val_labels, preprocessing, self.compute, world=self.world, between=between
        )
        self.since_epoch.zero_()  # what is not zero at the end of an epoch asks for this examination
        self._check(score.loss)
        if score.loss < self.lowest_val_loss:
            self.lowest_val_loss, self.stalled = score.loss, 0
        else:
            self.stalled += 1
            if self.stalled == STALLED_EPOCHS:
                self.stalled, self.drops = 0, self.drops + 1
        return EpochDone(self.step, epoch, loss / images, hits / images, score.loss, score.top1, score.top5, lr)

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise ExplorerError(
                f"The loss stopped being a number near step {self.step}: the steps were too large. Start again with a "
                f"learning rate of {self.config.lr / 10:g} instead of {self.config.lr:g}.",
                remedy=("lr", self.config.lr / 10),
            )


_NUMBERS = ("step", "lowest_val_loss", "stalled", "drops")
"""The plain numbers of Training that change."""


def _in_parallel(model: nn.Module, group: dist.ProcessGroup | None) -> nn.Module:
    """`model` whose gradients are averaged over all processes."""
    # Looking for unused parameters keeps the gradients in the order in which they were first laid out. Without, they
    # are laid out anew after the first step, so after a resume at another step; sums of three or more are then rounded
    # otherwise. The buffers are equal everywhere as they are.
    return nn.parallel.DistributedDataParallel(
        model, process_group=group, find_unused_parameters=True, forward_sync_buffers=False
    )
