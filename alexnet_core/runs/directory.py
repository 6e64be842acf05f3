"""The run directory: the only bridge between a training process and everybody who looks at it.

The training process writes; pages and commands read, and leave their wishes under `control/`.

    config.json            what was asked for
    notes.json             what a person calls it and writes beside it, where they do
    state.json             how it stands
    metrics.jsonl          what settings and seed determine, one event a line
    timing.jsonl           speed, memory, time left: what differs from run to run
    checkpoints/           all that is needed to go on
    snapshots/             the weights at the start, after 1, 2, 4, 8 ... steps, at ends of epochs; half precision
    network.safetensors    the network of the last whole epoch, usable on its own
    evaluation.npz         the answers of that network at the end: labels, predictions, probabilities
    control/               STOP, PAUSE
    log.txt                what the process printed
"""

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Literal, get_args

from alexnet_core import __version__
from alexnet_core.errors import ExplorerError
from alexnet_core.files import append_line, clear_leftovers, make_folder, read_whole, sync, write_in_place, write_whole
from alexnet_core.places import bundled_runs, runs_home
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.evaluation import Evaluation, read_evaluation
from alexnet_core.runs.notes import Notes, read_notes
from alexnet_core.runs.states import RunState
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.events import Event, from_record, to_record

if TYPE_CHECKING:
    from alexnet_core.models import Network

RUN_ID = re.compile(r"[a-z0-9][a-z0-9_-]{2,79}")
Wish = Literal["STOP", "PAUSE"]
FIRST_LAYER = "-first-layer"
"""At the end of a snapshot's name: it holds that layer alone."""


@dataclass(frozen=True)
class RunConfig:
    """config.json."""

    settings: TrainConfig
    data: DataIdentity
    created: str
    """Local time, ISO 8601."""
    title: str = ""
    """A name a person gave; empty means the one made from network and data."""
    processes: int = 1
    """How many train it together. No setting, for the curve does not depend on it beyond rounding; the bits do, so a
    run goes on only with as many."""
    program: str = __version__


@dataclass(frozen=True)
class Timing:
    """One line of timing.jsonl."""

    step: int
    epoch: int
    seconds: float
    """Spent training so far, pauses and interruptions not counted."""
    images_per_s: float
    seconds_left: float
    memory_mb: float


