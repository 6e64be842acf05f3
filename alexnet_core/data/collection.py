"""Pictures of any source as preparation takes them: a list of what there is, and a way to read each."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from PIL import Image

from alexnet_core.errors import ExplorerError
from alexnet_core.limits import CLASS_IMAGES, CLASSES

Progress = Callable[[int, int, str], None]
"""What long work calls: done, total, stage."""
Cancelled = Callable[[], bool]
"""What long work asks: whether to stop."""

LAYOUT = (
    f"We expect at least {CLASSES} folders, one a class, each with at least {CLASS_IMAGES} pictures "
    "(cats/1.jpg, dogs/1.jpg), with or without train and test folders above them."
)


class Refused(ExplorerError):
    """The whole source cannot be used, not only the one picture that was being read."""


def gone(name: str) -> Refused:
    """What to raise where not a picture of the source is missing but all of it, as when a disk was unplugged: the rest
    must not pass for bad pictures."""
    return Refused(f"“{name}” is not there any more. Bring it back and start again: it goes on from there.")


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture to be: where it comes from, what it shows, which split it belongs to."""

    file: str
    label: int
    split: str = "train"


@dataclass(frozen=True)
class Collection:
    """Pictures that can be read one by one, in any order, from several threads."""

    name: str
    title: str
    classes: tuple[str, ...]
    source: str
    licence: str
    entries: tuple[Entry, ...]
    read: Callable[[int], Image.Image]
    """The picture of the entry at this position; ExplorerError where it is bad, Refused where everything is."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(file, reason) of what was seen in the source and is no entry."""
    mirrors: bool = True
    """Whether a picture stays one of its class when mirrored; a digit does not."""
    facts: dict[str, list[str]] = field(default_factory=dict)
    """A list for each fact, as long as `entries`."""
    content: str = ""
    """A key of the source, whatever the size it is prepared with; empty takes the prepared set's own."""
    original: str = ""
    """Of a corrected set, the identity of the set as it came."""


def check_classes(labels: Iterable[int]) -> None:
    """Raises Refused where fewer than two classes have five pictures."""
    counts = Counter(labels)
    if sum(count >= CLASS_IMAGES for count in counts.values()) < CLASSES:
        found = f"{sum(counts.values())} usable picture(s) in {len(counts)} class(es)"
        raise Refused(f"There are too few pictures here to learn from: {found}. {LAYOUT}")
