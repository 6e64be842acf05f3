"""Networks that others made, from files: what a file is, which network its weights belong to, and what it leaves open.

Nothing in a file is run, and nothing is unpacked under a name that a stranger chose. Weights go into a network that
this program builds itself, after every name, shape and value was compared (`weights.fill`).
"""

import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.files import make_folder
from alexnet_core.images import clean_name
from alexnet_core.limits import IMAGE_SIZE
from alexnet_core.models import MODELS, Network, build, find_model
from alexnet_core.models.fetching import imagenet_weights
from alexnet_core.models.file_kinds import NETWORK_FILE, kind_of
from alexnet_core.models.fitting import Fit, fits, only_fit
from alexnet_core.models.weights import (
    FORMAT,
    LARGEST_FILE,
    described_network,
    fill,
    frozen,
    imagenet_preprocessing,
    read_pickled,
    read_safetensors,
)
from alexnet_core.places import uploads_home
from alexnet_core.preprocess import Preprocessing

MOST_ENTRIES = 200
"""Files in a zip with a network; ours holds five."""
HIGHEST_RATIO = 100
"""Unpacked over packed. Weights hardly shrink; bombs shrink a thousandfold."""
BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways to pack of which no more is unpacked than is asked for. Of bzip2 and LZMA all that was read is unpacked at once:
a megabyte can become twenty gigabytes before anything is counted."""
AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
"""The heads of the Inceptions that only help training."""
WRAPPERS = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.")
"""What training loops put in front of every name: DataParallel, torch.compile, Lightning and others."""


@dataclass(frozen=True)
class Found:
    """What a file holds, as far as it says so itself."""

    name: str
    """The file's name, cleaned for the screen."""
    kind: str
    """What it is, in words."""
    state: Mapping[str, torch.Tensor] = field(repr=False)
    network: Network | None = None
    """Where the file says all that is needed."""
    fits: tuple[Fit, ...] = ()
    """The networks that the weights fit, where it does not."""
    sized: bool = False
    """Whether it was asked with the size of its pictures. Weights alone do not tell: `alexnet_mini` has the same ones
    for 64 and for 128 pixels, and other steps."""

    @property
    def assumed(self) -> str:
        """What had to be assumed, in a sentence; empty where the file says everything."""
        if self.network is not None:
            return ""
        taken, other = "the usual way for ImageNet was", ""
        if not self.sized:
            taken = "a size that fits and the usual way for ImageNet were"
            other = "at another size (alexnet import --size) or "
        return (
            f"The file does not say how its pictures are prepared; {taken} taken, which is wrong for networks trained "
            f"{other}with other means."
        )


def look(path: Path, *, owner: bool, name: str | None = None, image_size: int | None = None) -> Found:
    """What the file or folder at `path` holds. `owner` is whether the owner of the computer named it: a pickled `.pt`
    is only read then. `name` replaces the file's own name in messages; `image_size` narrows down what fits.

    Raises ExplorerError, saying what the file is, what was expected and what to do, for everything else.
    """
    name = clean_name(name or path.name)
    if image_size is not None and not IMAGE_SIZE[0] <= image_size <= IMAGE_SIZE[1]:
        raise ExplorerError(f"Pictures have {IMAGE_SIZE[0]} to {IMAGE_SIZE[1]:,} pixels a side, not {image_size:,}.")
    if os.path.isdir(path):  # which answers for impossible names, too
        if not (path / NETWORK_FILE).is_file():
            raise ExplorerError(
                f"The folder {name} holds no {NETWORK_FILE}; choose one that `export --format folder` made, or a run."
            )
        return replace(look(path / NETWORK_FILE, owner=owner, image_size=image_size), name=name)
    if not os.path.isfile(path):
        raise ExplorerError(f"There is no file {name}; check the path.")
    match kind_of(path, name):
        case "safetensors":
            state, header = read_safetensors(path)
            if header.get("format") == FORMAT:
                network = described_network(state, header, name)
                return Found(name, "a network file of this program", state, _named(network, network.classes))
            return _plain_state(name, "weights as safetensors", state, image_size)
        case "onnx":
            network = _from_onnx(path, name)
            return Found(name, "an ONNX file of this program", {}, _named(network, network.classes))
        case "folder":
            return _from_zip(path, name, image_size)
        case "pickled":
            if not owner:
                raise ExplorerError(
                    f"{name} is a PyTorch pickle. Such files can carry programs, so only the owner of this computer "
                    "reads them: alexnet import FILE. Here, give safetensors, ONNX or a zip that this program made."
                )
            return _plain_state(name, "a state dict of PyTorch", read_pickled(path), image_size)