class RunDirectory:
    """One run on disk. Cheap to make; every read looks at the files anew."""

    def __init__(self, path: Path) -> None:
        self.path = path

    # -- making and finding ------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        settings: TrainConfig,
        data: DataIdentity,
        path: Path | None = None,
        title: str = "",
        processes: int = 1,
    ) -> "RunDirectory":
        """A new run, queued. Without `path` it lies in the runs home under an id of our own making.

        Raises ExplorerError when `path` already holds something.
        """
        now = datetime.now()
        if path is None:
            name = re.sub(r"[^a-z0-9]+", "-", data.name.lower()).strip("-")[:24] or "data"
            path = runs_home() / f"{now:%Y%m%d-%H%M%S}-{settings.model}-{name}-{token_hex(4)}"
        # Unlike Path's, these answer for impossible names, and for folders that nobody may enter.
        if os.path.exists(path) and (not os.path.isdir(path) or any(path.iterdir())):
            raise ExplorerError(f"{path.name} already exists and is not empty; choose another place, or --resume it.")
        run = cls(path)
        for folder in ("checkpoints", "snapshots", "control"):
            make_folder(path / folder)
        config = RunConfig(settings, data, now.isoformat(timespec="seconds"), title, processes)
        write_whole(path / "config.json", _json(asdict(config)))
        run.write_state(RunState())
        return run

    @classmethod
    def open(cls, path: Path) -> "RunDirectory":
        """An existing run. Raises ExplorerError when the directory is none, or half written."""
        run = cls(path)
        if not os.path.isdir(path):  # which answers for impossible names, too
            raise ExplorerError(f"There is no run directory {path.name:.80}; check the path.")
        run.config()
        return run

    @classmethod
    def find(cls, run_id: str, roots: tuple[Path, ...] = ()) -> "RunDirectory":
        """The run with this id among the person's runs and the bundled ones, or in other `roots`: the one entrance for
        ids from outside.

        Raises ExplorerError for a name no run can have, and for one no run has.
        """
        if not RUN_ID.fullmatch(run_id):
            raise ExplorerError("That is not the name of a run; choose one from the list.")
        for root in roots or (runs_home(), bundled_runs()):
            path = root / run_id
            if (path / "config.json").is_file() and path.resolve().parent == root.resolve():
                return cls.open(path)
        raise ExplorerError(f"There is no run called {run_id} any more; choose one from the list.")

    @property
    def id(self) -> str:
        """The directory's name."""
        return self.path.name

    @property
    def bundled(self) -> bool:
        """Whether it came with the program."""
        return self.path.resolve().parent == bundled_runs().resolve()

    # -- what was asked for ------------------------------------------------------------------------------------

    def config(self) -> RunConfig:
        """Raises ExplorerError when config.json is missing, damaged or from a version with other settings."""
        values = self._read_json("config.json")
        try:
            return RunConfig(
                settings=TrainConfig.from_dict(values["settings"]),
                data=DataIdentity.from_dict(values["data"]),
                created=str(values["created"]),
                title=str(values.get("title", "")),
                processes=int(values.get("processes", 1)),
                program=str(values["program"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ExplorerError(
                f"The settings of run {self.id} are damaged; start a new one on the page Train."
            ) from error

    def title(self) -> str:
        """The name for the screen."""
        return title_of(self.config(), read_notes(self.path))

    # -- how it stands -----------------------------------------------------------------------------------------

    def state(self) -> RunState:
        """How the run stands now: a run whose process is gone is interrupted, whatever it last wrote."""
        values = self._read_json("state.json")
        try:
            state = RunState.from_dict(values)
        except (TypeError, ValueError) as error:
            raise ExplorerError(
                f"The state of run {self.id} is damaged, or from another version of the program; resume it or start it "
                "again."
            ) from error
        if state.abandoned:
            message = (
                "The training process has gone, with the machine or by force; nothing saved is lost. Resume to go on."
            )
            return replace(state, status="interrupted", message=message, pid=None, process_started=None)
        return state

    def write_state(self, state: RunState, *, in_place: bool = False) -> None:
        """Replace state.json in one step; `in_place` is for a full disk, where there is no room for a second one."""
        (write_in_place if in_place else write_whole)(self.path / "state.json", _json(asdict(state)))

    # -- what happened -----------------------------------------------------------------------------------------

    def events(self) -> list[Event]:
        """All events so far. An unfinished last line is not one yet."""
        try:
            return [from_record(record) for record in self._lines("metrics.jsonl")]
        except (KeyError, TypeError) as error:
            raise ExplorerError(f"The events of run {self.id} are from another version of the program.") from error

    def append_event(self, event: Event) -> None:
        """Add one event to metrics.jsonl."""
        self._append("metrics.jsonl", to_record(event))

    def timings(self) -> list[Timing]:
        """All timing lines so far."""
        try:
            return [Timing(**record) for record in self._lines("timing.jsonl")]
        except TypeError as error:
            raise ExplorerError(f"The timing of run {self.id} is from another version of the program.") from error

    def append_timing(self, timing: Timing) -> None:
        """Add one line to timing.jsonl."""
        self._append("timing.jsonl", {k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(timing).items()})

    def metrics_size(self) -> int:
        """Bytes of metrics.jsonl; a checkpoint remembers it."""
        path = self.path / "metrics.jsonl"
        return path.stat().st_size if path.exists() else 0

    def timing_size(self) -> int:
        """Bytes of timing.jsonl."""
        path = self.path / "timing.jsonl"
        return path.stat().st_size if path.exists() else 0

    def sync_metrics(self) -> None:
        """Bring the events to the disk, so that a checkpoint never remembers more than there is."""
        if self.metrics_size():
            sync(self.path / "metrics.jsonl")

    def truncate(self, *, metrics: int, timing: int) -> None:
        """Forget what came after a checkpoint, given as bytes of both files: going on from it will write it again."""
        for name, size in (("metrics.jsonl", metrics), ("timing.jsonl", timing)):
            path = self.path / name
            if path.exists():
                # A machine that died may have lost the end of what was not brought to the disk.
                os.truncate(path, min(size, path.stat().st_size))

    def clear_leftovers(self) -> None:
        """Remove half-written files of a process that was killed; for the process behind the run, at its start."""
        for name in ("state.json", "network.safetensors", "evaluation.npz"):
            clear_leftovers(self.path, name)
        clear_leftovers(self.path / "checkpoints", "step-*")
        clear_leftovers(self.path / "snapshots", "step-*")

    # -- wishes ------------------------------------------------------------------------------------------------

    def ask(self, wish: Wish) -> None:
        """Leave a wish for the training process, looked at between two steps; of one process STOP also in the test at
        the end."""
        make_folder(self.path / "control")
        (self.path / "control" / wish).touch()

    def withdraw(self, *wishes: Wish) -> None:
        """Take wishes back: withdrawing PAUSE lets a paused run go on."""
        for wish in wishes:
            (self.path / "control" / wish).unlink(missing_ok=True)

    def wishes(self) -> set[str]:
        """The wishes that stand."""
        return {wish for wish in get_args(Wish) if (self.path / "control" / wish).exists()}

    def seconds_since(self, wish: Wish) -> float:
        """How long a wish has stood; 0 where it does not stand (any more)."""
        try:
            return max(0.0, time.time() - (self.path / "control" / wish).stat().st_mtime)
        except OSError:
            return 0.0

    # -- what was learned --------------------------------------------------------------------------------------

    def snapshots(self, *, whole: bool = False) -> dict[int, Path]:
        """The snapshots by step, in order; with `whole` only those that hold more than the first layer."""
        paths = sorted((self.path / "snapshots").glob("step-*.safetensors"))
        return {int(path.stem[5:13]): path for path in paths if not (whole and path.stem.endswith(FIRST_LAYER))}

    def snapshot_path(self, step: int, *, whole: bool = True) -> Path:
        """Where the snapshot of `step` lies or will lie."""
        return self.path / "snapshots" / f"step-{step:08d}{'' if whole else FIRST_LAYER}.safetensors"

    @property
    def network_path(self) -> Path:
        """Where the network of the last epoch lies once there is one."""
        return self.path / "network.safetensors"

    def latest_network_path(self) -> Path | None:
        """The last epoch's network, else (before the first epoch is over) the newest snapshot, else None. That of step
        0 is passed over: it has learned nothing, and nobody should take its answers for those of a trained network."""
        if self.network_path.exists():
            return self.network_path
        return next((path for step, path in reversed(self.snapshots(whole=True).items()) if step), None)

    def network(self) -> "Network":
        """The run's network: frozen, in eval mode, on the CPU. Raises ExplorerError while there is none yet."""
        from alexnet_core.models.weights import load_network  # a queued process waits without torch in memory

        path = self.latest_network_path()
        if path is None:
            raise ExplorerError(f"Run {self.id} has no network yet; let it train for a moment.")
        return load_network(path, source=self.title())

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Write evaluation.npz."""
        write_whole(self._evaluation_path, evaluation.to_bytes())

    def evaluation(self) -> Evaluation | None:
        """The answers at the end of the run; None before. Raises ExplorerError where the file is damaged."""
        return read_evaluation(self._evaluation_path) if self._evaluation_path.exists() else None

    @property
    def _evaluation_path(self) -> Path:
        return self.path / "evaluation.npz"

    # -- files -------------------------------------------------------------------------------------------------

    def _read_json(self, name: str) -> dict[str, Any]:
        try:
            values = json.loads(read_whole(self.path / name).decode())
        except FileNotFoundError as error:
            raise ExplorerError(f"{self.path.name} is not a whole run directory: {name} is missing.") from error
        except (OSError, ValueError) as error:
            raise ExplorerError(f"{name} of run {self.path.name} is damaged; start the run again.") from error
        if not isinstance(values, dict):
            raise ExplorerError(f"{name} of run {self.path.name} is damaged; start the run again.")
        return values

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        path = self.path / name
        if not path.exists():
            return
        *whole, _unfinished = path.read_bytes().split(b"\n")
        for number, line in enumerate(whole, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise ExplorerError(f"Line {number} of {name} in run {self.id} is damaged; repeat the run.") from error

    def _append(self, name: str, record: dict[str, Any]) -> None:
        append_line(self.path / name, (json.dumps(record, allow_nan=False) + "\n").encode())


def title_of(config: RunConfig, notes: Notes) -> str:
    """The name for the screen: what a person called the run, else what it is."""
    made = f"{config.settings.model} on {config.data.title}, {config.created[:16].replace('T', ' ')}"
    return notes.title or config.title or made


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()
