"""How transferable is each layer? The experiment of Yosinski et al. 2014 ("How transferable are features in deep neural
networks?"), small enough for a laptop.

The classes of a data set are divided by lot into two halves, A and B. A network learns each. Then, for n layers: the
first n are copied into a network for B, from the network of A (“AnB”) or from that of B itself (“BnB”, the control),
and either stay as they are or learn on (“+”); the layers after them begin anew. Where AnB falls behind BnB, the copied
layers are made for A alone; where BnB itself falls behind, layers that had learned together were torn apart.

Every part is an ordinary run with a name of its own. So the experiment can be stopped at any moment, and goes on with
what is not finished yet.
"""

import hashlib
import json
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder, write_whole
from alexnet_core.places import home, runs_home
from alexnet_core.runs.directory import RUN_ID, RunDirectory
from alexnet_core.runs.processes import is_alive, last_line, start_of
from alexnet_core.runs.states import LIVE, RunState
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.events import EpochDone, Finished

BASE = "base"
KINDS: dict[str, str] = {
    "bnb": "BnB: copied from B, frozen",
    "bnb-tuned": "BnB+: copied from B, tuned",
    "anb": "AnB: copied from A, frozen",
    "anb-tuned": "AnB+: copied from A, tuned",
}
"""What a network for half B can begin with, by the kind's name in a run's name."""
DEEPEST = 7
"""Layers of AlexNet before the last one, which always begins anew."""


@dataclass(frozen=True)
class Experiment:
    """What is asked for; kept as a small file, so that a page or a later day can go on with it."""

    data: str
    """Where the prepared set lies whose classes are divided."""
    title: str
    """Of the data set."""
    classes: int
    model: str
    layers: tuple[int, ...]
    """How many layers are copied, a network of each kind for each."""
    epochs: int
    most: int
    """Training pictures of each class; 0 takes all."""
    seed: int
    """Of the division into halves and of all runs."""
    key: str
    """The beginning of every run's name."""


@dataclass(frozen=True)
class Part:
    """One run of an experiment."""

    run_id: str
    half: str
    """“a” or “b”: what it learns to tell apart."""
    kind: str
    """A key of KINDS, or BASE."""
    layers: int
    """How many are copied; 0 for the bases."""
    settings: dict[str, Any]


@dataclass(frozen=True)
class Point:
    """What one network reached."""

    kind: str
    layers: int
    top1: float
    """Of the test pictures where there are some, else of the validation's."""


def experiment(
    data: PreparedSet,
    model: str = "alexnet_mini",
    layers: Sequence[int] | None = None,
    epochs: int = 8,
    most: int = 0,
    seed: int = 0,
) -> Experiment:
    """A new experiment, or the same one again where it was asked for before; without `layers` each number of them is
    copied. Raises ExplorerError where the data set has too few classes to be divided, and for what cannot be."""
    if len(data.classes) < 4:
        raise ExplorerError(f"{data.title} has {len(data.classes)} classes; two halves need at least two each.")
    if most < 0:
        raise ExplorerError(f"There cannot be {most} training pictures of each class; 0 takes all.")
    TrainConfig(model=model, epochs=epochs, seed=seed)  # refuses what no run can have
    deepest = _deepest(model, data)
    layers = range(1, deepest + 1) if layers is None else layers
    if not layers or not all(1 <= count <= deepest for count in layers):
        raise ExplorerError(f"Between 1 and {deepest} layers can be copied; the last one always begins anew.")
    ordered = tuple(sorted(set(layers)))
    # The layers are not part of the name: asked for more of them later, the experiment grows.
    content = repr((data.identity, model, epochs, most, seed))
    key = f"transferability-{hashlib.sha256(content.encode()).hexdigest()[:8]}"
    place = str(data.directory.resolve())
    return Experiment(place, data.title, len(data.classes), model, ordered, epochs, most, seed, key)


def _deepest(model: str, data: PreparedSet) -> int:
    """How many layers of `model` can be copied. Raises ExplorerError where there is no such network, or the pictures
    are too small for it."""
    import torch

    from alexnet_core.models import build, check_image_size
    from alexnet_core.training.transfer import layers_of

    check_image_size(model, data.image_size)
    with torch.device("meta"):
        return len(layers_of(build(model, len(data.classes), data.image_size))) - 1


def parts(asked: Experiment) -> list[Part]:
    """All runs, in the order in which they are trained: the bases, then for each number of layers the four kinds."""
    common = {"model": asked.model, "recipe": "quick", "epochs": asked.epochs, "seed": asked.seed}
    found = [Part(f"{asked.key}-{BASE}-{half}", half, BASE, 0, common) for half in "ba"]
    for count in asked.layers:
        for kind in KINDS:
            begin = {
                "start_from": f"{asked.key}-{BASE}-{kind[0]}",
                "copy_layers": count,
                "learn": "everything" if kind.endswith("tuned") else "last_layers",
            }
            found.append(Part(f"{asked.key}-{kind}-{count}", "b", kind, count, common | begin))
    assert all(RUN_ID.fullmatch(part.run_id) for part in found)
    return found


def save(asked: Experiment) -> Path:
    """Keep what is asked for in the home folder, beside the layers that were asked for before."""
    path = _folder() / f"{asked.key}.json"
    before = next((one.layers for one in experiments() if one.key == asked.key), ())
    grown = replace(asked, layers=tuple(sorted({*before, *asked.layers})))
    write_whole(path, json.dumps(asdict(grown), indent=2, ensure_ascii=False).encode())
    return path


def experiments() -> list[Experiment]:
    """All that were asked for, the latest first; damaged files are left out."""
    found = []
    files = sorted(_folder().glob("transferability-*.json"), key=lambda path: -path.stat().st_mtime)
    for path in files:
        try:
            values = json.loads(path.read_bytes())
            found.append(Experiment(**(values | {"layers": tuple(values["layers"])})))
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return found


