"""How a run stands."""

import os
import time
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from alexnet_core.runs.processes import is_alive, start_of

Status = Literal["queued", "running", "paused", "stopped", "finished", "failed", "interrupted"]
LIVE = ("queued", "running", "paused")
"""The states in which a process stands behind the run."""
PATIENCE = 60.0
"""Seconds within which the process of a run that was just queued has to say its number."""


@dataclass(frozen=True)
class RunState:
    """state.json."""

    status: Status = "queued"
    message: str = ""
    """One sentence for the person."""
    pid: int | None = None
    process_started: float | None = None
    """When the process `pid` began, as `processes.start_of` has it."""
    heartbeat: float = field(default_factory=time.time)
    remedy: tuple[str, float] | None = None
    """Of a failed run: a setting, and the value with which to start again."""

    @classmethod
    def of_this_process(cls, status: Status, message: str = "") -> "RunState":
        """A state that names the calling process as the one behind the run."""
        return cls(status, message, os.getpid(), start_of(os.getpid()))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "RunState":
        """Raises TypeError or ValueError for values that no state of this version can have."""
        state = cls(**values)
        if state.status not in get_args(Status):
            raise ValueError(state.status)
        state = replace(state, message=str(state.message), heartbeat=float(state.heartbeat))
        if state.remedy is None:
            return state
        setting, value = state.remedy
        return replace(state, remedy=(str(setting), float(value)))  # JSON has no tuples

    @property
    def abandoned(self) -> bool:
        """Whether it claims that a process stands behind the run, and none does."""
        if self.status not in LIVE:
            return False
        if self.pid is None:
            return self.status != "queued" or time.time() - self.heartbeat >= PATIENCE
        return not is_alive(self.pid, self.process_started)
