"""A training run as a process: the loop's events go into the run directory, a person's wishes come out of it."""

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
    how.
    Raises ExplorerError when the run is already going on or over, or fails for a reason a person can put right.
    """
    state = run.state()
    if state.status in LIVE and state.pid is not None and state.pid != run.processes_state("running").pid:
        raise ExplorerError(f"Run {run.id} is already going on, in process {state.pid}.")
    if state.status == "finished":
        raise ExplorerError(f"Run {run.id} is finished; there is nothing to resume.")
    with _signals() as signalled:
        try:
            run.write_state(run.processes_state("running", "Getting ready."))
            yield from _train(run, signalled)
        except ExplorerError as error:
            _say(run, RunState("failed", str(error)))
            raise
        except (torch.OutOfMemoryError, MemoryError) as error:
            smaller = max(1, run.config().settings.batch_size // 2)
            message = f"There was not enough memory. Start again with a batch size of {smaller}."
            _say(run, RunState("failed", message))
            raise ExplorerError(message) from error
        except BaseException as error:
            # The state must not claim that the run goes on; a bug's traceback passes through.
            if isinstance(error, GeneratorExit):
                _say(run, RunState("interrupted", "Left before the end. Resume to go on."))
            else:
                _say(run, RunState("failed", "The program met an error of its own; log.txt has the details."))
            raise


def snapshot_steps(steps: int, steps_per_epoch: int) -> set[int]:
    """The steps after which a snapshot is kept: the start, the powers of two, and ends of epochs, evenly thinned."""
    powers = {2**power for power in range(steps.bit_length()) if 2**power <= steps}
    epochs = steps // steps_per_epoch
    every = max(1, round(epochs / (SNAPSHOTS - len(powers))))
    return {0, steps} | powers | {epoch * steps_per_epoch for epoch in range(every, epochs + 1, every)}


def _train(run: RunDirectory, signalled: threading.Event) -> Iterator[Event | Timing | str]:
    config = run.config()
    settings = config.settings
    prepared = PreparedSet.open(config.data.directory)
    if prepared.identity != config.data.identity:
        raise ExplorerError(f"The data set {prepared.title} has changed since the run began; start a new run.")
    saved, passed_over = load_newest(run.path / "checkpoints")
    yield from passed_over
    if saved is None:
        compute = devices.choose(settings.device, settings.precision, settings.threads)
    else:
        # Other threads or another precision would give other bits.
        compute = devices.choose(saved["device"], saved["precision"], saved["threads"])
    torch.manual_seed(settings.seed)
    model = build(settings.model, len(prepared.classes), prepared.image_size, **model_settings(settings))
    training = Training(
        model,
        settings,
        compute,
        prepared.preprocessing,
        (prepared.images("train"), prepared.labels("train")),
        (prepared.images("val"), prepared.labels("val")),
        np.array(prepared.rgb_covariance),
    )
    network = Network(
        settings.model, model, prepared.classes, prepared.preprocessing, model_settings(settings), f"run {run.id}"
    )
    if saved is None:
        run.truncate_metrics(0)
        seconds = 0.0
        _snapshot(run, network, 0)
    else:
        training.load_state_dict(saved["training"])
        run.truncate_metrics(saved["metrics_size"])
        seconds = saved["seconds"]
        yield f"Going on from step {training.step} of {training.steps}."

    clock = _Clock(seconds)

    def save() -> None:
        state = {
            "training": training.state_dict(),
            "metrics_size": run.metrics_size(),
            "seconds": clock.seconds(),
            "device": compute.device.type,
            "precision": compute.precision,
            "threads": compute.threads,
        }
        save_checkpoint(run.path / "checkpoints", training.step, state)

    snapshots = snapshot_steps(training.steps, training.steps_per_epoch)
    where = f"{compute.device.type}, {compute.precision}, {compute.threads} threads"
    run.write_state(run.processes_state("running", f"Training on {where}."))
    last_save, last_point, first_step = time.monotonic(), (clock.seconds(), training.step), training.step
    for event in training.events():
        if not isinstance(event, Tick):
            run.append_event(event)
            yield event
            if isinstance(event, EpochDone):
                save_network(run.network_path, network)
            if isinstance(event, StepDone | EpochDone):
                now = clock.seconds()
                rate = (training.step - last_point[1]) / max(now - last_point[0], 1e-9)
                mean = (training.step - first_step) / max(now - seconds, 1e-9)
                timing = Timing(
                    step=training.step,
                    epoch=event.epoch,
                    seconds=now,
                    images_per_s=rate * settings.batch_size,
                    seconds_left=(training.steps - training.step) / mean,
                    memory_mb=devices.memory_mb(),
                )
                if isinstance(event, StepDone):
                    last_point = now, training.step
                    run.append_timing(timing)
                    yield timing
            continue
        if event.step in snapshots:
            _snapshot(run, network, event.step)
        wishes = run.wishes()
        if wishes or signalled.is_set() or time.monotonic() - last_save > CHECKPOINT_SECONDS:
            save()
            last_save = time.monotonic()
        if "PAUSE" in wishes and "STOP" not in wishes and not signalled.is_set():
            clock.stop()
            yield "Paused."
            wishes = _wait_while_paused(run, signalled)
            clock.go_on()
            run.write_state(run.processes_state("running", f"Training on {where}."))
        if signalled.is_set():
            run.write_state(RunState("interrupted", f"Interrupted after step {event.step}. Resume to go on."))
            yield f"Interrupted and saved after step {event.step}."
            return
        if "STOP" in wishes:
            run.withdraw("STOP", "PAUSE")
            run.write_state(RunState("stopped", f"Stopped after step {event.step}. Resume to go on."))
            yield f"Stopped and saved after step {event.step}."
            return
    save()
    yield _finish(run, prepared, training, compute)


def _finish(run: RunDirectory, prepared: PreparedSet, training: Training, compute: devices.Compute) -> Finished:
    """Examine the network on pictures that training has not seen: the test split, else the validation's."""
    split = "test" if "test" in prepared.splits else "val"
    model = compute.place(load_network(run.network_path).model)
    images, labels = prepared.images(split), prepared.labels(split)
    score = evaluate(model, images, labels, prepared.preprocessing, compute)
    run.write_evaluation(
        Evaluation(split, np.asarray(labels), score.predictions, score.probabilities, prepared.files(split))
    )
    tested = (score.loss, score.top1, score.top5) if split == "test" else (None, None, None)
    finished = Finished(training.step, training.config.epochs, *tested)
    run.append_event(finished)
    result = f"{score.top1:.1%} of the {len(labels):,} {'test' if split == 'test' else 'validation'} images right."
    run.write_state(RunState("finished", f"Finished: {result}"))
    return finished


def _snapshot(run: RunDirectory, network: Network, step: int) -> None:
    weights = network.model.state_dict()
    if sum(value.numel() for value in weights.values()) > LARGEST_SNAPSHOT:
        weights = dict(list(weights.items())[:1])
    write_whole(run.snapshot_path(step), network_bytes(network, half=True, weights=weights))


def _wait_while_paused(run: RunDirectory, signalled: threading.Event) -> set[str]:
    run.write_state(run.processes_state("paused", "Paused. Everything is saved."))
    while True:
        wishes = run.wishes()
        if "STOP" in wishes or "PAUSE" not in wishes or signalled.wait(0.2):
            return wishes


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


def _say(run: RunDirectory, state: RunState) -> None:
    # On a full disk not even the state can be written; a dead process then speaks for itself.
    with suppress(ExplorerError):
        run.write_state(state)


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
