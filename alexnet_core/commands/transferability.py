"""`transferability`: which layers of a network are of use for other classes (Yosinski et al. 2014)."""

import argparse
import sys

from alexnet_core.commands.going_on import given, refuse_changes
from alexnet_core.commands.train import INTERRUPTED
from alexnet_core.errors import ExplorerError

SIDE = 32
"""Pixels of the pictures unless another size is given."""
SETTINGS = ("model", "layers", "epochs", "most", "seed")


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The experiment's few settings; what is finished is not trained again."""
    parser = verbs.add_parser(
        "transferability", help="which layers are of use for other classes (Yosinski et al. 2014)"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", metavar="NAME|DIR|ZIP", help="a data set with at least four classes")
    what.add_argument("--resume", metavar="KEY", help="go on with an experiment of this computer")
    parser.add_argument("--size", type=int, help="side in pixels to prepare the pictures at (32)")
    parser.add_argument("--model", help="the network (alexnet_mini)")
    parser.add_argument("--layers", type=int, nargs="+", metavar="N", help="how many are copied (each number)")
    parser.add_argument("--epochs", type=int, help="passes of each network over its pictures (8)")
    parser.add_argument("--most", type=int, help="training pictures of each class (all)")
    parser.add_argument("--seed", type=int, help="of the division into halves and of all runs (0)")
    parser.add_argument("--threads", type=int, default=0, help="processor threads (the fastest, measured)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Train what is not finished yet, then print what each network reached."""
    from alexnet_core.commands.progress import ProgressShown
    from alexnet_core.data.sources import prepare
    from alexnet_core.devices import keep_freed_memory
    from alexnet_core.runs import transferability as study

    keep_freed_memory()
    if arguments.resume:
        refuse_changes(arguments, (*SETTINGS, "size"), "An experiment", "begin a new one with --data")
        asked = next((one for one in study.experiments() if one.key == arguments.resume), None)
        if asked is None:
            raise ExplorerError("There is no such experiment on this computer; start one with --data.")
    else:
        with ProgressShown() as shown:
            prepared = prepare(
                arguments.data, image_size=SIDE if arguments.size is None else arguments.size, progress=shown.update
            )
        asked = study.experiment(prepared, **given(arguments, SETTINGS))
        study.save(asked)
    total = len(study.parts(asked))
    print(f"{asked.title}, {asked.classes} classes in two halves; {total} networks. Key: {asked.key}", flush=True)
    said = ""
    for done, _, said in study.carry_out(asked, arguments.threads):
        print(f"{done:3d} of {total}  {said}", flush=True)
    found = {(point.kind, point.layers): point.top1 for point in study.points(asked)}
    base = found.get((study.BASE, 0))
    print(f"\nB alone, nothing copied: {_share(base)}")
    print("layers  " + "".join(f"{title.partition(':')[0]:>10}" for title in study.KINDS.values()))
    for count in asked.layers:
        print(f"{count:6d}  " + "".join(f"{_share(found.get((kind, count))):>10}" for kind in study.KINDS))
    if study.finished(asked) < total:
        print(f"Ended early. {said}".rstrip())  # the page shows the last line
        sys.exit(INTERRUPTED)


def _share(top1: float | None) -> str:
    return "-" if top1 is None else f"{top1:.1%}"
