"""`python -m tests.endurance` (`make endurance`): every trial in full, a table, endurance.json in benchmarks/results.

About a quarter of an hour on two quiet cores. `--part kills` and the like run one part alone, `--scale 0.1` a tenth of
the trials; neither writes the results. The exit status is 1 when anything differs, or a broken engine is not caught.
"""

import argparse
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alexnet_core.data.prepared import PreparedSet
from benchmarks.report import machine, write

from . import broken, child, damage, kills, signals, trouble
from .runs import EVERYTHING, SETTINGS, new_run, small_pictures, small_set

KILLS, IN_SAVING, RESUMES = 100, 34, 90
"""Of all settings together."""
FULL_DISKS, SIGNALS = 20, 20


class Trials:
    """What all parts share: the data set, chance, a place, the share of the trials that is asked for."""

    def __init__(self, place: Path, scale: float, seed: int) -> None:
        self.place, self.scale, self.lot = place, scale, random.Random(seed)
        self.data: PreparedSet = small_set(place)

    def some(self, number: int) -> int:
        """So many of `number`, at least one."""
        return max(1, round(number * self.scale))

    # Each part returns what it counted; under "found" what should not have been, and how often.

    def kills(self) -> dict[str, Any]:
        """SIGKILL over all settings, until there are enough of each kind."""
        total, each = kills.Account(), {}
        wanted = {name: -(-self.some(number) // len(SETTINGS)) for name, number in QUOTAS.items()}
        for name, settings in SETTINGS.items():
            account, place = kills.Account(), self.place / "kills" / name
            expected = child.undisturbed(new_run(self.data, place / "whole", settings))
            while any(getattr(account, kind) < number for kind, number in wanted.items()):
                run = new_run(self.data, place / str(account.runs), settings)
                enough = account.in_saving >= wanted["in_saving"]
                ways = [kills.at_random, kills.before_first_checkpoint] + [kills.in_saving] * (1 if enough else 2)
                account.add(kills.endure(run, expected, self.lot, ways, kills=wanted["kills"] + 1))
            each[name] = counted(account)
            total.add(account)
        return counted(total) | {"each": each}

    def broken(self) -> dict[str, Any]:
        """Every broken engine; what is not caught is found."""
        by, missed = {}, Counter[str]()
        for name in list(broken.BROKEN)[: self.some(len(broken.BROKEN))]:
            account = broken.tried(name, self.data, self.place / "broken" / name, self.lot)
            checks = sorted({broken.caught(phrase) for phrase in account.found})
            by[name] = {"kills": account.kills, "resumes": account.resumes, "caught_by": checks}
            missed[f"{name} is not caught"] += not checks
        poisoned = trouble.no_number(self.data, self.place / "poisoned", "trouble.poisoned_checkpoints")
        by["poisoned_checkpoints"] = {"kills": 0, "resumes": 0, "caught_by": poisoned}
        missed["poisoned_checkpoints is not caught"] += "a checkpoint is poisoned" not in poisoned
        return {"variants": len(by), "found": dict(+missed), "each": by}

    def damage(self) -> dict[str, Any]:
        """The newest checkpoint damaged."""
        expected = child.undisturbed(new_run(self.data, self.place / "damage" / "whole", EVERYTHING))
        left = new_run(self.data, self.place / "damage" / "left", EVERYTHING)
        damage.left_in_the_middle(left)
        found, each = Counter[str](), {}
        for name, (number, way) in damage.DAMAGES.items():
            each[name] = self.some(number)
            for _ in range(each[name]):
                place = self.place / "damage" / "copy"
                found.update(damage.damaged(left, place, expected, way, self.lot))
        return {"ways": sum(each.values()), "found": dict(found), "each": each}

    def disk(self) -> dict[str, Any]:
        """A full disk at points spread evenly over all that is written."""
        place, settings = self.place / "disk", EVERYTHING | {"epochs": 3}
        whole = new_run(self.data, place / "whole", settings)
        expected = child.undisturbed(whole)
        last = trouble.operations(new_run(self.data, place / "counted", settings), place / "operations")
        number = self.some(FULL_DISKS)
        found = Counter[str]()
        for point in range(number):
            operation = 1 + round(point * (last * 0.95) / max(1, number - 1))
            found.update(trouble.full_disk(new_run(self.data, place / str(point), settings), expected, operation))
        return {"points": number, "writing_operations": last, "found": dict(found)}

    def signals(self) -> dict[str, Any]:
        """SIGTERM and Ctrl-C in turn, at every moment."""
        place = self.place / "signals"
        expected = child.undisturbed(new_run(self.data, place / "whole", EVERYTHING))
        pictures = small_pictures(place / "pictures")
        found, each = Counter[str](), Counter[str]()
        saved, gone = 0.0, 0.0
        for number in range(self.some(SIGNALS)):
            sent = (signal.SIGTERM, signal.SIGINT)[number % 2]
            moment = signals.MOMENTS[number // 2 % len(signals.MOMENTS)]
            asked = signals.interrupted(
                moment, sent, self.data.directory, pictures, place / str(number), expected, self.lot
            )
            saved, gone = max(saved, asked.saved_seconds), max(gone, asked.seconds)
            each[f"{sent.name} {moment.__name__}"] += 1
            found.update(f"{sent.name} {moment.__name__}: {phrase}" for phrase in asked.found)
        longest = {"longest_to_saved_s": round(saved, 2), "longest_to_gone_s": round(gone, 2)}
        return {"signals": sum(each.values())} | longest | {"found": dict(found), "each": dict(each)}

    def trouble(self) -> dict[str, Any]:
        """The troubles that come once."""
        place = self.place / "trouble"
        expected = child.undisturbed(new_run(self.data, place / "whole", EVERYTHING))
        left = new_run(self.data, place / "left", EVERYTHING)
        damage.left_in_the_middle(left)
        results = {
            "a loss that is no number": trouble.no_number(self.data, place / "nan"),
            "too little memory": trouble.too_little_memory(self.data, place / "memory"),
            "hardly any memory": trouble.too_little_memory(self.data, place / "hardly-any", 1),
            "pixels cut short before a resume": trouble.cut_pictures(left, place / "cut", expected),
            "pixels cut short while training": trouble.cut_pictures_in_training(
                new_run(self.data, place / "cut-later", EVERYTHING), expected
            ),
            "bad pictures in a folder": trouble.bad_pictures(place / "folder", packed=False),
            "bad pictures in a zip": trouble.bad_pictures(place / "zip", packed=True),
        }
        found = Counter(f"{name}: {phrase}" for name, phrases in results.items() for phrase in phrases)
        return {"troubles": len(results), "found": dict(found)}


QUOTAS = {"kills": KILLS, "in_saving": IN_SAVING, "resumes": RESUMES}
PARTS = ("kills", "broken", "damage", "disk", "signals", "trouble")


def counted(account: kills.Account) -> dict[str, Any]:
    """An account as plain values."""
    return asdict(account) | {"found": {re.sub(r"\d{3,}", "…", key): number for key, number in account.found.items()}}


def main() -> int:
    """Run the parts asked for, print each as it ends, write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=PARTS, action="append", help="one part alone; may be given again")
    parser.add_argument("--scale", type=float, default=1.0, help="the share of the trials to make")
    parser.add_argument("--seed", type=int, default=0, help="the number from which the instants are drawn")
    asked = parser.parse_args()
    # A shell that runs this in the background has Ctrl-C ignored here and in all that is started from here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    about, began = machine(), time.monotonic()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        trials = Trials(Path(place), asked.scale, asked.seed)
        for part in asked.part or PARTS:
            since = time.monotonic()
            result = getattr(trials, part)()
            results[part] = result | {"seconds": round(time.monotonic() - since)}
            show(part, results[part])
    minutes = (time.monotonic() - began) / 60
    print(f"{minutes:.1f} minutes.")
    if not asked.part and asked.scale == 1.0:
        about |= {"checkpoints": "every 0.03 s", "full_disk": "simulated"}
        write("endurance", {"command": "make endurance", "machine": about, "minutes": round(minutes, 1)} | results)
    return int(any(result["found"] for result in results.values()))


def show(part: str, result: dict[str, Any]) -> None:
    """One part of the table."""
    counts = ", ".join(f"{key} {value}" for key, value in result.items() if key not in ("found", "each", "seconds"))
    print(f"{part:<9} {counts}; {result['seconds']} s; found: {result['found'] or 'nothing'}", flush=True)
    for name, each in result.get("each", {}).items():
        line = ", ".join(f"{key} {value}" for key, value in each.items()) if isinstance(each, dict) else each
        print(f"    {name}: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
