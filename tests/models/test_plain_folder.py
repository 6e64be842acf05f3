"""The folder predicts what the network does, without this program."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from alexnet_core import images
from alexnet_core.files import write_folder
from alexnet_core.insight.prediction import predict
from alexnet_core.models import MODELS, Network, build
from alexnet_core.models.plain_folder import PREDICT, definition, folder_files
from alexnet_core.models.weights import frozen, network_bytes
from alexnet_core.preprocess import Preprocessing

HOSTILE = '<b>*cat*</b> """ {x} \\'
FORBIDDEN = """
import sys
class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("alexnet_core", "app", "torchvision", "safetensors", "numpy"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Forbidden())
"""


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


def test_predict_py_says_what_the_program_says_and_imports_nothing_of_it(tmp_path: Path) -> None:
    network = small("alexnet_mini", batch_norm=True)
    with torch.no_grad():  # an opinion so strong that another cut of the picture would change it
        network.model.classifier[6].weight.mul_(300)
    folder = tmp_path / "folder"
    write_folder(folder, folder_files(network))
    random = np.random.default_rng(0)
    kinds = {"rgb.png": "RGB", "seen-through.png": "RGBA", "grey.png": "L"}
    for file, mode in kinds.items():
        shape = (40, 57) if mode == "L" else (40, 57, len(mode))
        Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8), mode).save(tmp_path / file)
    script = FORBIDDEN + f"import runpy\nsys.argv = sys.argv[1:]\nsys.path.insert(0, {str(folder)!r})\n"
    script += f"runpy.run_path({str(folder / 'predict.py')!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", script, "predict.py", *kinds], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for file in kinds:
        expected = predict(network, [images.decode_file(tmp_path / file)], top=3)[0]
        said = done.stdout.split(f"{file}\n")[1].splitlines()[:3]
        assert said == [f"  {one.probability:7.2%}  {one.name}" for one in expected]


def test_no_name_of_a_stranger_gets_into_the_code() -> None:
    files = folder_files(small("alexnet_mini", batch_norm=False))
    assert json.loads(files["network.json"])["classes"][0] == HOSTILE
    assert b"cat" not in files["network.py"] + files["predict.py"] + files["README.txt"]
    assert len(PREDICT.splitlines()) <= 30
