"""A network in the forms that other programs read."""

import json
from collections.abc import Callable
from io import BytesIO

import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.files import zipped
from alexnet_core.models import Network
from alexnet_core.models.plain_folder import folder_files
from alexnet_core.models.weights import network_bytes


def safetensors(network: Network) -> bytes:
    """A network file: the weights with class names and preprocessing, usable alone here and readable everywhere."""
    return network_bytes(network)


def state_dict(network: Network) -> bytes:
    """A `.pt` of tensors alone; torchvision's network of the same name loads it strictly, with as many classes."""
    buffer = BytesIO()
    torch.save({name: value.cpu() for name, value in network.model.state_dict().items()}, buffer)
    return buffer.getvalue()


def onnx(network: Network) -> bytes:
    """ONNX: `images` float32 (N, 3, S, S), preprocessed, for any N -> `logits` (N, K). Class names and
    preprocessing go with it as metadata, in JSON, and what `import` needs to read it back.

    Raises ExplorerError where the packages for it are not installed.
    """
    size = network.preprocessing.size
    example = torch.zeros(2, 3, size, size)  # two pictures: one would make the exporter take N for the constant 1
    try:
        program = torch.onnx.export(
            network.model,
            (example,),
            dynamo=True,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("N")},),
            external_data=False,
            verbose=False,
            optimize=False,  # else normalisations are merged into convolutions, and the file cannot come back as it was
        )
    except ImportError as error:
        raise ExplorerError("ONNX needs two more packages: pip install onnx onnxscript.") from error
    assert program is not None
    proto = program.model_proto
    facts = {
        "model": network.name,
        "classes": json.dumps(list(network.classes)),
        "preprocessing": json.dumps(network.preprocessing.as_dict()),
        "settings": json.dumps(network.settings),
        "source": network.source,
    }
    for key, value in facts.items():
        proto.metadata_props.add(key=key, value=value)
    return proto.SerializeToString()


def folder(network: Network) -> bytes:
    """A zip of one folder that predicts with PyTorch alone (`plain_folder`)."""
    return zipped({f"{network.name}/{name}": data for name, data in folder_files(network).items()})


FORMATS: dict[str, Callable[[Network], bytes]] = {
    "safetensors": safetensors,
    "state_dict": state_dict,
    "onnx": onnx,
    "folder": folder,
}
