"""What a run directory tells, in the form in which the page shows it."""

from dataclasses import dataclass
from os import SEEK_END

import numpy as np

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.shards import StoredImages
from alexnet_core.errors import ExplorerError
from alexnet_core.insight.filters import FirstLayer, filters_of_file
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.evaluation import Evaluation
from alexnet_core.training.events import EpochDone, Finished, Started, StepDone
from app.figures.curves import Line
from app.words import amount, duration, percent


@dataclass(frozen=True)
class Course:
    """How far a run has come."""

    epochs: int
    epoch: int
    share: float
    """Of the run's steps, 0 to 1."""
    train_loss: Line
    val_loss: Line
    train_top1: Line
    val_top1: Line
    numbers: list[tuple[str, str, str]]
    """(label, value, explanation)."""


def course(run: RunDirectory) -> Course | None:
    """None before the first event."""
    events = run.events()
    started = next((event for event in events if isinstance(event, Started)), None)
    if started is None:
        return None
    per_epoch = max(1, started.steps) / max(1, started.epochs)
    steps = [event for event in events if isinstance(event, StepDone)]
    ends = [event for event in events if isinstance(event, EpochDone)]
    at_ends = [event.step / per_epoch for event in ends]
    step = max((event.step for event in (*steps, *ends)), default=0)
    return Course(
        started.epochs,
        min(started.epochs, int(step // per_epoch) + (step < started.steps)),
        min(1.0, step / max(1, started.steps)),
        Line([event.step / per_epoch for event in steps], [event.train_loss for event in steps]),
        Line(at_ends, [event.val_loss for event in ends]),
        Line(at_ends, [event.train_top1 for event in ends]),
        Line(at_ends, [event.val_top1 for event in ends]),
        _numbers(run, started, ends, next((e for e in events if isinstance(e, Finished)), None)),
    )


def _numbers(
    run: RunDirectory, started: Started, ends: list[EpochDone], finished: Finished | None
) -> list[tuple[str, str, str]]:
    timing = next(reversed(run.timings()), None)
    rows = [
        (
            "Validation top-1",
            percent(ends[-1].val_top1) if ends else "not yet",
            f"The share of {started.val_images:,} pictures not trained on whose first answer is right, after the "
            "last whole epoch.",
        )
    ]
    if finished is not None and finished.test_top1 is not None:
        rows.append(
            (
                "Test top-1",
                percent(finished.test_top1),
                "The same on the test pictures, looked at only once, at the end.",
            )
        )
    if timing is not None:
        rows.append(("Trained for", duration(timing.seconds), "Pauses and interruptions are not counted."))
        rows.append(("Pictures a second", amount(timing.images_per_s), "How many it learns from a second, lately."))
        if finished is None:
            rows.append(
                ("Time left", duration(timing.seconds_left), "From the speed so far; the validations are in it.")
            )
    rows.append(("Parameters", amount(started.parameters), "Numbers that this training adjusts."))
    return rows


def newest_filters(run: RunDirectory) -> tuple[int, FirstLayer] | None:
    """The step of the newest snapshot and its first filters, in the network's own order, so that each keeps
    its place."""
    snapshots = run.snapshots()
    if not snapshots:
        return None
    step = max(snapshots)
    return step, filters_of_file(snapshots[step])


LOG_BYTES = 20_000
"""Of the end of log.txt: a page for people, not an archive."""
PASSED_OVER = ("The checkpoint of step", "metrics.jsonl has lost its end", "Compiling ")
"""How the sentences begin that tell of something that went wrong without stopping the run (`runs/checkpoints`,
`runs/recording`)."""


def printed(run: RunDirectory) -> list[str]:
    """The last lines that the run's process printed; none where it was started in a terminal."""
    try:
        with (run.path / "log.txt").open("rb") as log:
            log.seek(max(0, log.seek(0, SEEK_END) - LOG_BYTES))
            return log.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []


def passed_over(run: RunDirectory) -> list[str]:
    """What the process said, since it was last started, that it had to do without."""
    lines = printed(run)
    starts = [number for number, line in enumerate(lines) if line.startswith("Run directory:")]
    return [line for line in lines[starts[-1] if starts else 0 :] if line.startswith(PASSED_OVER)]


@dataclass(frozen=True)
class Confusions:
    """The answers at the end of a run."""

    evaluation: Evaluation
    classes: tuple[str, ...]
    counts: np.ndarray
    """int (true, predicted)."""

    def worst(self) -> tuple[int, int]:
        """The most frequent mistake; the first class itself where there is none."""
        wrong = self.counts.copy()
        np.fill_diagonal(wrong, 0)
        true, predicted = np.unravel_index(int(wrong.argmax()), wrong.shape)
        return int(true), int(predicted)

    def rows(self, true: int, predicted: int) -> list[int]:
        """The pictures in a cell, the surest answers first."""
        here = (self.evaluation.labels == true) & (self.evaluation.predictions == predicted)
        rows = np.flatnonzero(here)
        return rows[np.argsort(-self.evaluation.probabilities[rows], kind="stable")].tolist()


def confusions(run: RunDirectory, classes: tuple[str, ...]) -> Confusions:
    """How often each class was taken for each, in a run that was evaluated."""
    evaluation = run.evaluation()
    if evaluation is None:
        raise ExplorerError(
            f"Run {run.id} was not evaluated, for it ended before its last epoch; resume it to its end."
        )
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (evaluation.labels, evaluation.predictions), 1)
    return Confusions(evaluation, classes, counts)


def pictures_of(run: RunDirectory, split: str) -> StoredImages | None:
    """The pictures a run was evaluated on, where the very same prepared set is on this computer."""
    data = run.config().data
    try:
        prepared = PreparedSet.open(data.directory)
    except ExplorerError:
        return None
    return prepared.images(split) if prepared.identity == data.identity and split in prepared.splits else None
