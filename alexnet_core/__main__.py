"""The command line: `python -m alexnet_core VERB`, installed as `alexnet`."""

import argparse
import sys
from io import TextIOWrapper

from alexnet_core import __version__
from alexnet_core.commands import data, explain, export, importing, models, predict, staircase, train, transferability
from alexnet_core.errors import ExplorerError

VERBS = (data, train, predict, explain, models, export, importing, staircase, transferability)


def main(arguments: list[str] | None = None) -> int:
    """Run one verb. Returns 0, or 2 with one sentence on standard error for anything the user can put right."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A title or a file's name may have letters that the terminal's encoding, or any encoding, does not have.
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(prog="alexnet", description="Train AlexNet, look inside it, explain what it says.")
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    for verb in VERBS:
        verb.add_parser(verbs)
    chosen = parser.parse_args(arguments)
    try:
        chosen.run(chosen)
    except ExplorerError as error:
        # A name in it can be a stranger's, with commands to the terminal.
        print(f"alexnet: {''.join(c if c.isprintable() else ' ' for c in str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(f"alexnet: {stop}" if str(stop) else "alexnet: stopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
