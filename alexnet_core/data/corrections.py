"""What a person corrected in a data set: pictures left out, classes and splits changed, findings that were in order.

A person's own files are never touched. Corrections lie in a small file in the home folder, a file for each source,
whatever size it is prepared in; they are a list of actions, so that each can be undone. Preparation applies them: the
result is a prepared set of its own beside the one as it came.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from alexnet_core import places
from alexnet_core.data.collection import Cancelled, Collection, Progress
from alexnet_core.data.preparation import write
from alexnet_core.data.prepared import FORMAT_VERSION, SPLITS, PreparedSet
from alexnet_core.data.prepared_collection import as_collection
from alexnet_core.errors import ExplorerError
from alexnet_core.files import write_whole

Kind = Literal["drop", "relabel", "split", "keep"]
KINDS = get_args(Kind)


@dataclass(frozen=True)
class Action:
    """One thing that a person did, with one click."""

    kind: Kind
    files: Mapping[str, str]
    """By the name of each picture: its new class, its new split, or (to keep it as it is) what it was suspected of;
    empty for one that is left out. Pictures of the same name share what happens to them."""


@dataclass(frozen=True)
class Corrections:
    """All that was done to one data set, in its order."""

    actions: tuple[Action, ...] = ()

    def then(self, kind: Kind, files: Mapping[str, str]) -> "Corrections":
        """With one more action; unchanged where there is nothing to do."""
        return Corrections((*self.actions, Action(kind, dict(files)))) if files else self

    def undone(self) -> "Corrections":
        """Without the last action."""
        return Corrections(self.actions[:-1])

    @property
    def dropped(self) -> set[str]:
        """Pictures that are left out."""
        return set(self._last("drop"))

    @property
    def relabelled(self) -> dict[str, str]:
        """The new class of each picture that got one."""
        return self._last("relabel")

    @property
    def moved(self) -> dict[str, str]:
        """The new split of each picture that got one."""
        return self._last("split")

    def kept(self, suspicion: str) -> set[str]:
        """Pictures that a person found to be in order, of those with this suspicion: one may have had several."""
        kept = (action.files.items() for action in self.actions if action.kind == "keep")
        return {file for files in kept for file, said in files if said == suspicion}

    @property
    def changes(self) -> int:
        """Pictures that are no longer what they were."""
        return len(self.dropped | set(self.relabelled) | set(self.moved))

    @property
    def key(self) -> str:
        """Of what they change, whatever the order it was done in; empty where they change nothing."""
        if not self.changes:
            return ""
        net = [sorted(self.dropped), sorted(self.relabelled.items()), sorted(self.moved.items())]
        return hashlib.sha256(json.dumps(net).encode()).hexdigest()

    def _last(self, kind: Kind) -> dict[str, str]:
        return {file: value for action in self.actions if action.kind == kind for file, value in action.files.items()}


def of(prepared: PreparedSet) -> Corrections:
    """The corrections of a data set; none where nothing was corrected. Raises ExplorerError for a damaged file."""
    path = _path(prepared)
    try:
        said = json.loads(path.read_text("utf-8"))
        return Corrections(tuple(_action(one) for one in said["actions"]))
    except FileNotFoundError:
        return Corrections()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExplorerError(
            f"The corrections of “{prepared.title}” cannot be read. Delete {path.name} in the folder "
            f"{path.parent.name} to go on without them."
        ) from error


def keep(prepared: PreparedSet, corrections: Corrections) -> None:
    """Write the corrections of a data set down. Raises ExplorerError when the disk is full."""
    said = {"title": prepared.title, "actions": [asdict(action) for action in corrections.actions]}
    write_whole(_path(prepared), (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode())


def _path(prepared: PreparedSet) -> Path:
    return places.corrections_home() / f"{hashlib.sha256(prepared.content.encode()).hexdigest()[:24]}.json"


def _action(said: Any) -> Action:
    if said["kind"] not in KINDS:
        raise ValueError("kind")
    return Action(said["kind"], {str(file): str(value) for file, value in said["files"].items()})


def applied(collection: Collection, corrections: Corrections) -> Collection:
    """The collection as corrected. What names a class or a split that there is not stays as it is."""
    label = {name: number for number, name in enumerate(collection.classes)}
    dropped, relabelled, moved = corrections.dropped, corrections.relabelled, corrections.moved
    stay = [place for place, entry in enumerate(collection.entries) if entry.file not in dropped]
    entries = []
    for place in stay:
        entry = collection.entries[place]
        split = moved.get(entry.file, entry.split)
        entries.append(
            replace(
                entry,
                label=label.get(relabelled.get(entry.file, ""), entry.label),
                split=split if split in SPLITS else entry.split,
            )
        )
    return replace(
        collection,
        entries=tuple(entries),
        read=lambda position: collection.read(stay[position]),
        facts={fact: [values[place] for place in stay] for fact, values in collection.facts.items()},
    )


def corrected(
    prepared: PreparedSet, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> PreparedSet:
    """The set with its corrections, prepared beside it where it is not there yet, and called like it; the set itself
    where there are none, or where it is a corrected one already. Raises ExplorerError as preparation does."""
    identity = _identity(prepared)
    if identity is None:
        return prepared
    corrections, collection = of(prepared), as_collection(prepared)
    collection = replace(applied(collection, corrections), content=prepared.content, original=prepared.identity)
    written = write(collection, _place(prepared, identity), prepared.image_size, identity, progress, cancelled)
    return replace(written, title=prepared.title)


def in_stock(prepared: PreparedSet) -> PreparedSet | None:
    """What `corrected` would give, where that lies ready."""
    identity = _identity(prepared)
    if identity is None:
        return prepared
    place = _place(prepared, identity)
    return replace(PreparedSet.open(place), title=prepared.title) if (place / "meta.json").exists() else None


def _identity(prepared: PreparedSet) -> str | None:
    key = "" if prepared.original else of(prepared).key
    return hashlib.sha256(f"{FORMAT_VERSION} {prepared.identity} {key}".encode()).hexdigest() if key else None


def _place(prepared: PreparedSet, identity: str) -> Path:
    return places.data_home() / f"{prepared.directory.name}-corrected-{identity[:8]}"
