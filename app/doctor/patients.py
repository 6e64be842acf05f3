"""Which data set is examined: chosen by name and kept in the address, prepared where it is not, and its findings."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import streamlit as st

from alexnet_core.data import corrections
from alexnet_core.data.album import find
from alexnet_core.data.collecting import read_collection
from alexnet_core.data.collection import Collection
from alexnet_core.data.corrections import Corrections
from alexnet_core.data.doctor import Findings, examine, findings_file
from alexnet_core.data.prepared import SPLITS, PreparedSet
from alexnet_core.data.shards import StoredImages
from alexnet_core.data.sources import available, prepare, prepared_album
from alexnet_core.errors import ExplorerError
from app import words
from app.choices import choose_in_address
from app.datasets import is_collected, offers, unasked, usual_size
from app.store import Store


@dataclass(frozen=True)
class Patient:
    """A data set with what was found in it and what was corrected."""

    source: str
    """What `prepare` takes for it."""
    prepared: PreparedSet
    """The set as it came."""
    corrections: Corrections
    all_findings: Findings
    """As it came."""
    findings: Findings
    """What is still open."""
    rows: dict[str, int]
    """The row of each picture among all of `prepared`, by its file name."""

    @property
    def images(self) -> StoredImages:
        """All prepared pictures, whatever their split."""
        return all_rows(self.prepared)

    def pictures(self, places: Sequence[int]) -> np.ndarray:
        """The prepared squares at these positions of the open findings: uint8 (n, S, S, 3)."""
        return self.images[[self.rows[self.findings.files[place]] for place in places]]


def all_rows(prepared: PreparedSet) -> StoredImages:
    """The pictures of all splits, in the order of their rows."""
    last = max(last for _, last in prepared.splits.values())
    return StoredImages(prepared.directory, prepared.image_size, prepared.rows_per_shard, 0, last)


def choose() -> tuple[str, PreparedSet]:
    """The data set to examine, what `prepare` takes for it, and the set as it came. Stops the page while there is
    something to decide first."""
    sets = offers(available())
    source = choose_in_address(
        "Data set",
        "data",
        sets,
        next(iter(sets)),
        "Any set that a network can learn from. Make one of your own on the page Your pictures.",
        announce=True,
    )
    return source, _as_it_came(source)


def _as_it_came(source: str) -> PreparedSet:
    sizes = [one.image_size for entry in available() if entry.source == source for one in entry.prepared]
    size = sizes[0] if sizes else usual_size(source)
    known = st.session_state.setdefault("patients", {})
    if (source, size) in known and not is_collected(source):  # what is collected may have changed meanwhile
        return known[source, size]
    if not sizes and not unasked(source):
        st.info("These pictures are not prepared on this computer yet.", icon=":material/inventory_2:")
        if not st.button("Prepare and examine", type="primary", help=words.preparing(source)):
            st.stop()
    bar = st.empty()
    known[source, size] = prepare(
        source, image_size=size, as_it_came=True, progress=lambda *at: bar.progress(*words.progress(*at))
    )
    bar.empty()
    return known[source, size]


@st.cache_resource
def _examinations() -> Store:
    """Some 200 bytes a picture each."""
    return Store(8)


@st.cache_resource
def _rows() -> Store:
    return Store(8)


def examined(source: str, prepared: PreparedSet) -> Patient:
    """The data set with all that is found in it; a bar tells how far that is, the first time on this computer."""
    found: Findings = _examinations().get(prepared.identity, lambda: _examined(source, prepared))
    corrected = corrections.of(prepared)
    rows: dict[str, int] = _rows().get(prepared.identity, lambda: _rows_of(prepared))
    return Patient(source, prepared, corrected, found, found.after(corrected), rows)


def _examined(source: str, prepared: PreparedSet) -> Findings:
    """As it is kept beside the set, else examined now."""
    kept = findings_file.read(prepared)
    if kept is not None:
        return kept
    bar = st.empty()
    as_they_came = _as_they_came(source, prepared)
    found = examine(as_they_came or prepared, prepared.image_size, lambda *at: bar.progress(*words.progress(*at)))
    bar.empty()
    if as_they_came or not is_collected(source):
        with suppress(ExplorerError):  # a folder that one may only read, a full disk: it is examined again another time
            findings_file.write(prepared, found)
    return found


def _as_they_came(source: str, prepared: PreparedSet) -> Collection | None:
    """Collected pictures as they came, which shows how small or long they were; None for others, and where another
    window changed the collection while it was prepared: what is found has to be of the pictures that are shown."""
    if not is_collected(source):
        return None
    album = find(source)
    pictures = read_collection(album.path, prepared.image_size)
    now = prepared_album(album, prepared.image_size)  # asked last: then `pictures` are not of a later moment
    return pictures if now is not None and now.identity == prepared.identity else None


def _rows_of(prepared: PreparedSet) -> dict[str, int]:
    files = [file for split in SPLITS if split in prepared.splits for file in prepared.files(split)]
    return {file: row for row, file in enumerate(files)}
