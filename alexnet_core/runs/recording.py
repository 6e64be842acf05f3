"""A training run as a process: the loop's events go into the run directory, a person's wishes come out of it."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import numpy as np
import torch

from alexnet_core import devices
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.files import write_whole
from alexnet_core.models import Network, build
from alexnet_core.models.weights import load_network, network_bytes, save_network
from alexnet_core.runs.checkpoints import load_newest, save_checkpoint
from alexnet_core.runs.directory import LIVE, Evaluation, RunDirectory, RunState, Timing
from alexnet_core.training.batches import keep
from alexnet_core.training.evaluate import evaluate
from alexnet_core.training.events import EpochDone, Event, Finished, StepDone, Tick
from alexnet_core.training.loop import Training
from alexnet_core.training.recipes import model_settings

CHECKPOINT_SECONDS = 20.0
"""What a crash may cost at most, in seconds of training."""
SNAPSHOTS = 40
"""About how many snapshots a run keeps."""
LARGEST_SNAPSHOT = 8_000_000
"""Numbers. Of larger networks a snapshot holds the first layer alone: forty copies of 61 million are 5 GB."""


def execute(run: RunDirectory) -> Iterator[Event | Timing | str]:
    """Train `run` to its end, or to a person's wish or a signal; going on from the newest whole checkpoint.

    Yields each event once it is written, each timing, and sentences worth telling. However it ends, state.json says
    how. Raises ExplorerError when the run is already going on or over, or fails for a reason a person can put right.
    """
    state = run.state()
    if state.status in LIVE and state.pid not in (None, os.getpid()):
        raise ExplorerError(f"Run {run.id} is already going on, in process {state.pid}.")
    if state.status == "finished":
        raise ExplorerError(f"Run {run.id} is finished; there is nothing to resume.")
    with _signals() as signalled, _telling_how_it_ends(run):
        run.write_state(run.processes_state("running", "Getting ready."))
        recording = _Recording(run)
        yield from recording.sentences
        recording.state_running()
        for event in recording.training.events():
            if not isinstance(event, Tick):
                yield from recording.write(event)
                continue
            wishes = recording.save_what_is_due(signalled)
            if "PAUSE" in wishes and "STOP" not in wishes and not signalled.is_set():
                yield "Paused."
                wishes = recording.wait_while_paused(signalled)
            if signalled.is_set():
                run.write_state(RunState("interrupted", f"Interrupted after step {event.step}. Resume to go on."))
                yield f"Interrupted and saved after step {event.step}."
                return
            if "STOP" in wishes:
                run.withdraw("STOP", "PAUSE")
                run.write_state(RunState("stopped", f"Stopped after step {event.step}. Resume to go on."))
                yield f"Stopped and saved after step {event.step}."
                return
        yield recording.finish()


def snapshot_steps(steps: int, steps_per_epoch: int) -> set[int]:
    """The steps after which a snapshot is kept: the start, the powers of two, and ends of epochs, evenly thinned."""
    powers = {2**power for power in range(steps.bit_length()) if 2**power <= steps}
    epochs = steps // steps_per_epoch
    every = max(1, round(epochs / (SNAPSHOTS - len(powers))))
    return {0, steps} | powers | {epoch * steps_per_epoch for epoch in range(every, epochs + 1, every)}


class _Recording:
    """One run while its process lives: the training, and what is written about it."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        config = run.config()
        self.settings = settings = config.settings
        self.data = data = PreparedSet.open(config.data.directory)
        if data.identity != config.data.identity:
            raise ExplorerError(f"The data set {data.title} has changed since the run began; start a new run.")
        saved, self.sentences = load_newest(run.path / "checkpoints")
        # Other threads or another precision would give other bits: a run goes on with those it began with.
        machine = saved["machine"] if saved else (settings.device, settings.precision, settings.threads)
        self.compute = devices.choose(*machine)
        torch.manual_seed(settings.seed)
        model = build(settings.model, len(data.classes), data.image_size, **model_settings(settings))
        self.training = Training(
            model,
            settings,
            self.compute,
            data.preprocessing,
            (keep(data.images("train"), self.compute.device), data.labels("train")),
            (keep(data.images("val"), self.compute.device), data.labels("val")),
            np.array(data.rgb_covariance),
        )
        self.network = Network(
            settings.model, model, data.classes, data.preprocessing, model_settings(settings), f"run {run.id}"
        )
        if saved is None:
            run.truncate_metrics(0)
            self._snapshot(0)
        else:
            self.training.load_state_dict(saved["training"])
            run.truncate_metrics(saved["metrics_size"])
            self.sentences.append(f"Going on from step {self.training.step} of {self.training.steps}.")
        self.clock = _Clock(saved["seconds"] if saved else 0.0)
        self.snapshots = snapshot_steps(self.training.steps, self.training.steps_per_epoch)
        self.saved_at = time.monotonic()
        self.first = self.last = (self.clock.seconds(), self.training.step)

    def state_running(self) -> None:
        """Say that and where the training goes on."""
        compute = self.compute
        where = f"{compute.device.type}, {compute.precision}, {compute.threads} thread{'s' * (compute.threads > 1)}"
        self.run.write_state(self.run.processes_state("running", f"Training on {where}."))

    def write(self, event: Event) -> Iterator[Event | Timing]:
        """Write an event down, with the network at the end of an epoch, and a timing with each point of the curve."""
        self.run.append_event(event)
        yield event
        if isinstance(event, EpochDone):
            save_network(self.run.network_path, self.network)
        if isinstance(event, StepDone):
            now, step = self.clock.seconds(), event.step
            pace = (step - self.last[1]) / max(now - self.last[0], 1e-9)
            mean_pace = (step - self.first[1]) / max(now - self.first[0], 1e-9)
            self.last = now, step
            timing = Timing(
                step=step,
                epoch=event.epoch,
                seconds=now,
                images_per_s=pace * self.settings.batch_size,
                seconds_left=(self.training.steps - step) / mean_pace,
                memory_mb=devices.memory_mb(),
            )
            self.run.append_timing(timing)
            yield timing

    def save_what_is_due(self, signalled: threading.Event) -> set[str]:
        """Between two steps: snapshot and checkpoint where it is time for them. Returns the wishes that stand."""
        if self.training.step in self.snapshots:
            self._snapshot(self.training.step)
        wishes = self.run.wishes()
        if wishes or signalled.is_set() or time.monotonic() - self.saved_at > CHECKPOINT_SECONDS:
            self._save()
        return wishes

    def wait_while_paused(self, signalled: threading.Event) -> set[str]:
        """Wait until the wish for a pause is taken back, or another comes. Returns the wishes that stand then."""
        self.clock.stop()
        self.run.write_state(self.run.processes_state("paused", "Paused. Everything is saved."))
        while "PAUSE" in (wishes := self.run.wishes()) and "STOP" not in wishes and not signalled.wait(0.2):
            pass
        self.clock.go_on()
        self.state_running()
        return wishes

    def finish(self) -> Finished:
        """Examine the network on pictures that training has not seen: the test split, else the validation's."""
        self._save()
        split = "test" if "test" in self.data.splits else "val"
        model = self.compute.place(load_network(self.run.network_path).model)
        images, labels = self.data.images(split), self.data.labels(split)
        score = evaluate(model, images, labels, self.data.preprocessing, self.compute)
        self.run.write_evaluation(
            Evaluation(split, np.asarray(labels), score.predictions, score.probabilities, self.data.files(split))
        )
        tested = (score.loss, score.top1, score.top5) if split == "test" else (None, None, None)
        finished = Finished(self.training.step, self.settings.epochs, *tested)
        self.run.append_event(finished)
        kind = "test" if split == "test" else "validation"
        self.run.write_state(RunState("finished", f"{score.top1:.1%} of the {len(labels):,} {kind} images right."))
        return finished

    def _save(self) -> None:
        state = {
            "training": self.training.state_dict(),
            "metrics_size": self.run.metrics_size(),
            "seconds": self.clock.seconds(),
            "machine": (self.compute.device.type, self.compute.precision, self.compute.threads),
        }
        save_checkpoint(self.run.path / "checkpoints", self.training.step, state)
        self.saved_at = time.monotonic()

    def _snapshot(self, step: int) -> None:
        weights = self.network.model.state_dict()
        whole = sum(value.numel() for value in weights.values()) <= LARGEST_SNAPSHOT
        if not whole:
            weights = dict(list(weights.items())[:1])
        write_whole(self.run.snapshot_path(step, whole=whole), network_bytes(self.network, half=True, weights=weights))


