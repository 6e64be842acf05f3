"""A network as a folder that predicts with PyTorch alone: weights, class names, a plain definition, and predict.py, to
which photograph.py brings pictures with Pillow.

The definition is written from the traced network (`torch.fx`): the layers as PyTorch prints them, and the lines of its
forward pass. So it holds what the network computes and nothing of this program, can be read from top to bottom, and
loads the weights under their own names. No name that a stranger chose gets into the code.
"""

import json

from torch import fx, nn

from alexnet_core.errors import ExplorerError
from alexnet_core.models import Network
from alexnet_core.models.weights import network_bytes

ONLY_WHILE_TRAINING = ("Dropout", "Dropout2d", "StochasticDepth")
"""Layers that pass everything on once the network is trained."""


def folder_files(network: Network) -> dict[str, bytes]:
    """The files by their names. Raises ExplorerError for a network that cannot be written down layer by layer."""
    facts = {
        "network": network.title,
        "model": network.name,
        "classes": list(network.classes),
        "preprocessing": network.preprocessing.as_dict(),
    }
    return {
        "network.safetensors": network_bytes(network),
        "network.json": (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode(),
        "network.py": definition(network).encode(),
        "photograph.py": PHOTOGRAPH.encode(),
        "predict.py": PREDICT.encode(),
        "README.txt": README.encode(),
    }


def definition(network: Network) -> str:
    """The network's layers and forward pass as a Python module that imports nothing but torch.

    Tracing changes `nn.Module` for all threads while it lasts; let nobody else compute meanwhile. Raises ExplorerError
    as `folder_files` does.
    """
    traced = fx.symbolic_trace(network.model)
    graph = traced.graph
    layers: dict[str, nn.Module] = {}
    for node in list(graph.nodes):
        if node.op == "call_module":
            layer = traced.get_submodule(node.target)
            if type(layer).__name__ not in ONLY_WHILE_TRAINING:
                layers[node.target] = layer
                continue
        elif node.op != "call_function" or getattr(node.target, "__name__", "") not in ("stochastic_depth", "dropout"):
            continue
        node.replace_all_uses_with(node.args[0])
        graph.erase_node(node)
    named = {f"{name}.{key}" for name, layer in layers.items() for key in layer.state_dict()}
    strange = [layer for layer in layers.values() if getattr(nn, type(layer).__name__, None) is not type(layer)]
    if strange or named != set(network.model.state_dict()):
        raise ExplorerError(
            f"{network.title} has layers of its own, which cannot be written down as a plain definition; take the "
            "format onnx."
        )
    lines = [f"    {json.dumps(name)}: nn.{_without_new_words(repr(layer))}," for name, layer in layers.items()]
    images = next(node.name for node in graph.nodes if node.op == "placeholder")
    # The first line names types of torchvision, and a line's end frees what is no longer needed.
    _, *steps = (line.split(";  ")[0].rstrip() for line in graph.python_code("self").src.strip().splitlines())
    forward = [f"    def forward(self, {images}):", *(f"    {step}" for step in steps if step)]
    return DEFINITION.format(title=network.title, layers="\n".join(lines), forward="\n".join(forward))


def _without_new_words(layer: str) -> str:
    """A layer as PyTorch prints it, without an argument that versions before ours do not know and that is as usual."""
    return layer.replace("affine=True, bias=True", "affine=True")


DEFINITION = '''"""{title} as plain PyTorch, written by AlexNet Explorer. `load` reads its weights."""

import json
import math
from pathlib import Path

import torch
from torch import nn

LAYERS = {{
{layers}
}}


class Network(nn.Module):
    """images (N, 3, S, S), prepared as network.json says -> logits (N, classes)."""

    def __init__(self):
        super().__init__()
        for name, layer in LAYERS.items():
            *folders, last = name.split(".")
            place = self
            for folder in folders:
                if not hasattr(place, folder):
                    place.add_module(folder, nn.Module())
                place = getattr(place, folder)
            place.add_module(last, layer)

{forward}


def load(path):
    """The network with the weights of a safetensors file."""
    data = bytearray(Path(path).read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    kinds = {{"F32": torch.float32, "I64": torch.int64}}
    weights = {{
        name: torch.frombuffer(
            data, dtype=kinds[one["dtype"]], count=math.prod(one["shape"]), offset=start + one["data_offsets"][0]
        ).view(one["shape"])
        for name, one in json.loads(data[8:start]).items()
        if name != "__metadata__"
    }}
    network = Network().eval().requires_grad_(False)
    network.load_state_dict(weights, strict=True)
    return network
'''

PREDICT = '''"""python predict.py PICTURE ...: the most probable classes. Needs PyTorch, and Pillow for photographs."""
import json
from pathlib import Path
from sys import argv, stdout

import torch
from network import load
from photograph import square
stdout.reconfigure(errors="backslashreplace")  # names may have letters that the terminal, or a file, does not have
HERE = Path(__file__).resolve().parent
FACTS = json.loads((HERE / "network.json").read_text("utf-8"))
MEAN, STD = (torch.tensor(FACTS["preprocessing"][key]) for key in ("mean", "std"))
network = load(HERE / "network.safetensors")
for path in argv[1:]:
    pixels = torch.load(path, weights_only=True) if path.endswith(".pt") else square(path, FACTS["preprocessing"])
    image = ((pixels / 255 - MEAN) / STD).permute(2, 0, 1)  # (size, size, 3) -> (3, size, size)
    best = network(image[None])[0].softmax(0).topk(min(5, len(FACTS["classes"])))
    print(path)
    for probability, index in zip(*best):
        print(f"  {probability:7.2%}  {FACTS['classes'][index]}")
'''

PHOTOGRAPH = '''"""What the network looks at in a photograph."""

import torch


def square(path, preparation):
    """The centre of the picture at `path`, upright and on white: uint8 (size, size, 3), cut as network.json says."""
    from PIL import Image, ImageOps  # here, so that all else needs PyTorch alone

    size, resize = preparation["size"], preparation["resize"]
    picture = ImageOps.exif_transpose(Image.open(path))
    if picture.mode.startswith("I;16"):  # 65,535 = 257 * 255
        picture = picture.point(lambda value: value * (1 / 257) + 0.5).convert("L")
    picture = picture.convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    sides = [max(size, round(side * (resize / min(picture.size)))) for side in picture.size]
    across, down = (side / small for side, small in zip(picture.size, sides))
    left, top = ((small - size) // 2 for small in sides)
    box = (left * across, top * down, (left + size) * across, (top + size) * down)
    picture = picture.resize((size, size), Image.Resampling.BICUBIC, box, reducing_gap=3.0)
    return torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(size, size, 3)
'''

README = """A trained network, ready to predict.

    pip install torch pillow
    python predict.py picture.jpg

network.safetensors  its weights, with all that AlexNet Explorer needs to read the network back (alexnet import)
network.json         its class names, and how pictures are prepared: short side, centre square, mean, deviation
network.py           its layers and forward pass as plain PyTorch
photograph.py        a photograph as the square of pixels that the network looks at
predict.py           the five most probable classes of each picture

predict.py needs PyTorch alone; only photograph.py needs Pillow, to read pictures. Where there is none, give the square
as a tensor: a .pt file, torch.save of (size, size, 3) with values from 0 to 255; network.json has the size.
"""
