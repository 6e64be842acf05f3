"""What starts the same run elsewhere, as a file and as a link: the settings, and which pictures it learned from.

Both come from strangers: they are read as JSON within limits, and every setting passes `TrainConfig`'s own checks. The
pictures themselves do not travel; where they are one's own, the sentence says what is needed.
"""

import base64
import binascii
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alexnet_core.data.sources import DATASETS, available
from alexnet_core.devices import cores
from alexnet_core.errors import ExplorerError
from alexnet_core.images import clean_name
from alexnet_core.limits import IMAGE_SIZE
from alexnet_core.models import MODELS
from alexnet_core.models.weights import network_header
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.recipes import RECIPES

FORMAT = "alexnet-explorer settings 1"
LARGEST_FILE = 100_000
"""Bytes. Settings and a few names need two thousand."""
LONGEST_LINK = 6_000
"""Characters; browsers and messengers cut longer addresses."""


@dataclass(frozen=True)
class Request:
    """A run as it is asked for: a whole one from a file, or from a link, which leaves out what is usual."""

    settings: dict[str, Any]
    """Fields of TrainConfig; what is left out has its default."""
    data: str
    """The data set's name: one of DATASETS, or what one's own pictures are called."""
    data_title: str = ""
    image_size: int | None = None
    """The side in pixels the pictures were prepared with; None where nobody knows any more."""
    identity: str = ""
    """The beginning of the content key of the prepared set."""

    @property
    def known_data(self) -> bool:
        """Whether the pictures are a set that the program can get itself."""
        return self.data in DATASETS


def request_of(run: RunDirectory) -> Request:
    """The request that `run` was."""
    config = run.config()
    data = config.data
    return Request(config.settings.as_dict(), data.name, data.title, _image_size(run), data.identity)


def to_json(request: Request) -> bytes:
    """The settings file."""
    data = {"name": request.data, "title": request.data_title, "image_size": request.image_size}
    document = {"format": FORMAT, "settings": request.settings, "data": data | {"identity": request.identity}}
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def from_json(text: bytes, name: str = "The settings file") -> Request:
    """Read a settings file back; `name` is the file's, for messages. A run's own config.json is understood, too.

    Raises ExplorerError when it is none, or holds a setting that no run can have.
    """
    name = clean_name(name)
    if len(text) > LARGEST_FILE:
        raise ExplorerError(f"{name} is too large for a settings file; choose one that the page Runs wrote.")
    try:
        document = json.loads(text)
        settings, data = document["settings"], document["data"]
        if not isinstance(settings, dict) or document.get("format", FORMAT) != FORMAT:
            raise TypeError("another kind of file")
        size = data.get("image_size")
        request = Request(
            settings, clean_name(data["name"]), clean_name(data["title"]), size, str(data.get("identity", ""))
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ExplorerError(
            f"{name} is no settings file; save one on the page Runs, or take a run's config.json."
        ) from error
    return _checked(request)


def read_settings_file(path: Path) -> Request:
    """`from_json` of a file. Raises ExplorerError where it cannot be read, too."""
    try:
        with path.open("rb") as file:
            request = from_json(file.read(LARGEST_FILE + 1), path.name)
    except OSError as error:
        raise ExplorerError(
            f"{clean_name(path.name)} cannot be read ({error.strerror or error}); check the path."
        ) from error
    if request.image_size is None and path.name == "config.json":  # a run's own, whose network says it
        return replace(request, image_size=_image_size(RunDirectory(path.parent)))
    return request


def to_link(request: Request) -> str:
    """The request as the value of `?settings=`: JSON in base64 for addresses. It names what differs from the defaults,
    and what the recipe sets, so that a recipe that is changed one day does not change the run."""
    recipe = RECIPES.get(request.settings.get("recipe", TrainConfig.recipe))
    # Mirroring left out would be chosen anew there, by whether these pictures may be mirrored.
    pinned = {"model", "recipe", "reflect"} | set(recipe.settings if recipe else ())
    usual = TrainConfig().as_dict()
    settings = {key: value for key, value in request.settings.items() if key in pinned or value != usual.get(key)}
    document: dict[str, Any] = {"settings": settings, "data": request.data, "size": request.image_size}
    if not request.known_data:
        document |= {"title": request.data_title, "identity": request.identity[:16]}
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_link(text: str) -> Request:
    """Read a link's value back. Raises ExplorerError when it is none, or holds a setting that no run can have."""
    try:
        if len(text) > LONGEST_LINK:
            raise ValueError("too long")
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        document = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(document["settings"], dict):
            raise TypeError("settings are named")
        data, title = clean_name(document["data"]), document.get("title", "")
        request = Request(
            document["settings"],
            data,
            clean_name(title) if title else data,
            document["size"],
            str(document.get("identity", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise ExplorerError(
            "The link's settings are damaged, perhaps cut off on the way; ask for it again, or take the settings as a "
            "file."
        ) from error
    return _checked(request)


def source_of(request: Request) -> str:
    """What `prepare` gets these pictures from on this computer: the name of a known set, or the directory of the very
    same prepared pictures.

    Raises ExplorerError, saying what is needed, where they are somebody's own and not here.
    """
    if request.known_data:
        return request.data
    for one in available():
        for prepared in one.prepared:
            if request.identity and prepared.identity.startswith(request.identity):
                return str(prepared.directory)
    size = f" (prepared with {request.image_size} pixels)" if request.image_size else ""
    raise ExplorerError(
        f"These settings belong to pictures of somebody's own, “{request.data_title or request.data}”{size}, which are "
        "not on this computer. Get their folder or zip, and give it with --data or choose it on the page Train."
    )


def _checked(request: Request) -> Request:
    size = request.image_size
    if size is not None and (type(size) is not int or not IMAGE_SIZE[0] <= size <= IMAGE_SIZE[1]):
        raise ExplorerError(
            f"The settings ask for pictures of {size!r:.20} pixels; possible are {IMAGE_SIZE[0]} to {IMAGE_SIZE[1]}."
        )
    config = TrainConfig.from_dict(request.settings)
    left_out = set()
    if config.model in MODELS and "batch_norm" not in MODELS[config.model].settings:
        # Every run has a value for it, also where it means nothing; to ask for it there would be refused.
        left_out.add("batch_norm")
    if config.threads > cores():
        # They are those of a larger machine, and wait for each other at every layer where there are fewer cores.
        left_out.add("threads")
    return replace(request, settings={k: v for k, v in request.settings.items() if k not in left_out})


def _image_size(run: RunDirectory) -> int | None:
    """The side of the pictures: as the network says, or a snapshot, which a run has before its first step, of large
    networks too; else as the set itself says, where it lies here."""
    for path in (run.network_path, *run.snapshots().values()):
        try:
            return int(json.loads(network_header(path)["preprocessing"])["size"])
        except (ExplorerError, KeyError, ValueError, TypeError):
            continue
    try:
        return run.config().data.opened().image_size
    except ExplorerError:
        return None
