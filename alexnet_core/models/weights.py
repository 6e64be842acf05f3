"""Weights in files: our own self-describing network files, ImageNet's through torchvision, and files from strangers.

A network file is a safetensors file whose header says which network it is, its class names and how its pictures are
prepared; it can be used without the run it came from. Nothing here ever runs code from a file: a pickled `.pt` or
`.pth` is read with `weights_only=True`, every shape is compared before anything is copied, every value must be
finite.
"""

import json
import os
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as safetensors_bytes
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.files import write_whole
from alexnet_core.memory import is_lack_of_memory
from alexnet_core.models import Network, build, pickles
from alexnet_core.models.fetching import Cancelled, Progress, imagenet_file, imagenet_weights
from alexnet_core.preprocess import Preprocessing

FORMAT = "alexnet-explorer network 1"
LARGEST_FILE = 600 * 1024**2
"""Bytes. VGG-16, the largest network here, has 528 MB of weights."""
LARGEST_HEADER = 16 * 1024**2
"""Bytes. The names of ten thousand classes fit ten times; JSON takes twenty times its length in memory."""


def network_bytes(network: Network, *, half: bool = False, weights: Mapping[str, torch.Tensor] | None = None) -> bytes:
    """`network` as the bytes of a network file: equal networks give equal bytes.

    `half` stores 16 bits a number, `weights` replaces the model's own.
    """
    header = {
        "format": FORMAT,
        "model": network.name,
        "classes": json.dumps(list(network.classes)),
        "preprocessing": json.dumps(network.preprocessing.as_dict()),
        "settings": json.dumps(network.settings),
        "source": network.source,
    }
    state = network.model.state_dict() if weights is None else weights
    tensors = {
        name: (value.half() if half and value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in state.items()
    }
    return _in_order(safetensors_bytes(tensors, header))


def _in_order(data: bytes) -> bytes:
    """The same safetensors file with the lines of its header sorted by name: safetensors writes them in another order
    each time, and files of equal weights would differ.

    Eight bytes give the header's length; it is JSON, padded with spaces so that the numbers behind it lie well.
    """
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8:end]), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[end:]


def save_network(path: Path, network: Network, *, half: bool = False) -> None:
    """Write `network` as a network file."""
    write_whole(path, network_bytes(network, half=half))


def load_network(path: Path, *, source: str | None = None) -> Network:
    """The network in a network file, in eval mode, frozen, in 32 bits, on the CPU.

    Raises ExplorerError when the file is missing, damaged, of another kind, or does not fit the network it names.
    """
    state, header = read_tensors(path)
    if header.get("format") != FORMAT:
        raise ExplorerError(
            f"{path.name} is not a network file of this program; give --model with the name of its network."
        )
    return described_network(state, header, path.name, source)


def described_network(
    state: Mapping[str, torch.Tensor], header: Mapping[str, str], name: str, source: str | None = None
) -> Network:
    """The network that a header in our own form describes, with the weights in `state`; `name` is the file's, for
    messages. Raises ExplorerError when the header is damaged or does not fit the weights."""
    try:
        classes = _class_names(json.loads(header["classes"]))
        preprocessing = Preprocessing.from_dict(json.loads(header["preprocessing"]))
        settings = dict(json.loads(header["settings"]))
        model_name = header["model"]
        with torch.device("meta"):
            model = build(model_name, len(classes), preprocessing.size, **settings)
    except (KeyError, ValueError, TypeError, RecursionError) as error:  # also settings of an impossible kind
        raise ExplorerError(f"The header of {name} is damaged; make or fetch the file again.") from error
    fill(model, state, name)
    return Network(model_name, frozen(model), classes, preprocessing, settings, source or header.get("source", name))


def network_from_file(name: str, path: Path) -> Network:
    """The network `name` with the weights in `path`: a network file, or a state dict of ImageNet's 1000 classes.

    Raises ExplorerError when the file holds another network, or other classes without their names.
    """
    if path.suffix == ".safetensors" and network_header(path).get("format") == FORMAT:
        network = load_network(path)
        if network.name != name:
            raise ExplorerError(f"{path.name} holds the network {network.name}, not {name!r:.80}; name that one.")
        return network
    return imagenet_network(name, path)


