"""What the pages share: runs, loaded networks with their locks, pictures that people brought.

A shared model is used by many sessions at once, and attribution changes it for a moment: every use happens under its
lock. All caches are bounded, and keyed by what the answer depends on: the run and the time of its file, the picture's
sha256, method, target, layer.
"""

import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import streamlit as st
from PIL import Image
from streamlit.typing import UploadedFile

from alexnet_core import images
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.files import write_whole
from alexnet_core.models import MODELS, Network, fetching
from alexnet_core.models.weights import imagenet_network
from alexnet_core.places import uploads_home
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.listing import summaries
from app import spool, uploads
from app.samples import SAMPLES
from app.store import Store
from app.waiting import FairLock
from app.words import distinct

IMAGENET = "imagenet-"
"""In front of a network's name in the address: the network of that name with ImageNet weights."""


# -- runs and their networks ----------------------------------------------------------------------------------------


def runs() -> dict[str, tuple[str, str]]:
    """(title, status) of every run by its id: live ones first, then the newest."""
    every = summaries(with_results=False)
    titles = distinct({one.id: one.title for one in every})
    found = {one.id: (titles[one.id], one.state.status) for one in every}
    order = {status: place for place, status in enumerate(("running", "paused", "queued"))}
    return dict(sorted(found.items(), key=lambda item: order.get(item[1][1], len(order))))


@dataclass(frozen=True)
class SharedNetwork:
    """A network that all sessions use; hold `lock` whenever `network.model` computes."""

    key: str
    """What cached answers depend on: another training step, another key."""
    network: Network
    choice: str = ""
    """Its name in the address; empty for one that is in no list."""
    lock: FairLock = field(default_factory=FairLock)


def networks(imagenet: bool = True) -> dict[str, str]:
    """The title of each network one can look into, by its name in the address: runs, bundled and finished ones
    first."""
    every = sorted(summaries(with_results=False), key=lambda one: (not one.run.bundled, one.state.status != "finished"))
    titles = distinct({one.id: one.title for one in every if one.run.latest_network_path() is not None})
    if imagenet:
        for name, entry in MODELS.items():
            if entry.imagenet_weights:
                titles[IMAGENET + name] = f"{entry.title}, ImageNet weights (1000 classes)"
    return titles


def load(choice: str) -> SharedNetwork:
    """The network that `networks()` lists under `choice`. Raises ExplorerError where it is gone or cannot be
    fetched."""
    if choice.startswith(IMAGENET):
        return _imagenet(choice.removeprefix(IMAGENET))
    shared = _of_run(choice, _changed(choice))
    # A run may have been renamed since; the model and its lock stay the same.
    return replace(shared, network=replace(shared.network, source=RunDirectory.find(choice).title()))


def key_of(choice: str) -> str:
    """The `key` of what `load` gives for `choice`, without loading it. Raises ExplorerError where a run is gone."""
    return choice if choice.startswith(IMAGENET) else f"{choice}@{_changed(choice)}"


def _changed(run_id: str) -> int:
    path = RunDirectory.find(run_id).latest_network_path()
    return path.stat().st_mtime_ns if path else 0


@st.cache_resource(max_entries=6, show_spinner="Loading the network")
def _of_run(run_id: str, changed: int) -> SharedNetwork:
    return SharedNetwork(f"{run_id}@{changed}", RunDirectory.find(run_id).network(), run_id)


@st.cache_resource(max_entries=2, show_spinner="Loading the network with its ImageNet weights")
def _imagenet(name: str) -> SharedNetwork:
    return SharedNetwork(IMAGENET + name, imagenet_network(name), IMAGENET + name)


def imagenet_is_here(choice: str) -> bool:
    """Whether the weights of an ImageNet choice were fetched before, so that loading them needs no connection."""
    return fetching.imagenet_is_here(choice.removeprefix(IMAGENET))


# -- pictures ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Picture:
    """A picture to look at: its sha256, the name to show, where it comes from."""

    key: str
    name: str
    sample: str | None = None
    """The sample's name; None for a picture that was brought, which lies on disk under its key."""

    @property
    def image(self) -> Image.Image:
        """The decoded picture, RGB."""
        if self.sample is not None:
            return _loaded(self.sample)
        return _decoded().get((self.key, self.name), lambda: images.decode(uploads.read(self.key), self.name))


def sample(name: str) -> Picture:
    """The sample picture called `name`."""
    return Picture(f"sample-{name}", f"{SAMPLES[name].title}, {SAMPLES[name].credit}", sample=name)


@st.cache_resource(ttl=24 * 3600, show_spinner=False)
def tidy_uploads() -> None:
    """Once a day and at each start: the last pictures that were brought go, too, where nobody brings another one."""
    uploads.tidy()


def fitting_sample(network: Network) -> str:
    """The sample that shows something `network` knows, as far as we have one."""
    return "digit" if {"3", "8"} <= set(network.classes) else next(iter(SAMPLES))


def brought(data: bytes, name: str) -> Picture:
    """Keep an uploaded or photographed picture on disk under its own key, and out of the server's memory.

    Raises ExplorerError when it is no picture, or too large.
    """
    images.decode(data, name)  # refused before it is written
    return Picture(uploads.keep(data), images.clean_name(name))


@st.cache_resource
def _decoded() -> Store:
    """Pictures shared, not copied at each use: nobody changes one in place. Five photographs of a telephone, of 48 MB
    each; a dozen people who look at one each decode theirs at each click, which takes a third of a second. It may be
    asked for under a network's lock: decoding needs none."""
    return Store(DECODED, lambda image: BYTES_A_PIXEL * image.width * image.height)


DECODED = 256_000_000
"""Bytes that decoded pictures may take in all."""
BYTES_A_PIXEL = 4
"""Pillow's, of three colours."""


@st.cache_resource(show_spinner=False)
def _loaded(sample: str) -> Image.Image:
    return SAMPLES[sample].load()


# -- data sets -----------------------------------------------------------------------------------------------------


def prepared_sets() -> dict[tuple[str, int], PreparedSet]:
    """What this session prepared, by source and size: a zip is not read again to find out that it is ready."""
    return st.session_state.setdefault("prepared", {})


def brought_zip(file: UploadedFile) -> str:
    """Keep an uploaded zip on disk, in a folder of our own naming; where it lies. It is read once an upload."""
    known = st.session_state.get(BROUGHT_ZIP)
    if known is None or known[0] != file.file_id:
        with spool.opened(file) as arrived:
            key = hashlib.file_digest(arrived, "sha256").hexdigest()
            path = uploads_home() / key[:16] / zip_name(file)
            if not path.exists():
                arrived.seek(0)
                write_whole(path, arrived)
        spool.drop(file)
        known = st.session_state[BROUGHT_ZIP] = (file.file_id, str(path))
    return known[1]


BROUGHT_ZIP = "brought_zip"
"""In the session: (the upload's own id, where it lies)."""


def zip_name(file: UploadedFile) -> str:
    """A file name of our own that tells people which of their zips it is."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(file.name).stem).strip("-")[:40]
    return f"{stem or 'pictures'}.zip"
