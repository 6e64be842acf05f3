"""A training run as a process: the loop's events go into the run directory, a person's wishes come out of it."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import compress
from typing import Any

import numpy as np
import torch
from torch import nn

from alexnet_core.distributed import ALONE, World
from alexnet_core.errors import ExplorerError
from alexnet_core.files import write_whole
from alexnet_core.models import Network, build
from alexnet_core.models.weights import load_network, network_bytes
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.checkpoints import load_newest, save_checkpoint
from alexnet_core.runs.directory import RunConfig, RunDirectory, Timing
from alexnet_core.runs.ending import noting_signals, telling_how_it_ends
from alexnet_core.runs.evaluation import Evaluation
from alexnet_core.runs.snapshots import snapshot_steps, write_snapshot
from alexnet_core.runs.starting import source_of
from alexnet_core.runs.states import LIVE, RunState
from alexnet_core.runs.stopwatch import Stopwatch
from alexnet_core.runs.way_of_computing import chosen_way
from alexnet_core.training.batches import Images, keep
from alexnet_core.training.evaluate import evaluate
from alexnet_core.training.events import EpochDone, Event, Finished, StepDone, Tick
from alexnet_core.training.features import FeatureSource
from alexnet_core.training.loop import Training
from alexnet_core.training.recipes import model_settings
from alexnet_core.training.transfer import begin_with, head_of, preprocessing_of

CHECKPOINT_SECONDS = 20.0
"""What a crash may cost at most, in seconds of training."""
SIGNAL = "SIGNAL"
"""Asked for beside the wishes: to save and leave, by SIGTERM or Ctrl-C."""
_TIME = "TIME"
LOOKED = {"mirrored": ", each with its mirror image", "ten": ", each in ten views"}
"""How the test at the end looked at the pictures, by the setting `views`; the curves look at each once."""


def execute(run: RunDirectory, world: World = ALONE) -> Iterator[Event | Timing | str]:
    """Train `run` to its end, or to a person's wish or a signal; going on from the newest whole checkpoint.

    Yields each event once it is written, each timing, and sentences worth telling. However it ends, state.json says
    how. Raises ExplorerError when the run is already going on or over, or fails for a reason a person can put right.

    Every process of the `world` iterates the same; only the main one reads and writes the directory, which the others
    need not have.
    """
    config = world.from_main(lambda: _may_begin(run, world))
    with noting_signals() as signalled, telling_how_it_ends(run, config, world):
        if world.is_main:
            run.clear_leftovers()
            run.write_state(RunState.of_this_process("running", "Getting ready."))
        recording = _Recording(run, config, world)
        yield from recording.sentences
        asked = recording.look_once(signalled)
        if asked:
            yield recording.leave(asked)
            return
        recording.state_running()
        leaving = partial(recording.leave_if_asked, signalled)
        try:
            for event in recording.training.events(leaving):
                if not isinstance(event, Tick):
                    yield from recording.write(event)
                    continue
                asked = recording.save_what_is_due(signalled)
                if asked == {"PAUSE"}:
                    yield "Paused."
                    asked = recording.wait_while_paused(signalled)
                if asked:
                    yield recording.leave(asked)
                    return
            yield recording.finish(leaving)
        except _Left as left:
            yield recording.leave(left.asked)


def _may_begin(run: RunDirectory, world: World) -> RunConfig:
    """What was asked for. Raises ExplorerError when the run cannot go on now, or not with these processes."""
    state, config = run.state(), run.config()
    if state.status in LIVE and state.pid not in (None, os.getpid()):
        raise ExplorerError(f"Run {run.id} is already going on, in process {state.pid}.")
    if state.status == "finished":
        raise ExplorerError(f"Run {run.id} is finished; there is nothing to resume.")
    if config.processes != world.world_size:
        how = "without torchrun" if config.processes == 1 else f"with torchrun and {config.processes} processes"
        raise ExplorerError(
            f"Run {run.id} was begun {how}, and another number gives other bits; resume it in the same way."
        )
    return config


class _Left(Exception):
    """Somebody asked to leave while the network was examined, by these wishes."""

    def __init__(self, asked: set[str]) -> None:
        self.asked = asked


class _Recording:
    """One run while its process lives: the training, and what is written about it."""

    def __init__(self, run: RunDirectory, config: RunConfig, world: World) -> None:
        self.run, self.world = run, world
        self.settings = settings = config.settings
        self.data = data = world.together(lambda: config.data.opened())
        saved, self.sentences = world.from_main(lambda: load_newest(run.path / "checkpoints", run.metrics_size()))
        # Other threads or another precision would give other bits: a run goes on with those it began with.
        words = saved["machine"] if saved else None
        self.compute, said = chosen_way(settings, data, words, world, self._say_running)
        self.sentences += said
        torch.manual_seed(settings.seed)
        model = build(settings.model, len(data.classes), data.image_size, **model_settings(settings))
        self.preprocessing = data.preprocessing
        if settings.start_from:
            self.preprocessing = self._begin(model, saved)
        # Whoever learns from features needs the pictures once.
        self.looks_once = settings.learn == "head"
        if self.looks_once and world.world_size > 1:
            raise ExplorerError("A head alone learns in seconds, in one process; start it without torchrun.")
        self.training = Training(
            model,
            settings,
            self.compute,
            self.preprocessing,
            self._pictures("train"),
            self._pictures("val"),
            np.array(data.rgb_covariance),
            world,
        )
        self.network = Network(
            settings.model,
            self.training.learned,
            data.classes,
            self.preprocessing,
            model_settings(settings),
            f"run {run.id}",
        )
        self._take_up(saved)
        self.sentences.append(self._how())
        self.clock = Stopwatch(saved["seconds"] if saved else 0.0, self.training.step)
        self.snapshots = snapshot_steps(self.training.steps, self.training.steps_per_epoch)
        if self.looks_once:  # nothing to watch: the filters stay
            self.snapshots = {0, self.training.steps}
        self.saved_at = time.monotonic()

    def say(self, state: RunState) -> None:
        """Write how the run stands."""
        if self.world.is_main:
            self.run.write_state(state)

    def state_running(self) -> None:
        """Say that and how the training goes on."""
        self._say_running(self._how())

    def _say_running(self, sentence: str) -> None:
        self.say(RunState.of_this_process("running", sentence))

    def _how(self) -> str:
        processes = self.world.world_size
        return f"Training on {self.compute}" + f" in each of {processes} processes" * (processes > 1) + "."

    def _begin(self, model: nn.Module, saved: dict[str, Any] | None) -> Preprocessing:
        """Give `model` the weights it starts from, unless a checkpoint has all of them; how pictures are prepared for
        them."""
        settings, data = self.settings, self.data
        if saved is not None:
            return Preprocessing.from_dict(saved["preprocessing"])
        self._say_running("Loading the network to start from.")
        source = self.world.from_main(lambda: source_of(settings.start_from, settings.model))
        begin_with(model, data.classes, source, settings)
        self.sentences.append(f"Starting from {source.source}.")
        return preprocessing_of(source, data.image_size)

    def _pictures(self, split: str) -> tuple[Images, np.ndarray]:
        """Pictures and labels of a split; kept where there is room for them, unless they are looked at but once."""
        images: Images = self.data.images(split)
        if not self.looks_once:
            images = keep(images, self.compute.device, self.world.local_world_size)
        return images, self.data.labels(split)

    def _take_up(self, saved: dict[str, Any] | None) -> None:
        """Go on from a checkpoint, or begin; what was written down after it is forgotten."""
        if saved is None:
            if self.world.is_main:
                self.run.truncate(metrics=0, timing=0)
            self._snapshot(0)
            return
        self.training.load_state_dict(saved["training"])
        if self.world.is_main:
            self.run.truncate(metrics=saved["metrics_size"], timing=saved["timing_size"])
        self.sentences.append(f"Going on from step {self.training.step} of {self.training.steps}.")

    def look_once(self, signalled: threading.Event) -> set[str]:
        """Where only the head learns: compute what it learns from, or open it where it lies on the disk. Returns what
        was asked for meanwhile, if it was to leave."""
        if not self.looks_once:
            return set()
        source = FeatureSource(
            self.training.model, head_of(self.training.model), self.data, self.preprocessing, self.compute,
            self.settings.reflect,
        )  # fmt: skip
        said = 0.0
        for done, total in source.fill():
            if time.monotonic() - said > 1.0:
                self._say_running(f"Looking at each picture once: {done:,} of {total:,}.")
                said = time.monotonic()
            asked = self._asked(signalled)
            if asked == {"PAUSE"}:
                asked = self.wait_while_paused(signalled)
            if asked:
                return asked
        self.training.learn_from(source.features())
        self.clock.begin(self.training.step)
        return set()

    def leave(self, asked: set[str]) -> str:
        """Say how the run stands after a wish to end it or a signal; everything is saved. The sentence to print."""
        step = self.training.step
        if SIGNAL in asked:
            self.say(RunState("interrupted", f"Interrupted after step {step}. Resume to go on."))
            return f"Interrupted and saved after step {step}."
        if self.world.is_main:
            self.run.withdraw("STOP", "PAUSE")
        self.say(RunState("stopped", f"Stopped after step {step}. Resume to go on."))
        return f"Stopped and saved after step {step}."

    def write(self, event: Event) -> Iterator[Event | Timing]:
        """Write an event down, with the network at the end of an epoch, and a timing with each point of the curve."""
        if self.world.is_main:
            self.run.append_event(event)
        yield event
        if isinstance(event, EpochDone) and self.world.is_main:
            write_whole(self.run.network_path, network_bytes(self.network, weights=self.training.weights()))
        if isinstance(event, StepDone):
            timing = self.clock.timing(event.step, event.epoch, self.training.steps, self.settings.batch_size)
            if self.world.is_main:
                self.run.append_timing(timing)
            yield timing

    def save_what_is_due(self, signalled: threading.Event) -> set[str]:
        """Between two steps: snapshot and checkpoint where it is time for them. Returns what is asked for."""
        # Asked first: here it is noticed that a process has gone, and what follows would wait for its part on a GPU.
        asked = self._asked(signalled, time.monotonic() - self.saved_at > CHECKPOINT_SECONDS)
        if self.training.step in self.snapshots:
            self.training.check()
            self._snapshot(self.training.step)
        if asked:
            self._save()
        return asked - {_TIME}

    def wait_while_paused(self, signalled: threading.Event) -> set[str]:
        """Wait until the wish for a pause is taken back, or another comes. Returns what is asked for then."""
        self.clock.stop()
        self.say(RunState.of_this_process("paused", "Paused. Everything is saved."))
        while (asked := self._asked(signalled)) == {"PAUSE"}:
            signalled.wait(0.2)
        self.clock.go_on()
        self.state_running()
        return asked

    def _asked(self, signalled: threading.Event, time_to_save: bool = False) -> set[str]:
        """The wishes that stand, `SIGNAL` where any process got one, and `_TIME`: the same in all processes."""
        main = self.world.is_main
        wishes = self.run.wishes() if main else set()
        flags = [signalled.is_set(), "STOP" in wishes, "PAUSE" in wishes, main and time_to_save]
        return set(compress((SIGNAL, "STOP", "PAUSE", _TIME), self.world.agree(flags)))

    def finish(self, between: Callable[[], None]) -> Finished:
        """Examine the network on pictures that training has not seen: the test split, else the validation's. `between`
        is called after each batch of them."""
        self._save()
        split = "test" if "test" in self.data.splits else "val"
        model = self.world.from_main(lambda: load_network(self.run.network_path).model)
        images, labels = self.data.images(split), self.data.labels(split)
        kind = "test" if split == "test" else "validation"
        looked = LOOKED.get(self.settings.views, "")
        self._say_running(f"Looking at the {len(labels):,} {kind} pictures{looked}.")
        score = evaluate(
            self.compute.place(model),
            images,
            labels,
            self.preprocessing,
            self.compute,
            world=self.world,
            views=self.settings.views,
            between=between,
        )
        tested = (score.loss, score.top1, score.top5) if split == "test" else (None, None, None)
        finished = Finished(self.training.step, self.settings.epochs, *tested)
        if self.world.is_main:
            self.run.write_evaluation(
                Evaluation(split, np.asarray(labels), score.predictions, score.probabilities, self.data.files(split))
            )
            self.run.append_event(finished)
        right = f"{100 * score.top1:.1f} %"
        self.say(RunState("finished", f"{right} of the {len(labels):,} {kind} pictures right{looked}."))
        return finished

    def leave_if_asked(self, signalled: threading.Event) -> None:
        """Between two batches of an examination, which may take minutes: save, and raise _Left, where that was asked
        for."""
        # Several processes may look at different numbers of batches, so they cannot agree in between.
        if self.world.world_size == 1 and (asked := self._asked(signalled) - {"PAUSE"}):
            self._save()
            raise _Left(asked)

    def _save(self) -> None:
        training = self.training.state_dict()
        self.saved_at = time.monotonic()
        if not self.world.is_main:
            return
        self.run.sync_metrics()  # first the lines, then the checkpoint that counts on them
        state = {
            "training": training,
            "metrics_size": self.run.metrics_size(),
            "timing_size": self.run.timing_size(),
            "seconds": self.clock.seconds(),
            "machine": self.compute.words(),
        }
        if self.settings.start_from:
            state["preprocessing"] = self.preprocessing.as_dict()
        save_checkpoint(self.run.path / "checkpoints", self.training.step, state)
        self.saved_at = time.monotonic()

    def _snapshot(self, step: int) -> None:
        if self.world.is_main:
            write_snapshot(self.run, step, self.network, self.looks_once)