def _folder() -> Path:
    return home() / "transferability"


def halves(asked: Experiment) -> dict[str, PreparedSet]:
    """Half A and half B of the classes, divided by lot; prepared on first use. Raises ExplorerError where the data set
    has gone."""
    from alexnet_core.data.augment import order
    from alexnet_core.data.subset import of_classes

    data = PreparedSet.open(asked.data)
    lot = order(asked.seed, 0, len(data.classes)).tolist()
    cut = len(lot) // 2
    short = asked.key.removeprefix("transferability-")
    return {
        "a": of_classes(data, sorted(lot[:cut]), f"half-a-{short}", asked.most),
        "b": of_classes(data, sorted(lot[cut : 2 * cut]), f"half-b-{short}", asked.most),
    }


def carry_out(asked: Experiment, threads: int = 0) -> Iterator[tuple[int, Part, str]]:
    """Train what is not finished yet, one run after the other, each when it is its turn among all of this computer.

    Yields (runs done, the part, what there is to tell), before and after each run. Ends early, after telling it, when
    one of its runs is stopped or interrupted.
    """
    from alexnet_core.runs.data_identity import DataIdentity
    from alexnet_core.runs.queue import wait_for_turn
    from alexnet_core.runs.recording import execute
    from alexnet_core.training.recipes import settle

    data = halves(asked)
    for done, part in enumerate(parts(asked)):
        run = RunDirectory(runs_home() / part.run_id)
        if not (run.path / "config.json").exists():
            prepared = data[part.half]
            settings = settle(
                part.settings | ({"threads": threads} if threads else {}),
                train_images=prepared.count("train"),
                image_size=prepared.image_size,
                mirrors=prepared.mirrors,
            )
            title = f"Transferability, {asked.title}: {name_of(part)}"
            run = RunDirectory.create(settings, DataIdentity.of(prepared), run.path, title)
        status = run.state().status
        if status == "finished":
            continue
        if status in LIVE and status != "queued":
            raise ExplorerError(f"{run.title()} is going on in another process; wait until it is done.")
        if status not in LIVE:
            run.withdraw("STOP", "PAUSE")  # meant for a process that has gone
        yield done, part, f"{name_of(part)}: learning."
        run.write_state(RunState.of_this_process("queued"))
        if wait_for_turn(run):
            deque(execute(run), maxlen=0)
        state = run.state()
        ended = state.status == "finished"
        yield done + ended, part, f"{name_of(part)}: {state.message}"
        if not ended:
            return
        if "STOP" in run.wishes():  # it came behind the test at the end, too late to stop this run
            run.withdraw("STOP")
            return


def name_of(part: Part) -> str:
    """For people: “AnB+, 3 layers”."""
    if part.kind == BASE:
        return f"base {part.half.upper()}"
    return f"{KINDS[part.kind].partition(':')[0]}, {part.layers} layer{'s' * (part.layers > 1)}"


def points(asked: Experiment) -> list[Point]:
    """What the finished networks for half B reached; that of the base stands at 0 layers."""
    found = []
    for part in parts(asked):
        top1 = _reached(RunDirectory(runs_home() / part.run_id)) if part.half == "b" else None
        if top1 is not None:
            found.append(Point(part.kind, part.layers, top1))
    return found


def _reached(run: RunDirectory) -> float | None:
    try:
        events = run.events()
    except ExplorerError:
        return None
    last = next((event for event in reversed(events) if isinstance(event, Finished)), None)
    if last is None:
        return None
    if last.test_top1 is not None:
        return last.test_top1
    return next((event.val_top1 for event in reversed(events) if isinstance(event, EpochDone)), None)


def finished(asked: Experiment) -> int:
    """How many of its runs are."""
    runs = (RunDirectory(runs_home() / part.run_id) for part in parts(asked))
    return sum((run.path / "config.json").exists() and run.state().status == "finished" for run in runs)


def going_on(asked: Experiment) -> RunDirectory | None:
    """The run that is just being trained or waits for its turn; None where the experiment rests."""
    for part in parts(asked):
        run = RunDirectory(runs_home() / part.run_id)
        if (run.path / "config.json").exists() and run.state().status in LIVE:
            return run
    return None


def is_going_on(asked: Experiment) -> bool:
    """Whether a process carries it out: one that `start` began, also before its first run and between two of them, or
    one from a terminal that trains or waits for its turn."""
    try:
        pid, started = json.loads((_folder() / f"{asked.key}.process").read_bytes())
        if is_alive(pid, started):
            return True
    except (OSError, ValueError, TypeError):  # never begun by `start`, or half a file
        pass
    return going_on(asked) is not None


def last_words(asked: Experiment) -> str:
    """The last line that its process printed: why it ended. Empty where it was begun in a terminal."""
    return last_line(_folder() / f"{asked.key}.log")


def start(asked: Experiment) -> None:
    """Carry the experiment out in a process of its own, which lives on when the app ends. Raises ExplorerError where it
    is going on already."""
    from alexnet_core.devices import threads_beside_pages
    from alexnet_core.runs.launcher import detached

    if is_going_on(asked):
        raise ExplorerError("This experiment is already going on.")
    path = save(asked)
    make_folder(path.parent)
    command = [sys.executable, "-m", "alexnet_core", "transferability", "--resume", asked.key]
    child = detached([*command, "--threads", str(threads_beside_pages())], path.with_suffix(".log"))
    # Said at once: it takes seconds until there is a run to be seen, and a second click must find it going on.
    write_whole(path.with_suffix(".process"), json.dumps([child.pid, start_of(child.pid)]).encode())
