"""The verbs of the command line, one thin file each: `add_parser` names the flags, `run` calls the core and prints.

Each file imports what it computes with inside its functions, so that neither `--help` nor a run that waits for its turn
loads torch.
"""
