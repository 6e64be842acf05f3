"""What a failed run's own sentence says to try, as a new run."""

import re
from dataclasses import replace

from alexnet_core.runs import launcher
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.recording import data_of

NAMED = {
    "lr": re.compile(r"with a learning rate of ([0-9.e-]+) instead"),
    "batch_size": re.compile(r"with a batch size of ([0-9]+)"),
}
"""How the sentences of the training (`Training.check`, `recording`) name a setting and its value."""
CERTAIN = ("lr",)
"""Where these were the reason, going on would fail again at the same step: a run repeats itself to the bit."""


def named(message: str) -> tuple[str, float] | None:
    """The setting to change and the value to try, where `message` names them."""
    for setting, pattern in NAMED.items():
        if match := pattern.search(message):
            return setting, float(match[1]) if setting == "lr" else int(match[1])
    return None


def start_again(run: RunDirectory, setting: str, value: float) -> RunDirectory:
    """A new run like `run`, with another `value`. Raises ExplorerError where its data are gone or have changed."""
    config = run.config()
    settings = replace(config.settings, **{setting: value})  # type: ignore[arg-type]
    return launcher.start(settings, data_of(config), config.title, config.processes)