def network_of(
    found: Found, model: str | None = None, classes: tuple[str, ...] | None = None, image_size: int | None = None
) -> Network:
    """The network in a file: frozen, in eval mode, on the CPU.

    A file of our own says everything; `model` must then be the same, and `classes` only give other names. For plain
    weights the network is the one they fit, or `model`; the names are `classes`, or ImageNet's where there are 1000;
    and the pictures are prepared in the way that is usual for ImageNet. Raises ExplorerError, saying what is missing.
    """
    if model is not None:
        find_model(model)
    if found.network is not None:
        network = found.network
        if model is not None and model != network.name:
            raise ExplorerError(f"{found.name} holds the network {network.name}, not {model}; leave the network open.")
        if classes is None:
            return network
        _check_count(found.name, len(network.classes), classes)
        return _named(network, classes)
    fit = only_fit(found.name, found.state, found.fits, model, image_size)
    if classes is None and fit.classes == 1000 and MODELS[fit.model].imagenet_weights is not None:
        names: tuple[str, ...] = tuple(imagenet_weights(fit.model).meta["categories"])
    elif classes is None:
        raise ExplorerError(
            f"{found.name} tells {fit.classes:,} classes apart and does not say their names; give them, in the order "
            "of the outputs, one a line (--classes names.txt)."
        )
    else:
        names = classes
        _check_count(found.name, fit.classes, classes)
    with torch.device("meta"):
        built = build(fit.model, fit.classes, fit.image_size, **fit.settings)
    fill(built, found.state, found.name)
    preprocessing = _usual(fit)
    network = Network(fit.model, frozen(built), names, preprocessing, fit.settings, found.name)
    return _named(network, names)


# -- reading each kind ---------------------------------------------------------------------------------------------


def _from_zip(path: Path, name: str, image_size: int | None) -> Found:
    """The network file in a zip, read through a file of our own naming; the other members are not looked at."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MOST_ENTRIES:
            raise ExplorerError(f"{name} holds {len(members):,} files; a zip with a network has a handful.")
        wanted = [member for member in members if member.filename.split("/")[-1] == NETWORK_FILE]
        if len(wanted) != 1:
            raise ExplorerError(f"{name} holds {len(wanted)} files called {NETWORK_FILE}; one is expected.")
        member = wanted[0]
        if member.flag_bits & 1:
            raise ExplorerError(f"{name} is encrypted; give a zip without a password.")
        if member.compress_type not in BOUNDED:
            raise ExplorerError(f"{name} is packed in an unusual way; pack the folder again as an ordinary zip.")
        make_folder(uploads_home())
        with TemporaryDirectory(dir=uploads_home(), ignore_cleanup_errors=True) as folder:
            unpacked = Path(folder) / NETWORK_FILE
            _unpack(archive, member, unpacked, name)
            found = look(unpacked, owner=False, name=name, image_size=image_size)
            # The tensors may lie in the file, which goes with the folder, on Windows only once nobody uses it.
            own = {key: value.clone() for key, value in found.state.items()} if found.network is None else {}
            found = replace(found, kind="a folder with a network, as a zip", state=own)
    return found


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path, name: str) -> None:
    """Copy one member to `place`, counting what really comes: a zip's own sizes can lie. Raises ExplorerError."""
    most = min(LARGEST_FILE, HIGHEST_RATIO * max(member.compress_size, 10_000))
    count = 0
    try:
        with archive.open(member) as packed, place.open("xb") as file:
            while piece := packed.read(1024**2):
                count += len(piece)
                if count > most:
                    raise ExplorerError(f"{name} unpacks to far more than a network; it is not opened.")
                file.write(piece)
    except DAMAGED_MEMBER as error:
        raise ExplorerError(f"{name} is damaged, or the disk is full; make or fetch it again.") from error


DAMAGED_MEMBER = (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, NotImplementedError, RuntimeError)
"""What the reader of zips lets out for damaged bytes; packed ones fail before their checksum is looked at."""


