"""The folder predicts what the network does, without this program."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import numpy as np
import pytest
import torch
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from alexnet_core import images
from alexnet_core.files import write_folder
from alexnet_core.insight.prediction import predict
from alexnet_core.models import MODELS, Network, build
from alexnet_core.models.plain_folder import PREDICT, definition, folder_files
from alexnet_core.models.weights import frozen, network_bytes
from alexnet_core.preprocess import Preprocessing

HOSTILE = '<b>*cat*</b> """ {x} \\'
WITHOUT = """
import runpy
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Without())
sys.argv = sys.argv[1:]
sys.path[0] = {folder!r}
runpy.run_path(sys.path[0] + "/predict.py", run_name="__main__")
"""


@cache
def makers() -> dict[str, set[str]]:
    """Which installed packages bring what can be imported; asked for once, as each package's list of files is read."""
    return {name: set(map(canonicalize_name, of)) for name, of in packages_distributions().items()}


def all_but(*distributions: str) -> set[str]:
    """The names of the installed packages, but for those of `distributions` and of what they cannot do without."""
    waiting, needed = [*distributions], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in needed and any(name in of for of in makers().values()):
            needed.add(name)
            wanted = map(Requirement, requires(name) or ())
            waiting += [canonicalize_name(one.name) for one in wanted if one.marker is None or _here(one.marker)]
    return {name for name, of in makers().items() if not of & needed}


def _here(marker: Marker) -> bool:
    return marker.evaluate({"extra": ""})


def small(name: str, **settings: object) -> Network:
    torch.manual_seed(1)
    size = max(MODELS[name].smallest, 32)
    model = build(name, 3, size, **settings)
    with torch.no_grad():  # as if it had been trained: no normalisation that does nothing
        for key, value in model.state_dict().items():
            if key.endswith("running_mean"):
                value.uniform_(-0.1, 0.1)
    return Network(name, frozen(model), (HOSTILE, "dog", "bird"), Preprocessing(size, size + 4), dict(settings))


LARGE = ("alexnet", "alexnet_bn", "vgg11", "vgg16", "inception_v3", "resnet50", "efficientnet_v2_s")
"""Of these the weights are left out: their numbers take seconds to draw."""


def written(network: Network) -> dict[str, object]:
    """What the plain definition defines."""
    code = definition(network)
    assert "torchvision" not in code
    module: dict[str, object] = {}
    exec(compile(code, "network.py", "exec"), module)
    return module


@pytest.mark.parametrize("name", [name for name in MODELS if name not in LARGE])
def test_the_definition_of_a_network_answers_the_same(name: str, tmp_path: Path) -> None:
    network = small(name)
    before = {key: value.clone() for key, value in network.model.state_dict().items()}
    (tmp_path / "n.safetensors").write_bytes(network_bytes(network))
    plain = written(network)["load"](tmp_path / "n.safetensors")  # type: ignore[operator]
    pictures = torch.randn(2, 3, network.preprocessing.size, network.preprocessing.size)
    with torch.no_grad():
        assert torch.equal(plain(pictures), network.model(pictures))
    assert all(torch.equal(value, before[key]) for key, value in network.model.state_dict().items())
    assert not any(module._forward_hooks or module.training for module in network.model.modules())


@pytest.mark.parametrize("name", LARGE)
def test_the_definition_of_a_large_network_has_its_weights(name: str) -> None:
    with torch.device("meta"):
        network = small(name)
        plain = written(network)["Network"]()  # type: ignore[operator]
        shapes = [{key: value.shape for key, value in one.state_dict().items()} for one in (plain, network.model)]
        assert shapes[0] == shapes[1]
        size = network.preprocessing.size
        assert plain.eval()(torch.zeros(2, 3, size, size)).shape == (2, 3)


