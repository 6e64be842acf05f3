"""ImageNet weights, fetched from torchvision's addresses on first use: with progress, taken up again where a connection
broke off, checked by their hash, and kept in torch's own cache, where other programs find them, too.

A file is written under a name that ends with `.part` and gets its own name once it is whole and right.
"""

import errno
import hashlib
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder
from alexnet_core.lock import Busy, alone
from alexnet_core.models import MODELS

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

Progress = Callable[[int, int, str], None]
"""Called with bytes that are there, bytes of the whole, and "downloading"."""
Cancelled = Callable[[], bool]

PIECE = 256 * 1024
"""Bytes that are taken at once, at most."""
SHOWN = 0.1
"""Seconds between two reports: a fast connection brings thousands of pieces a second."""
NAME = "torch.hub"
"""Who we say that we are: what torch's own loader says. Some servers turn away the name that Python gives itself."""
STALLED = 30.0
"""Seconds without a byte after which a connection is given up."""
ATTEMPTS = 4
"""Connections without a single new byte before we give up; one that brought something does not count."""
WAITING = 0.3
"""Seconds between two looks at a file that another process is fetching."""
WAYS_OUT = (
    "Without a connection, give a file: predict and explain take it with --weights, train with --start-from, the app "
    "on the page Runs. Or use one of the bundled networks, which need none."
)


def imagenet_weights(name: str) -> "WeightsEnum":
    """torchvision's entry for the ImageNet weights of the network `name`.

    Raises ExplorerError, naming the networks that have some, where there are none.
    """
    entry = MODELS.get(name)
    if entry is None or entry.imagenet_weights is None:
        having = ", ".join(key for key, value in MODELS.items() if value.imagenet_weights)
        raise ExplorerError(
            f"There are no ImageNet weights for {name!r:.80}. Networks that have them: {having}. A run or a network "
            "file brings its own."
        )
    from torchvision.models import get_weight  # takes seconds to import, and only these weights need it

    return get_weight(entry.imagenet_weights)


def imagenet_is_here(name: str) -> bool:
    """Whether the weights of `name` were fetched before, so that using them needs no connection."""
    return _place(imagenet_weights(name).url).exists()


def imagenet_file(name: str, progress: Progress | None = None, cancelled: Cancelled | None = None) -> Path:
    """The file with the ImageNet weights of `name` in torch's cache, fetched if need be, its hash checked each time. It
    is then read like any other file from outside, for torchvision's own reader would run code in it.

    Where another process fetches the same, this waits for it. Raises ExplorerError where there are no such weights,
    where they cannot be fetched, and when `cancelled` says so; what has arrived is kept, and the next call goes on.
    """
    url = imagenet_weights(name).url
    path = _place(url)
    promised = torch.hub.HASH_REGEX.search(path.name)
    fetch(url, path, promised.group(1) if promised else "", progress, cancelled)
    return path


def _place(url: str) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]


def fetch(
    url: str, path: Path, digest: str, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> None:
    """Bring what lies at `url` to `path` unless it is there already; `digest` is the beginning of its SHA-256 in
    hexadecimal, "" where nothing is known of it.

    Raises ExplorerError as `imagenet_file` does.
    """
    if path.exists() and _fits(path, digest):
        return
    make_folder(path.parent)
    part = path.with_name(path.name + ".part")
    with _only_fetcher(path, part, progress, cancelled):
        if path.exists() and _fits(path, digest):
            return  # another process was faster
        _arrive(url, part, progress, cancelled)
        if not _fits(part, digest):
            part.unlink(missing_ok=True)
            raise ExplorerError(
                "What arrived are not the ImageNet weights: they were damaged on the way, or a page for logging in to "
                f"the network answered in their place. Try again. {WAYS_OUT}"
            )
        with _sentence_for_the_disk(path):
            os.replace(part, path)


def _fits(path: Path, digest: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest().startswith(digest)
    except OSError as error:
        raise ExplorerError(
            f"{path} cannot be read: {error.strerror or error}. Delete it, or choose another cache with TORCH_HOME."
        ) from error


@contextmanager
def _only_fetcher(path: Path, part: Path, progress: Progress | None, cancelled: Cancelled | None) -> Iterator[None]:
    """Hold the lock of `path`; while another process has it, show how far that one is."""
    lock = path.with_name(path.name + ".lock")
    with ExitStack() as held:
        while True:
            try:
                with _sentence_for_the_disk(path):
                    held.enter_context(alone(lock, busy=""))
                break
            except Busy:
                _go_on(cancelled)
                if progress is not None and part.exists():
                    there = part.stat().st_size
                    progress(there, max(there, 1), "downloading")
                time.sleep(WAITING)
        yield


def _arrive(url: str, part: Path, progress: Progress | None, cancelled: Cancelled | None) -> None:
    """Append to `part` until it is as long as the server says the whole is."""
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            whole = _bring(url, part, progress, cancelled)
        except (OSError, HTTPException) as error:  # URLError and a time that runs out are OSErrors
            there = part.stat().st_size if part.exists() else 0
            failures = 1 if there > before else failures + 1
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if refused or failures >= ATTEMPTS or there == 0:
                raise _not_fetched(error, there) from error
            _go_on(cancelled)
            time.sleep(WAITING * failures)
            continue
        if whole is None or part.stat().st_size >= whole:
            return


def _bring(url: str, part: Path, progress: Progress | None, cancelled: Cancelled | None) -> int | None:
    """One connection: everything that it brings goes to the end of `part`. The bytes of the whole, where the server
    says how many they are. Raises OSError or HTTPException when it breaks off."""
    there = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": NAME} | ({"Range": f"bytes={there}-"} if there else {})
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=STALLED)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not there:
            raise
        # Nothing lies behind what is here: it is whole, or the rest of another file. The hash tells.
        return there
    with answer:
        if there and not _goes_on_from(answer, there):
            there = 0  # a server that cannot begin in the middle sends all of it again
        length = answer.headers.get("Content-Length")
        whole = there + int(length) if length is not None and length.isdigit() else None
        with _sentence_for_the_disk(part):
            # Unbuffered: what a full disk did not take would be tried again on closing, outside of the sentence.
            file = part.open("r+b" if there else "wb", buffering=0)
        shown = 0.0
        with file:
            file.seek(there)
            while piece := answer.read1(PIECE):  # whatever is there: also a slow connection can be watched and stopped
                _go_on(cancelled)
                with _sentence_for_the_disk(part):
                    if file.write(piece) != len(piece):  # the disk had room for a part of it
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                there += len(piece)
                if progress is not None and (there == whole or time.monotonic() - shown > SHOWN):
                    shown = time.monotonic()
                    progress(there, whole or there, "downloading")
        if whole is not None and there < whole:
            raise ConnectionError("the connection broke off")
    return whole


def _goes_on_from(answer: HTTPResponse, first: int) -> bool:
    return answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {first}-")


def _go_on(cancelled: Cancelled | None) -> None:
    if cancelled is not None and cancelled():
        raise ExplorerError("Fetching the weights was stopped. Start it again when you like: it goes on from here.")


@contextmanager
def _sentence_for_the_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExplorerError(
            f"{path.name} could not be written: {error.strerror or error}. Free some space, or choose another cache "
            "with TORCH_HOME; what has arrived is kept."
        ) from error


def _not_fetched(error: Exception, there: int) -> ExplorerError:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    kept = f" {there / 1e6:.0f} MB have arrived and are kept: try again, and it goes on from there." if there else ""
    return ExplorerError(f"The ImageNet weights could not be fetched ({reason}).{kept} {WAYS_OUT}")
