"""Which pictures a network can be tried on: its own data set where that is prepared on this computer, and crops of
photographs that are always there."""

from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepared_notes
from alexnet_core.errors import ExplorerError
from alexnet_core.insight import gallery
from alexnet_core.insight.gallery import Gallery
from alexnet_core.models import Network
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from app.address import hold
from app.sentences import plain
from app.session import IMAGENET, SharedNetwork

SPLITS = ("test", "val", "train")
"""First the pictures that the network has never learned from."""
TITLES = {
    "test": "Test pictures",
    "val": "Validation pictures",
    "train": "Training pictures",
    "builtin": "Crops of two photographs",
}


def galleries(choice: str, network: Network) -> dict[str, Gallery]:
    """What there is for the network that `session.networks()` lists under `choice`, by split, and `builtin` at the end.

    The splits are those of the very set that a run learned from, else of a prepared set with the same classes and size.
    """
    prepared = own_set(choice, network)
    found = {}
    if prepared is not None:
        for split in SPLITS:
            if split in prepared.splits and prepared.count(split):
                found[split] = _split(str(prepared.directory), prepared.identity, split, network.classes)
    return found | {"builtin": _builtin(network.preprocessing.size)}


def choose_gallery(shared: SharedNetwork, choice: str) -> Gallery:
    """The pictures to look through: the test split at first, where it is here."""
    found = galleries(choice, shared.network)
    hold("gallery", list(found))
    split = st.selectbox(
        "Pictures to look through",
        list(found),
        key="gallery",
        format_func=lambda split: f"{TITLES[split]} ({len(found[split]):,})",
        help="What the network was tested on shows it at its most honest; it has never learned from those pictures.",
        persist_state="session",
    )
    if len(found) == 1:
        st.caption(
            "The pictures that this network learned from are not prepared on this computer, so crops of two "
            "photographs stand in for them. They have no classes; prepare the data set on the page Train for more."
        )
    else:
        st.caption(f"Of {plain(found[split].title)}.")
    return found[split]


def own_set(choice: str, network: Network) -> PreparedSet | None:
    """The prepared set of the run, else the first one that would do; None where there is none."""
    identity = None if choice.startswith(IMAGENET) else _identity(choice)
    fitting = [
        prepared
        for prepared in _candidates(identity)
        if prepared.image_size == network.preprocessing.size and set(prepared.classes) == set(network.classes)
    ]
    same = (prepared for prepared in fitting if identity is not None and prepared.identity == identity.identity)
    return next(same, fitting[0] if fitting else None)


def _identity(choice: str) -> DataIdentity | None:
    try:
        return RunDirectory.find(choice).config().data
    except ExplorerError:  # gone meanwhile; the network is still in memory
        return None


def _candidates(identity: DataIdentity | None) -> Iterator[PreparedSet]:
    """The run's own set, wherever it lies, and those in the home folder; damaged ones are left out."""
    own = [Path(identity.directory)] if identity is not None and identity.directory else []
    for directory in (*own, *(note.parent for note in prepared_notes())):
        try:
            yield PreparedSet.open(directory)
        except ExplorerError:
            continue


@st.cache_resource(max_entries=12, show_spinner=False)
def _split(directory: str, identity: str, split: str, classes: tuple[str, ...]) -> Gallery:
    return gallery.of_set(PreparedSet.open(directory), split, classes)


@st.cache_resource(max_entries=4, show_spinner=False)
def _builtin(size: int) -> Gallery:
    return gallery.builtin(size)
