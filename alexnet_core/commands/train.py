"""`train`: a new run, or one that goes on."""

import argparse
import dataclasses
import os
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alexnet_core.commands.going_on import given, refuse_changes
from alexnet_core.errors import ExplorerError
from alexnet_core.training.config import BOUNDS, CHOICES, TrainConfig, explanations

if TYPE_CHECKING:
    from alexnet_core.data.prepared import PreparedSet
    from alexnet_core.distributed import World
    from alexnet_core.runs.data_identity import DataIdentity
    from alexnet_core.runs.directory import RunDirectory


SETTINGS = tuple(field.name for field in dataclasses.fields(TrainConfig))
INTERRUPTED = 130
"""The exit status of a run that saved and left upon Ctrl-C or SIGTERM: not 0, or what a script has next would begin
with half a network."""


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The flags are the fields of TrainConfig."""
    parser = verbs.add_parser("train", help="train a network, or go on with a run")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--data", metavar="NAME|DIR|ZIP", help="a data set's name, a folder or zip of class folders")
    what.add_argument("--resume", metavar="RUN_DIR", type=Path, help="go on with this run from its last checkpoint")
    parser.add_argument(
        "--settings",
        metavar="FILE",
        type=Path,
        help="start what a settings file of the page Runs asks for, or a run's config.json; other flags win over it",
    )
    parser.add_argument("--size", type=int, help="side in pixels to prepare the pictures at")
    parser.add_argument("--out", metavar="RUN_DIR", type=Path, help="where the run lies; made by us unless given")
    parser.add_argument("--title", help="a name for people")
    parser.add_argument(
        "--measure",
        action="store_true",
        help="first measure the fastest way to compute anew, compiling included, and remember it; a minute or two",
    )
    parser.add_argument("--queue", action="store_true", help="wait until the runs beside this one have ended")
    settings = parser.add_argument_group("settings", "What is not given comes from the recipe, then from the data.")
    for field in dataclasses.fields(TrainConfig):
        flag, text = "--" + field.name.replace("_", "-"), explanations()[field.name].replace("%", "%%")
        options: dict[str, Any] = {"default": argparse.SUPPRESS, "help": text}
        if isinstance(field.default, bool):
            options["action"] = argparse.BooleanOptionalAction
        else:
            options |= {"type": type(field.default), "choices": CHOICES.get(field.name)}
            options["metavar"] = None if field.name in CHOICES else "N" if field.name in BOUNDS else "NAME"
        settings.add_argument(flag, **options)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Make or open the run, wait for its turn where asked to, and follow it to its end."""
    if arguments.settings is not None:
        _take_settings(arguments)
    if arguments.resume:
        instead = "begin a new run: train --settings RUN_DIR/config.json, with what is to change"
        refuse_changes(arguments, (*SETTINGS, "size", "out", "title"), "A run", instead)
    if not arguments.data and not arguments.resume:
        raise ExplorerError(
            "Say what to learn from: --data NAME, FOLDER or ZIP; or --settings FILE, or --resume RUN_DIR."
        )
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        _run_together(arguments)
        return
    chosen = _chosen(arguments)
    print(f"Run directory: {chosen.path}", flush=True)
    if _has_turn(arguments, chosen):
        _follow(chosen)


def _take_settings(arguments: argparse.Namespace) -> None:
    """Fill in what a settings file says and no flag does."""
    from alexnet_core.runs.settings_file import read_settings_file, source_of
    from alexnet_core.training.recipes import QUICK, RECIPES

    if arguments.resume:
        raise ExplorerError("A run goes on with the settings it began with; leave out --settings or --resume.")
    request = read_settings_file(arguments.settings)
    named = set(vars(arguments))
    other = "recipe" in named and arguments.recipe != request.settings.get("recipe")
    if other and set(RECIPES.get(arguments.recipe, QUICK).settings) <= set(request.settings):
        raise ExplorerError(
            "The settings file says all that a recipe would, and wins over it; leave out --recipe or --settings."
        )
    for name, value in request.settings.items():
        # A network given beside the file may not have what the file's network had.
        if name not in named and (name != "batch_norm" or _has_batch_norm(getattr(arguments, "model", ""))):
            setattr(arguments, name, value)
    if arguments.data is None:
        arguments.data = source_of(request)
        arguments.size = arguments.size or request.image_size
    elif not os.path.exists(os.path.join(arguments.data, "meta.json")):  # where it does, the set is prepared already
        arguments.size = arguments.size or request.image_size