class _Clock:
    """Seconds spent training, pauses not counted."""

    def __init__(self, before: float) -> None:
        self._before, self._since = before, time.monotonic()

    def seconds(self) -> float:
        return self._before + time.monotonic() - self._since

    def stop(self) -> None:
        self._before = self.seconds()

    def go_on(self) -> None:
        self._since = time.monotonic()


@contextmanager
def _telling_how_it_ends(run: RunDirectory) -> Iterator[None]:
    """Whatever ends the training within, state.json does not claim that it goes on. A bug keeps its traceback."""

    def say(state: RunState) -> None:
        # On a full disk not even the state can be written; a dead process then speaks for itself.
        with suppress(ExplorerError):
            run.write_state(state)

    try:
        yield
    except ExplorerError as error:
        say(RunState("failed", str(error)))
        raise
    except GeneratorExit:
        say(RunState("interrupted", "Left before the end. Resume to go on."))
        raise
    except BaseException as error:
        if not _is_memory_error(error):
            say(RunState("failed", "The program met an error of its own; log.txt has the details."))
            raise
        smaller = max(1, run.config().settings.batch_size // 2)
        message = f"There was not enough memory. Start again with a batch size of {smaller}."
        say(RunState("failed", message))
        raise ExplorerError(message) from error


def _is_memory_error(error: BaseException) -> bool:
    # PyTorch raises a type of its own on a GPU, but a plain RuntimeError on a processor.
    on_processor = isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    return on_processor or isinstance(error, MemoryError | torch.OutOfMemoryError)


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """Within this context SIGTERM and Ctrl-C only set the event: the loop saves and leaves between two steps."""
    signalled = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        signalled.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield signalled
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
