"""The verbs of the command line, one thin file each: `add_parser` names the flags, `run` calls the core and prints.

Each file imports what it computes with inside its functions, so that `--help` does not wait for torch.
"""

from alexnet_core.commands import data, explain, export, models, predict, train

VERBS = (data, train, predict, explain, models, export)
