"""`staircase`: AlexNet and the ideas that came after it, trained alike on the same pictures."""

import argparse
import json
from typing import TYPE_CHECKING

from alexnet_core.commands.going_on import given, refuse_changes
from alexnet_core.errors import ExplorerError

if TYPE_CHECKING:
    from alexnet_core.runs.staircase import Staircase

SIDE = 32
"""Pixels of the pictures unless another size is given."""


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """A new one, or one that goes on."""
    parser = verbs.add_parser("staircase", help="train AlexNet mini and its successors alike, and compare")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", metavar="NAME|DIR|ZIP", help="a data set's name, a folder or zip of class folders")
    what.add_argument(
        "--resume", metavar="ID", help="go on with this one: finished runs stay, others go on; “last” is the newest"
    )
    parser.add_argument("--size", type=int, help="side in pixels of the pictures (default: 32)")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=float, metavar="M", help="of training for each run (default: 1)")
    budget.add_argument(
        "--multiply-adds", type=float, metavar="N", help="of the whole training for each run, such as 2e13"
    )
    parser.add_argument("--seeds", type=int, metavar="N", help="runs of each network (default: 3)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads (default: as many as are fastest)")
    parser.add_argument("--json", action="store_true", help="print the results as one JSON document at the end")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Climb to the top, then print the table."""
    from alexnet_core.runs.climbed import summary
    from alexnet_core.runs.stairs import expected_minutes

    if arguments.resume:
        names = ("size", "minutes", "multiply_adds", "seeds", "threads")
        refuse_changes(arguments, names, "A staircase", "begin a new one with --data")
    staircase = _resumed(arguments.resume) if arguments.resume else _new(arguments)
    asked = staircase.asked()
    if not arguments.json:
        minutes = expected_minutes(asked.budget, asked.seeds)
        about = "" if minutes is None else f", about {minutes:.0f} minutes from the beginning"
        print(f"Staircase {staircase.id} on {asked.data.title}: {len(asked.turns())} runs{about}.", flush=True)
    for sentence in staircase.climb():
        if not arguments.json:
            print(sentence, flush=True)
    found = summary(staircase.results())
    if arguments.json:
        print(json.dumps({"id": staircase.id, "stairs": found}, indent=1))
        return
    print(f"{'':<25}{'epochs':>7}{'minutes':>10}{'top-1, median (least to largest)':>36}{'runs':>6}")
    for one in found.values():
        top1 = one["top1"]
        spread = f"{top1['median']:.1%} ({top1['least']:.1%} to {top1['largest']:.1%})"
        print(f"{one['title']:<25}{one['epochs']:>7}{one['minutes']['median']:>10.2f}{spread:>36}{top1['runs']:>6}")


def _resumed(name: str) -> "Staircase":
    from alexnet_core.runs.staircase import Staircase, list_staircases

    if name != "last":
        return Staircase.find(name)
    newest = next(iter(list_staircases()), None)
    if newest is None:
        raise ExplorerError("There is no staircase yet; start one with --data.")
    return newest


def _new(arguments: argparse.Namespace) -> "Staircase":
    from alexnet_core.commands.progress import ProgressShown
    from alexnet_core.data.sources import prepare
    from alexnet_core.runs.staircase import Staircase
    from alexnet_core.runs.stairs import Budget

    minutes = 1.0 if arguments.minutes is None and arguments.multiply_adds is None else arguments.minutes or 0.0
    budget = Budget(minutes, arguments.multiply_adds or 0.0)
    with ProgressShown() as shown:
        prepared = prepare(
            arguments.data, image_size=SIDE if arguments.size is None else arguments.size, progress=shown.update
        )
    return Staircase.create(prepared, budget, **given(arguments, ("seeds", "threads")))
