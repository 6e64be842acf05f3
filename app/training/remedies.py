"""A failed run started again as a new one, with another value of the setting that made it fail."""

from dataclasses import replace

from alexnet_core.runs import launcher
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.training.config import TrainConfig

CERTAIN = ("lr",)
"""Where these were the reason, going on would fail again at the same step: a run repeats itself to the bit."""


def start_again(run: RunDirectory, setting: str, value: float) -> RunDirectory:
    """A new run like `run`, with another `value`. Raises ExplorerError where its data are gone or have changed."""
    config = run.config()
    settings = replace(config.settings, **{setting: type(getattr(TrainConfig, setting))(value)})  # type: ignore[arg-type]
    return launcher.start(settings, config.data.opened(), config.title, config.processes)