def _has_batch_norm(model: str) -> bool:
    """Whether that is a setting of the network; also for one that nobody named, or that there is not."""
    from alexnet_core.models import MODELS

    return model not in MODELS or "batch_norm" in MODELS[model].settings


def _run_together(arguments: argparse.Namespace) -> None:
    """The same in each process that torchrun started. The main one makes or opens the run, waits for its turn, and
    tells; on other machines one process sees to it that the data set is there, too."""
    # PyTorch would advise, once a process, against the order of gradients that an exact resume needs (training/loop).
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from alexnet_core.devices import keep_freed_memory
    from alexnet_core.distributed import joined
    from alexnet_core.runs.directory import RunDirectory
    from alexnet_core.runs.recording import execute

    try:
        with joined() as world:
            chosen = RunDirectory(world.from_main(lambda: _chosen(arguments, world.world_size).path.absolute()))
            if arguments.data:
                data = world.from_main(lambda: chosen.config().data)
                # What was not given may come from the network to start from, which only the main process has asked.
                size = world.from_main(lambda: data.opened().image_size)
                world.together(lambda: _see_to_data(arguments.data, size, data) if world.local_rank == 0 else None)
            if world.is_main:
                print(f"Run directory: {chosen.path}", flush=True)
            if not world.from_main(lambda: _has_turn(arguments, chosen)):
                return
            if world.is_main:
                _follow(chosen, world)
            else:
                keep_freed_memory()
                deque(execute(chosen, world), maxlen=0)
    except ExplorerError:
        # Outside: to `joined` an exit is an end that all processes come to.
        if world.is_main:
            raise
        sys.exit(2)  # the main process says why


def _chosen(arguments: argparse.Namespace, processes: int = 1) -> "RunDirectory":
    from alexnet_core.runs.directory import RunDirectory
    from alexnet_core.runs.states import LIVE

    if not arguments.resume:
        return _new_run(arguments, processes)
    if arguments.measure:
        raise ExplorerError("A run goes on in the way it began, so --measure is only for a new one; leave it out.")
    chosen = RunDirectory.open(arguments.resume)
    if chosen.state().status not in LIVE:
        # Whoever resumes it wants it to go on: a pause or stop that still stands was meant for a process that has gone.
        chosen.withdraw("STOP", "PAUSE")
    return chosen


def _has_turn(arguments: argparse.Namespace, chosen: "RunDirectory") -> bool:
    from alexnet_core.runs.queue import wait_for_turn

    return not arguments.queue or wait_for_turn(chosen)


def _see_to_data(source: str, size: int, data: "DataIdentity") -> None:
    """Prepare the data set on this machine unless it is there, from here or on a disk that all machines share."""
    from alexnet_core.data.sources import prepare

    try:
        data.opened()
    except ExplorerError:
        prepare(source, image_size=size)