def frozen(model: nn.Module) -> nn.Module:
    """`model` in eval mode with no gradients for its weights: what is shared must not change, and backward passes to
    the picture are faster and smaller."""
    return model.eval().requires_grad_(False)


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors of a `.safetensors`, `.pt` or `.pth` file and its header (empty for the pickled ones).

    Raises ExplorerError for a file that is missing, too large, damaged, or that would need code to be run.
    """
    return read_safetensors(path) if path.suffix == ".safetensors" else (read_pickled(path), {})


def read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors of a safetensors file, whatever it is called, and its header. Raises ExplorerError as `read_tensors`
    does."""
    header = network_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, header  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError, MemoryError) as error:
        _unless_memory_ended(error, path)
        if isinstance(error, RuntimeError):
            raise
        raise ExplorerError(f"{path.name} is damaged or no safetensors file; make or fetch it again.") from error


def read_pickled(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a `.pt` or `.pth` file: a state dict, also among other things under one of the usual names. Raises
    ExplorerError as `read_tensors` does."""
    _check_file(path)
    _refuse_compression(path)
    try:
        pickles.check(path)
        with path.open("rb") as file:  # by its path, torch would believe the file's suffix
            loaded = torch.load(file, map_location="cpu", weights_only=True)
    except DAMAGED_PICKLE as error:
        if not isinstance(error, MemoryError):  # which is what a pickle brings about that tells of too many things
            _unless_memory_ended(error, path)
        # torch's own message would explain how to switch the safety off; it is not shown.
        raise ExplorerError(
            f"{path.name} could not be read as weights: it is damaged, or holds more than tensors, which could carry a "
            'program. Where it was made, save the weights alone: torch.save(model.state_dict(), "weights.pt").'
        ) from error
    state = loaded
    if isinstance(loaded, dict):
        state = next((loaded[key] for key in STATE_KEYS if isinstance(loaded.get(key), dict)), loaded)
    if not isinstance(state, dict) or not state or not all(_is_plain(value) for value in state.values()):
        raise ExplorerError(
            f"{path.name} holds no state dict; save the weights with torch.save(model.state_dict(), ...)."
        )
    return {str(key): value for key, value in state.items()}


STATE_KEYS = ("state_dict", "model_state_dict", "model", "net", "state_dict_ema", "model_ema")
"""What trainings call the weights in their checkpoints."""
DAMAGED_PICKLE = (
    pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError,
    AssertionError, OverflowError, MemoryError, zipfile.BadZipFile,
)  # fmt: skip
"""What torch.load, the unpickler and the reader of zips let out for damaged bytes."""


def _check_file(path: Path) -> None:
    if not os.path.isfile(path):  # which answers for impossible names, too
        raise ExplorerError(f"There is no file {path.name:.80}; check the path.")
    if path.stat().st_size > LARGEST_FILE:
        raise ExplorerError(
            f"{path.name} is larger than {LARGEST_FILE // 1024**2} MB, more than any network here needs."
        )


def network_header(path: Path) -> dict[str, str]:
    """What a safetensors file says about itself. Raises ExplorerError when it is missing, damaged or another file."""
    _check_file(path)
    try:
        with path.open("rb") as start:
            length = int.from_bytes(start.read(8), "little")
        if LARGEST_HEADER < length <= path.stat().st_size:
            raise ExplorerError(
                f"The header of {path.name} has {length // 1024**2} MB, more than the names of any network need; it is "
                "not opened."
            )
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError, RuntimeError) as error:
        _unless_memory_ended(error, path)
        if isinstance(error, RuntimeError):
            raise
        raise ExplorerError(f"{path.name} is damaged or no safetensors file; make or fetch it again.") from error


def _unless_memory_ended(error: BaseException, path: Path) -> None:
    """Raises ExplorerError where nothing is wrong with the file but that there was too little memory for it."""
    if is_lack_of_memory(error):
        raise ExplorerError(
            f"There was not enough memory to read {path.name}. Close other programs, and try again."
        ) from error


def _refuse_compression(path: Path) -> None:
    """torch.save stores its records as they are; a compressed one was made by hand, to be far larger than its file."""
    try:
        if not zipfile.is_zipfile(path):
            return
        with zipfile.ZipFile(path) as records:
            compressed = any(record.compress_type != zipfile.ZIP_STORED for record in records.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ExplorerError(f"{path.name} is damaged; make or fetch it again.") from error
    if compressed:
        raise ExplorerError(
            f"{path.name} holds compressed records, which torch never writes; it is not opened. Save the weights again "
            "with torch.save(model.state_dict(), ...)."
        )


def _is_plain(value: object) -> bool:
    """An ordinary tensor with numbers of its own: no sparse, quantised or complex one, and none without memory."""
    if not isinstance(value, torch.Tensor) or value.layout is not torch.strided:
        return False
    return not (value.is_meta or value.is_quantized or value.is_complex())


def _class_names(names: object) -> tuple[str, ...]:
    if not isinstance(names, list):
        raise TypeError("class names are a list")
    return tuple(str(name) for name in names)


def fill(model: nn.Module, state: Mapping[str, torch.Tensor], name: str) -> None:
    """Give `model` the weights in `state`, after checking names, shapes and values; `name` is the file's, for messages.

    `model` may lie on the meta device. Half precision becomes single. Raises ExplorerError, with the model untouched.
    """
    expected = model.state_dict()
    missing = [key for key in expected if key not in state]
    extra = [key for key in state if key not in expected]
    if missing or extra:
        first = f"{missing[0]} is missing" if missing else f"{extra[0]} has no place"
        raise ExplorerError(
            f"The weights in {name} belong to another network ({first}); choose the network they were made for."
        )
    for key, value in state.items():
        if value.shape != expected[key].shape:
            raise ExplorerError(
                f"The weights in {name} do not fit: {key} is {tuple(value.shape)} where {tuple(expected[key].shape)} "
                "is expected. Check the number of classes and the network."
            )
        if expected[key].is_floating_point() and not value.is_floating_point():
            raise ExplorerError(
                f"The weights in {name} are whole numbers ({key}), as in networks made smaller for telephones; give "
                "those that were trained."
            )
    tensors = {key: value.to(expected[key].dtype, copy=True) for key, value in state.items()}
    for key, value in tensors.items():  # as they will be used: a number of 64 bits may be too large for 32
        if not bool(torch.isfinite(value).all()):
            raise ExplorerError(
                f"The weights in {name} hold values that are not numbers ({key}): the training has failed there. Take "
                "weights from before it failed."
            )
    model.load_state_dict(tensors, strict=True, assign=any(value.is_meta for value in expected.values()))


def imagenet_network(
    name: str, file: Path | None = None, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> Network:
    """`name` with ImageNet weights: from `file` (a state dict of 1000 classes), else fetched on first use, as
    `fetching.imagenet_file` does it.

    Raises ExplorerError when there are none, or when they cannot be fetched and no file is given.
    """
    weights = imagenet_weights(name)
    state, _ = read_tensors(file or imagenet_file(name, progress, cancelled))
    preprocessing = imagenet_preprocessing(name)
    classes = tuple(weights.meta["categories"])
    with torch.device("meta"):
        model = build(name, len(classes), preprocessing.size)
    # The Inceptions' files carry auxiliary heads that only help training.
    state = {key: value for key, value in state.items() if not key.startswith(("aux1.", "aux2.", "AuxLogits."))}
    _check_classes(model, state, file.name if file else name)
    fill(model, state, file.name if file else f"torchvision's {name}")
    source = f"ImageNet weights, {file.name if file else 'torchvision'}"
    return Network(name, frozen(model), classes, preprocessing, {}, source)


def imagenet_preprocessing(name: str) -> Preprocessing:
    """How pictures are prepared for the ImageNet weights of `name`. Raises ExplorerError when there are none."""
    transform = imagenet_weights(name).transforms()
    return Preprocessing(
        size=transform.crop_size[0],
        resize=transform.resize_size[0],
        mean=HALF if name in REMAPPED else tuple(transform.mean),
        std=HALF if name in REMAPPED else tuple(transform.std),
    )


REMAPPED = ("googlenet", "inception_v3")
"""Their ImageNet weights, once Google's, read colours from -1 to 1. torchvision converts inside the network
(`transform_input`); preparing the picture that way is the same and travels with the weights."""

HALF = (0.5, 0.5, 0.5)


def _check_classes(model: nn.Module, state: Mapping[str, torch.Tensor], name: str) -> None:
    """A state dict has no class names, so only ImageNet's number of them can be meant. Raises ExplorerError else."""
    expected = model.state_dict()
    other = {
        value.shape[0]
        for key, value in state.items()
        if key in expected and value.shape != expected[key].shape and value.shape[1:] == expected[key].shape[1:]
    }
    if state.keys() == expected.keys() and len(other) == 1:
        raise ExplorerError(
            f"The weights in {name} tell {other.pop()} classes apart, and do not say their names; a state dict must "
            "have ImageNet's 1000. Give a network file (export --format safetensors), which brings its class names."
        )