@pytest.fixture(scope="module")
def outspoken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Network, Path]:
    """A network with an opinion so strong that another cut of the picture would change it, and its folder."""
    network = small("alexnet_mini", batch_norm=True)
    with torch.no_grad():
        network.model.classifier[6].weight.mul_(300)
    folder = tmp_path_factory.mktemp("taken home") / "folder"
    write_folder(folder, folder_files(network))
    return network, folder


def said(folder: Path, having: tuple[str, ...], *pictures: Path, encoding: str = "utf-8") -> list[list[str]]:
    """What predict.py prints of each picture in a process where only the distributions `having` can be imported."""
    script = WITHOUT.format(names=all_but(*having), folder=str(folder))
    command = [sys.executable, "-c", script, "predict.py", *map(str, pictures)]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(
        command, cwd=folder.parent, capture_output=True, encoding=encoding, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return [done.stdout.split(f"{picture}\n")[1].splitlines()[:3] for picture in pictures]


def test_predict_py_says_what_the_program_says_and_imports_torch_and_pillow(
    outspoken: tuple[Network, Path], tmp_path: Path
) -> None:
    network, folder = outspoken
    random = np.random.default_rng(0)
    upside_down = Image.Exif()
    upside_down[0x0112] = 3
    kinds = {"rgb.png": "RGB", "seen-through.png": "RGBA", "grey.png": "L", "deep.png": "I;16", "turned.jpg": "RGB"}
    for file, mode in kinds.items():
        shape = (40, 57, len(mode)) if mode.startswith("RGB") else (40, 57)
        highest, kind = (65536, np.uint16) if mode == "I;16" else (256, np.uint8)
        picture = Image.fromarray(random.integers(0, highest, shape, dtype=kind))
        picture.save(tmp_path / file, **{"exif": upside_down} if file.endswith("jpg") else {})
    expected = predict(network, [images.decode_file(tmp_path / file) for file in kinds], top=3)
    assert said(folder, ("torch", "pillow"), *(tmp_path / file for file in kinds)) == [
        [f"  {one.probability:7.2%}  {one.name}" for one in answers] for answers in expected
    ]


def test_the_rest_is_out_of_reach_there() -> None:
    assert all_but("torch", "pillow") >= {"numpy", "torchvision", "safetensors", "alexnet_core"}
    assert all_but("torch") - all_but("torch", "pillow") == {"PIL"}


def test_a_picture_as_a_tensor_needs_torch_alone(outspoken: tuple[Network, Path], tmp_path: Path) -> None:
    network, folder = outspoken
    side = network.preprocessing.size
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    torch.save(torch.from_numpy(pixels), tmp_path / "square.pt")
    logits = network.model(network.preprocessing.normalise(torch.from_numpy(pixels)[None]))[0]
    order = logits.argsort(descending=True).tolist()
    expected = [f"  {logits.softmax(0)[index]:7.2%}  {network.classes[index]}" for index in order]
    assert said(folder, ("torch",), tmp_path / "square.pt") == [expected]


def test_letters_that_a_terminal_does_not_have_are_written_as_their_numbers(tmp_path: Path) -> None:
    network = replace(small("alexnet_mini", batch_norm=True), classes=("łąka", "dog", "bird"))
    write_folder(tmp_path / "folder", folder_files(network))
    side = network.preprocessing.size
    torch.save(torch.zeros(side, side, 3, dtype=torch.uint8), tmp_path / "square.pt")
    (answers,) = said(tmp_path / "folder", ("torch",), tmp_path / "square.pt", encoding="ascii")
    assert any(answer.endswith(r"\u0142\u0105ka") for answer in answers)


def test_no_name_of_a_stranger_gets_into_the_code() -> None:
    files = folder_files(small("alexnet_mini", batch_norm=False))
    assert json.loads(files["network.json"])["classes"][0] == HOSTILE
    assert b"cat" not in files["network.py"] + files["photograph.py"] + files["predict.py"] + files["README.txt"]
    assert len(PREDICT.splitlines()) <= 20