def _new_run(arguments: argparse.Namespace, processes: int) -> "RunDirectory":
    from alexnet_core.commands.progress import ProgressShown
    from alexnet_core.data.sources import prepare
    from alexnet_core.limits import IMAGE_SIZE
    from alexnet_core.runs.data_identity import DataIdentity
    from alexnet_core.runs.directory import RunDirectory
    from alexnet_core.runs.starting import check_fit, with_source
    from alexnet_core.training.recipes import settle

    # What no run can have is refused before a long preparation, as if of large pictures and many.
    explicit = given(arguments, SETTINGS)
    TrainConfig.from_dict(explicit)
    with ProgressShown() as shown:
        explicit, source = with_source(explicit, shown.update)
        settle(explicit, train_images=10**9, image_size=IMAGE_SIZE[1])
        size = arguments.size
        if source is not None and size is None and not os.path.exists(os.path.join(arguments.data, "meta.json")):
            size = source.preprocessing.size  # that of the pictures it has learned from
        prepared = prepare(arguments.data, image_size=size, progress=shown.update)
    settings = settle(
        explicit,
        train_images=prepared.count("train"),
        image_size=prepared.image_size,
        mirrors=prepared.mirrors,
    )
    if source is not None:
        check_fit(settings, source, prepared.classes, prepared.image_size)
    if arguments.measure:
        _measure(settings, prepared, processes)
    return RunDirectory.create(settings, DataIdentity.of(prepared), arguments.out, _title(arguments), processes)


def _title(arguments: argparse.Namespace) -> str:
    """The name that was given as one line of letters: a terminal hands over anything, also what no file can hold."""
    from alexnet_core.images import clean_name

    return clean_name(arguments.title) if (arguments.title or "").strip() else ""


def _measure(settings: TrainConfig, prepared: "PreparedSet", processes: int) -> None:
    from alexnet_core.devices import keep_freed_memory
    from alexnet_core.training.pace import fastest

    if processes > 1:
        raise ExplorerError("--measure is for one process; leave it out, or start without torchrun.")
    keep_freed_memory()
    way = fastest(settings, prepared, tell=lambda sentence: print(sentence, flush=True), anew=True)
    print(f"Fastest: {way}.", flush=True)


def _follow(chosen: "RunDirectory", *world: "World") -> None:
    """Print what happens: a bar in a terminal, plain lines otherwise."""
    from tqdm import tqdm

    from alexnet_core.devices import keep_freed_memory
    from alexnet_core.runs.directory import Timing
    from alexnet_core.runs.listing import last_record
    from alexnet_core.runs.recording import execute
    from alexnet_core.training.events import EpochDone, Finished, Started

    keep_freed_memory()
    # No thread that watches the bar: where memory has ended it dies at its birth, and its parent waits for it for ever.
    tqdm.monitor_interval = 0
    settings = chosen.config().settings
    # Of a run that goes on: it does not say again how many steps it has.
    began = last_record(chosen.path / "metrics.jsonl", "started") or {}
    with tqdm(total=began.get("steps"), unit=" steps", disable=not sys.stderr.isatty(), dynamic_ncols=True) as bar:
        for event in execute(chosen, *world):
            match event:
                case str():
                    bar.write(event)
                case Started():
                    bar.total = event.steps
                    bar.write(
                        f"{settings.model}, {event.parameters:,} parameters; {event.train_images:,} training and "
                        f"{event.val_images:,} validation pictures; {event.epochs} "
                        f"{'epoch' if event.epochs == 1 else 'epochs'}, {event.steps:,} steps."
                    )
                case Timing():
                    bar.update(event.step - bar.n)
                    bar.set_postfix_str(f"{event.images_per_s:,.0f} pictures/s")
                case EpochDone():
                    bar.write(
                        f"epoch {event.epoch:3d}/{settings.epochs}  train loss {event.train_loss:.3f}  "
                        f"val loss {event.val_loss:.3f}  top-1 {event.val_top1:.1%}  top-5 {event.val_top5:.1%}  "
                        f"lr {event.lr:.2g}"
                    )
                case Finished(test_top1=float(top1), test_top5=float(top5)):
                    bar.write(f"Test: top-1 {top1:.2%}, top-5 {top5:.2%}.")
    state = chosen.state()
    if state.status == "failed":
        raise ExplorerError(state.message)
    if state.status == "interrupted":
        sys.exit(INTERRUPTED)
