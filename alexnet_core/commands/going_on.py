"""What goes on (`--resume`) keeps the settings it began with."""

import argparse
from collections.abc import Iterable
from typing import Any

from alexnet_core.errors import ExplorerError


def given(arguments: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """Those of the flags `names` that somebody gave, for parsers that leave out or set to None what nobody did."""
    return {name: value for name in names if (value := getattr(arguments, name, None)) is not None}


def refuse_changes(arguments: argparse.Namespace, names: Iterable[str], what: str, instead: str) -> None:
    """Raises ExplorerError where one of the flags `names` was given: it would have no effect on `what` goes on."""
    changes = given(arguments, names)
    if changes:
        flag = next(iter(changes)).replace("_", "-")
        raise ExplorerError(f"{what} goes on with the settings it began with; leave out --{flag}, or {instead}.")
