"""A prepared set as a collection again: to be examined like any other, or prepared anew with corrections."""

from PIL import Image

from alexnet_core.data.collection import Collection, Entry
from alexnet_core.data.prepared import SPLITS, PreparedSet


def as_collection(prepared: PreparedSet) -> Collection:
    """Every row an entry, in the order of the rows, in the split it has; prepared again in the same size, the pixels
    stay what they are."""
    splits = [split for split in SPLITS if split in prepared.splits]
    images = [prepared.images(split) for split in splits]
    firsts = [prepared.splits[split][0] for split in splits]

    def read(position: int) -> Image.Image:
        number = max(place for place, first in enumerate(firsts) if first <= position < first + len(images[place]))
        return Image.fromarray(images[number][position - firsts[number]])

    facts: dict[str, list[str]] = {}
    for split in splits:
        for fact, values in (prepared.facts(split) or {}).items():
            facts.setdefault(fact, []).extend(values)
    return Collection(
        name=prepared.name,
        title=prepared.title,
        classes=prepared.classes,
        source=prepared.source,
        licence=prepared.licence,
        entries=tuple(
            Entry(file, int(label), split)
            for split in splits
            for file, label in zip(prepared.files(split), prepared.labels(split), strict=True)
        ),
        read=read,
        skipped=tuple(prepared.bad_files),
        mirrors=prepared.mirrors,
        facts=facts,
    )
