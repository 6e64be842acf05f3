"""Which prepared data set a run learns from, and where it lies today."""

import os
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any

from alexnet_core.errors import ExplorerError
from alexnet_core.places import data_home

if TYPE_CHECKING:
    from alexnet_core.data.prepared import PreparedSet


@dataclass(frozen=True)
class DataIdentity:
    """What a run, or a staircase, remembers of its data."""

    directory: str
    name: str
    title: str
    identity: str
    """The content key of the prepared set: a run goes on only with the very same data."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "DataIdentity":
        """Raises AttributeError or TypeError for what is none."""
        return cls(**{name: str(value) for name, value in values.items()})

    @classmethod
    def of(cls, data: "PreparedSet") -> "DataIdentity":
        """That of a set as it lies there."""
        return cls(str(data.directory.resolve()), data.name, data.title, data.identity)

    def opened(self) -> "PreparedSet":
        """The set, where it was when the training began, else in this machine's own home.

        Raises ExplorerError where it is missing or another one.
        """
        from alexnet_core.data.prepared import PreparedSet  # a queued process waits without torch in memory

        directory = self.directory
        # By the rules of Windows, which knows both kinds of slashes: the training may have begun there.
        name = PureWindowsPath(self.directory).name
        # Unlike Path's, these answer for impossible names, and for folders that nobody may enter: /root, where the
        # training began in a container.
        if not os.path.exists(directory) and os.path.exists(data_home() / name):
            directory = str(data_home() / name)
        data = PreparedSet.open(directory)
        if data.identity != self.identity:
            raise ExplorerError(f"The data set {data.title} has changed since the training began; start a new one.")
        return data
