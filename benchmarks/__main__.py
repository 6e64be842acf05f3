"""All benchmarks: `python -m benchmarks [--anew] [NAME ...]` (`make bench`).

They take hours, so a series that was interrupted goes on where it stopped: what has a result for this kind of machine
is not measured again, unless it is named, all are wanted anew, or its recipe has changed since. At the end the README's
tables are made.
"""

import argparse
import subprocess
import sys

import torch

from benchmarks import report, table

COMMANDS: dict[str, list[str]] = {
    "explain": [],
    "units": [],
    "neighbours": [],
    "time_machine": [],
    "twelve": [],
    "train": [],
    "app": [],
    "start": [],
    "prepare": ["--mosaics", "10000"],
    "own_pictures": [],
    "doctor": [],
    "runs": [],
    "family": [],
    "big_network": ["--device", "cpu"],
    "peers": [],
    "records": [],
    "transfer": [],
    "staircase": [],
}
"""The modules and their arguments, the short ones first."""
MODULES = {"big_network_gpu": "big_network"}
"""Where a result is not called like the module that measures it."""
if torch.cuda.is_available():
    COMMANDS["big_network_gpu"] = ["--device", "cuda"]


def main() -> int:
    """Measure in turn; the status is 1 when a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(COMMANDS)}; default: all")
    parser.add_argument("--anew", action="store_true", help="also what has a result for this kind of machine")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in COMMANDS]
    if unknown:
        parser.error(f"there is no benchmark called {unknown[0]}; choose of: {', '.join(COMMANDS)}")
    here, failed = report.kind(), []
    print(f"This machine: {here}", flush=True)
    for name in asked.names or COMMANDS:
        before = None if asked.names or asked.anew else report.result(name, here)
        missing = [] if before is None else report.missing(before)
        if before is not None and not missing:
            print(f"{name}: measured here before; anew with: python -m benchmarks {name}", flush=True)
            continue
        for part in missing or [None]:
            command = [sys.executable, "-m", f"benchmarks.{MODULES.get(name, name)}", *COMMANDS[name]]
            command += ["--only", part] if part else []
            print(f"\n$ {' '.join(['python', *command[1:]])}", flush=True)
            if subprocess.run(command).returncode:
                failed.append(name)
    table.main()
    print(f"\nThe tables in the README are made{'' if not failed else '; FAILED: ' + ', '.join(failed)}.")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