def _from_onnx(path: Path, name: str) -> Network:
    """A network from the weights in an ONNX file that `export` wrote; its graph is not run."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise ExplorerError("Reading ONNX needs one more package: pip install onnx.") from error
    if path.stat().st_size > LARGEST_FILE:
        raise ExplorerError(f"{name} is larger than {LARGEST_FILE // 1024**2} MB, more than any network here needs.")
    try:
        proto = onnx.load_model_from_string(path.read_bytes())
    except (DecodeError, ValueError, RuntimeError) as error:
        raise ExplorerError(f"{name} is damaged or no ONNX file; make or fetch it again.") from error
    header = {entry.key: entry.value for entry in proto.metadata_props}
    if not {"model", "classes", "preprocessing", "settings"} <= header.keys():
        raise ExplorerError(
            f"{name} was not written by this program, and the weights in an ONNX file of another one cannot be told "
            "apart by name; give its weights as safetensors or as a state dict."
        )
    state = {}
    for tensor in proto.graph.initializer:
        # A tensor "elsewhere" names a file of its maker's choice, which would be read.
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise ExplorerError(f"{name} keeps its weights in another file; export it as a single file.")
        try:
            state[tensor.name] = torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
        except (ValueError, TypeError, KeyError) as error:
            raise ExplorerError(f"The weights in {name} are damaged; make or fetch the file again.") from error
    return described_network(_completed(state, header, name), header, name)


def _completed(state: dict[str, torch.Tensor], header: Mapping[str, str], name: str) -> Mapping[str, torch.Tensor]:
    """Only the weights of an ONNX file, without the constants of its graph, and with the counters of normalisations,
    which the graph does without."""
    try:
        count, size = len(json.loads(header["classes"])), json.loads(header["preprocessing"])["size"]
        settings = dict(json.loads(header["settings"]))
        with torch.device("meta"):
            expected = build(header["model"], count, int(size), **settings).state_dict()
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise ExplorerError(f"The header of {name} is damaged; make or fetch the file again.") from error
    counters = {key: torch.zeros((), dtype=torch.int64) for key in expected if key.endswith("num_batches_tracked")}
    return counters | {key: value for key, value in state.items() if key in expected}


# -- weights that say nothing --------------------------------------------------------------------------------------


def _plain_state(name: str, kind: str, state: Mapping[str, torch.Tensor], image_size: int | None) -> Found:
    state = _unwrapped(state)
    found = _fits(state, image_size)
    if not found:  # a network beside what its training needed, the weights of a loss, say
        parts: dict[str, dict[str, torch.Tensor]] = {}
        for key, value in state.items():
            part, _, rest = key.partition(".")
            parts.setdefault(part, {})[rest] = value
        fitting = [(part, inner, fit) for part, inner in parts.items() if (fit := _fits(_unwrapped(inner), image_size))]
        if len(fitting) == 1:
            ((part, inner, found),) = fitting
            state, kind = _unwrapped(inner), f"{kind}, of which “{clean_name(part)}” was taken"
    return Found(name, kind, state, None, found, image_size is not None)


def _fits(state: Mapping[str, torch.Tensor], image_size: int | None) -> tuple[Fit, ...]:
    return tuple(fits({key: tuple(value.shape) for key, value in state.items()}, image_size))


def _unwrapped(state: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """The weights without what their names have in front, and without the heads that only helped training."""
    for wrapper in WRAPPERS * 2:  # a wrapped one may be wrapped again
        if state and all(key.startswith(wrapper) for key in state):
            state = {key.removeprefix(wrapper): value for key, value in state.items()}
    return {key: value for key, value in state.items() if not key.startswith(AUXILIARY)}


def _usual(fit: Fit) -> Preprocessing:
    """How pictures are usually prepared for weights that do not say: ImageNet's colours, and the square that the short
    side gives; for 1000 classes the colours of torchvision's own weights for this network, at their size its square,
    too."""
    if fit.classes == 1000 and MODELS[fit.model].imagenet_weights is not None:
        usual = imagenet_preprocessing(fit.model)
        if usual.size == fit.image_size:
            return usual
        return replace(usual, size=fit.image_size, resize=fit.image_size)
    return Preprocessing(fit.image_size, fit.image_size)


def _check_count(name: str, expected: int, classes: tuple[str, ...]) -> None:
    if len(classes) != expected:
        raise ExplorerError(
            f"{name} tells {expected:,} classes apart, but {len(classes):,} names were given; give one for each output."
        )


def _named(network: Network, names: tuple[str, ...]) -> Network:
    """`network` with class names fit for the screen, each once."""
    clean: list[str] = []
    seen: dict[str, int] = {}
    for name in map(clean_name, names):
        shown = name
        while shown in seen:  # also where the file itself has an "a (2)" beside two of "a"
            seen[name] += 1
            shown = f"{name} ({seen[name]})"
        seen[shown] = 1
        clean.append(shown)
    return replace(network, classes=tuple(clean), source=clean_name(network.source))
