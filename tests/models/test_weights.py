"""Weights in files: what we write comes back, what strangers write is checked, what is fetched is verified."""

import hashlib
import http.server
import json
import os
import pickle
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from alexnet_core.errors import ExplorerError
from alexnet_core.models import MODELS, Network, build, pickles
from alexnet_core.models import weights as weights_module
from alexnet_core.models.weights import (
    FORMAT,
    imagenet_network,
    load_network,
    network_bytes,
    network_from_file,
    read_tensors,
    save_network,
)
from alexnet_core.preprocess import Preprocessing

CLASSES = ("cat", "dog", "Ämter & <b>")


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    model = build("alexnet_mini", 3, 32, batch_norm=False, dropout=0.25).eval()
    settings = {"batch_norm": False, "dropout": 0.25}
    return Network("alexnet_mini", model, CLASSES, Preprocessing(32, 36, (0.1, 0.2, 0.3)), settings, "a test")


@pytest.fixture(scope="module")
def squeezenet_state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return torchvision.models.squeezenet1_1().state_dict()


def rewritten(path: Path, header: dict[str, str], state: dict[str, torch.Tensor]) -> Path:
    save_file({key: value.contiguous() for key, value in state.items()}, path, header)
    return path


def header_of(network: Network, **changes: str) -> dict[str, str]:
    header = {
        "format": FORMAT,
        "model": network.name,
        "classes": json.dumps(list(network.classes)),
        "preprocessing": json.dumps(network.preprocessing.as_dict()),
        "settings": json.dumps(network.settings),
    }
    return header | changes


# -- our own files -----------------------------------------------------------------------------------------------------


def test_a_network_file_brings_back_everything(tmp_path, network):
    save_network(tmp_path / "n.safetensors", network)
    loaded = load_network(tmp_path / "n.safetensors")
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(loaded.model(images), network.model(images))
    assert (loaded.name, loaded.classes, loaded.preprocessing) == (network.name, CLASSES, network.preprocessing)
    assert (loaded.settings, loaded.source) == (network.settings, "a test")
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())


def test_half_precision_takes_half_the_place_and_comes_back_single(tmp_path, network):
    (tmp_path / "h.safetensors").write_bytes(network_bytes(network, half=True))
    assert len(network_bytes(network, half=True)) < 0.51 * len(network_bytes(network))
    loaded = load_network(tmp_path / "h.safetensors")
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.float32}
    weight = network.model.features[0].weight
    assert torch.equal(loaded.model.features[0].weight, weight.half().float())


def test_equal_networks_give_equal_bytes_also_in_other_processes(tmp_path, network):
    (tmp_path / "n.safetensors").write_bytes(network_bytes(network))
    again = (
        "import sys; from pathlib import Path; from alexnet_core.models.weights import load_network, network_bytes;"
        "sys.stdout.buffer.write(network_bytes(load_network(Path(sys.argv[1]))))"
    )
    command = [sys.executable, "-c", again, str(tmp_path / "n.safetensors")]
    other = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    assert {network_bytes(network) for _ in range(20)} | {other} == {network_bytes(network)}


@pytest.mark.parametrize("half", [False, True])
def test_the_sorted_header_is_what_safetensors_itself_reads(tmp_path, half):
    model = build("alexnet_mini", 3, 32)  # its normalisations count batches: numbers of several kinds
    data = network_bytes(Network("alexnet_mini", model, CLASSES, Preprocessing(32, 36), {}, "a test"), half=half)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert list(header) == sorted(header)
    assert list(header["__metadata__"]) == sorted(header["__metadata__"])
    assert length % 8 == 0
    (tmp_path / "n.safetensors").write_bytes(data)
    state = {
        name: value.half() if half and value.is_floating_point() else value
        for name, value in model.state_dict().items()
    }
    loaded = load_file(tmp_path / "n.safetensors")
    assert loaded.keys() == state.keys()
    assert all(torch.equal(value, state[name]) for name, value in loaded.items())
    with safe_open(tmp_path / "n.safetensors", framework="pt") as file:
        assert json.loads(file.metadata()["classes"]) == list(CLASSES)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "another"}, {"model": "lenet"}, {"model": "resnet18"}, {"classes": "3"}, {"classes": '"abc"'},
        {"classes": "[1, 2"}, {"classes": "[]"}, {"classes": '["a", "b"]'}, {"classes": "[" * 100_000},
        {"preprocessing": "{}"}, {"preprocessing": "[]"}, {"settings": "[1]"}, {"settings": '{"dropout": "much"}'},
        {"settings": '{"dropout": 7}'}, {"settings": '{"speed": 1}'}, {"settings": "null"},
    ],
)  # fmt: skip
def test_a_header_that_lies_is_one_sentence(tmp_path, network, changes):
    path = rewritten(tmp_path / "n.safetensors", header_of(network, **changes), network.model.state_dict())
    with pytest.raises(ExplorerError):
        load_network(path)


def test_a_file_without_our_header_asks_for_the_networks_name(tmp_path, network):
    path = rewritten(tmp_path / "n.safetensors", {}, network.model.state_dict())
    with pytest.raises(ExplorerError, match="--model"):
        load_network(path)


# -- files from strangers ----------------------------------------------------------------------------------------------


class Canary:
    """Unpickled without care, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f'echo sung > "{self.path}"',)


@pytest.mark.parametrize("name", ["evil.pt", "evil.pth", "evil.bin"])
def test_code_in_a_file_is_not_run_and_torchs_advice_is_not_shown(tmp_path, name):
    canary, path = tmp_path / "canary", tmp_path / name
    torch.save({"features.0.weight": Canary(canary)}, path)
    with pytest.raises(ExplorerError) as caught:
        read_tensors(path)
    assert not canary.exists()
    assert "weights_only" not in str(caught.value)
    path.write_bytes(pickle.dumps(Canary(canary), protocol=2))
    with pytest.raises(ExplorerError):
        read_tensors(path)
    assert not canary.exists()
    pickle.loads(path.read_bytes())
    assert canary.exists(), "the canary itself must be able to sing, or this test proves nothing"


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_cut_or_altered_file_is_one_sentence_or_plain_tensors(tmp_path, suffix):
    state = {"a.weight": torch.arange(24.0).reshape(2, 3, 2, 2), "a.bias": torch.ones(2)}
    whole = tmp_path / f"whole{suffix}"
    save_file(state, whole) if suffix == ".safetensors" else torch.save(state, whole)
    data = whole.read_bytes()
    damaged = tmp_path / f"damaged{suffix}"
    refused = 0
    generator = torch.Generator().manual_seed(0)
    places = torch.randint(len(data), (150,), generator=generator).tolist()
    versions = [data[:cut] for cut in range(0, len(data), max(1, len(data) // 60))]
    versions += [data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1 :] for at in places]
    for version in versions:
        damaged.write_bytes(version)
        try:
            read_tensors(damaged)
        except ExplorerError:
            refused += 1
    assert refused >= 60


def bomb(call: bytes) -> bytes:
    """A pickle as torch writes it that makes a dictionary of one thing by the commands `call`."""
    return b"\x80\x02}X\x01\x00\x00\x00a" + call + b"s."


def endless(times: int) -> bytes:
    """The commands for a tensor of one number that says that it holds it `times` times two times."""
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ"
    sizes = b"\x8a\x05" + times.to_bytes(5, "little") + b"K\x02\x86K\x00K\x00\x86"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00" + sizes + b"\x89ccollections\nOrderedDict\n)RtR"


MANY = (2 * 10**9).to_bytes(5, "little")
BOMBS = {
    "bytearray": b"c__builtin__\nbytearray\n\x8a\x05" + MANY + b"\x85R",
    "tensor": b"ctorch\nFloatTensor\n\x8a\x05" + MANY + b"\x85R",
    "storage": b"ctorch\nUntypedStorage\n\x8a\x05" + MANY + b"\x85R",
    "dictionary": b"ccollections\nOrderedDict\n" + endless(10**9) + b"\x85R",
    "counter": b"ccollections\nCounter\n" + endless(10**9) + b"\x85R",
    "size": b"ctorch\nSize\n" + endless(10**9) + b"\x85R",
    "again": b"(" + b"K\x01" * 1000 + b"lq\x00(" + b"c__builtin__\nset\nh\x00\x85R" * 200 + b"l\x86",
    "long": b"(" + b"]" * 50_000 + b"l",
}


@pytest.mark.parametrize("kind", ["zip", "legacy"])
@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_does_not_fill_the_memory(tmp_path, monkeypatch, name, kind):
    plain = tmp_path / "plain.pt"
    torch.save({"a": torch.ones(1)}, plain, _use_new_zipfile_serialization=kind == "zip")
    bombed = tmp_path / "bombed.pt"
    monkeypatch.setattr(pickles, "LONGEST", 40_000)
    if kind == "zip":
        with zipfile.ZipFile(plain) as old, zipfile.ZipFile(bombed, "w") as new:
            for record in old.infolist():
                pickled = record.filename.endswith("data.pkl")
                new.writestr(record.filename, bomb(BOMBS[name]) if pickled else old.read(record))
    else:
        whole = plain.read_bytes()
        at = whole.index(b"\x80\x02}q\x00X\x01\x00\x00\x00a")
        bombed.write_bytes(whole[:at] + bomb(BOMBS[name]) + whole[at:])
    with monkeypatch.context() as watched:
        watched.setattr(torch, "load", lambda *_, **__: pytest.fail("torch was let near it"))
        with pytest.raises(ExplorerError, match=r"could not be read as weights.*state_dict\(\)"):
            read_tensors(bombed)


def test_a_zip_behind_a_pickle_or_a_zip_does_not_hide_it(tmp_path, monkeypatch):
    torch.save({"a": torch.ones(1)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    torch.save({"a": torch.ones(1)}, tmp_path / "new.pt")
    old, new = ((tmp_path / name).read_bytes() for name in ("old.pt", "new.pt"))
    at = old.index(b"\x80\x02}q\x00X\x01\x00\x00\x00a")
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("torch was let near it"))
    for data in (old[:at] + bomb(BOMBS["bytearray"]) + old[at:] + new, new + new):
        (tmp_path / "hidden.pt").write_bytes(data)
        with pytest.raises(ExplorerError, match="could not be read as weights"):
            read_tensors(tmp_path / "hidden.pt")


def test_what_trainings_keep_beside_the_weights_is_no_trouble(tmp_path):
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    kept = {
        "model_state_dict": layer.state_dict(), "parameters": dict(layer.named_parameters()), "epoch": 3, "best": 0.5,
        "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(), "rng": torch.get_rng_state(),
        "shape": torch.Size([2, 2]), "device": torch.device("cpu"), "kind": torch.float32, "seen": {1, 2}, "no": None,
    }  # fmt: skip
    for new in (True, False):
        torch.save(kept, tmp_path / "x.pth", _use_new_zipfile_serialization=new)
        assert set(read_tensors(tmp_path / "x.pth")[0]) == {"weight", "bias"}


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize(
    "words",
    ["can't allocate memory", "unable to mmap: Cannot allocate memory (12)", "not enough memory: you tried to"],
)
def test_too_little_memory_is_not_called_damage(tmp_path, monkeypatch, network, suffix, words):
    def full(*_, **__):
        raise RuntimeError(words)

    path = tmp_path / f"n{suffix}"
    if suffix == ".pt":
        torch.save(network.model.state_dict(), path)
        monkeypatch.setattr(torch, "load", full)
    else:
        save_network(path, network)
        monkeypatch.setattr(weights_module, "safe_open", full)
    with pytest.raises(ExplorerError, match="not enough memory to read"):
        read_tensors(path)


def test_compressed_records_are_not_opened(tmp_path):
    stored, packed = tmp_path / "stored.pt", tmp_path / "packed.pt"
    torch.save({"a": torch.zeros(100_000)}, stored)
    with zipfile.ZipFile(stored) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for record in old.infolist():
            new.writestr(record.filename, old.read(record))
    assert read_tensors(stored)[0]["a"].shape == (100_000,)
    with pytest.raises(ExplorerError, match="compressed"):
        read_tensors(packed)


@pytest.mark.parametrize(
    "content",
    [
        [1, 2], {}, {"a": 3}, {"a": {"b": torch.ones(1)}}, torch.ones(3), None, {"a": torch.ones(2, device="meta")},
        {"a": torch.ones(2).to_sparse()}, {"a": torch.ones(2, dtype=torch.complex64)},
    ],
)  # fmt: skip
def test_what_is_no_state_dict_is_one_sentence(tmp_path, content):
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(ExplorerError):
        read_tensors(tmp_path / "x.pt")


def test_a_state_dict_may_lie_in_a_training_checkpoint(tmp_path):
    torch.save({"state_dict": {"a": torch.ones(2)}, "epoch": 3}, tmp_path / "x.pth")
    assert set(read_tensors(tmp_path / "x.pth")[0]) == {"a"}


def test_a_file_that_is_missing_or_too_large_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(ExplorerError, match=r"no file x\.pt"):
        read_tensors(tmp_path / "x.pt")
    torch.save({"a": torch.ones(2000)}, tmp_path / "x.pt")
    monkeypatch.setattr(weights_module, "LARGEST_FILE", 4000)
    with pytest.raises(ExplorerError, match="larger than"):
        read_tensors(tmp_path / "x.pt")


def spoil_shape(state):
    state["features.3.squeeze.weight"] = torch.zeros(3, 3)


def spoil_value(state):
    state["features.3.squeeze.weight"].view(-1)[5] = float("nan")


def spoil_infinite(state):
    state["features.3.squeeze.bias"].view(-1)[0] = float("inf")


def spoil_large(state):
    value = state["features.3.squeeze.bias"].double()
    value[0] = 1e300
    state["features.3.squeeze.bias"] = value


def spoil_kind(state):
    state["features.3.squeeze.bias"] = state["features.3.squeeze.bias"].to(torch.int8)


def drop(state):
    del state["features.3.squeeze.weight"]


def add(state):
    state["unheard.of"] = torch.ones(1)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (spoil_shape, "do not fit: features.3.squeeze.weight"),
        (spoil_value, "not numbers"),
        (spoil_infinite, "not numbers"),
        (spoil_large, "not numbers"),
        (spoil_kind, "whole numbers"),
        (drop, "features.3.squeeze.weight is missing"),
        (add, "unheard.of has no place"),
    ],
)
def test_weights_that_do_not_fit_are_one_sentence(tmp_path, squeezenet_state, spoil, sentence):
    state = {key: value.clone() for key, value in squeezenet_state.items()}
    spoil(state)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ExplorerError, match=sentence):
        imagenet_network("squeezenet1_1", tmp_path / "w.pth")


def test_another_number_of_classes_is_named(tmp_path):
    torch.save(torchvision.models.squeezenet1_1(num_classes=10).state_dict(), tmp_path / "w.pth")
    with pytest.raises(ExplorerError, match=r"10 classes.*--format safetensors"):
        network_from_file("squeezenet1_1", tmp_path / "w.pth")


def test_a_networks_file_must_be_of_the_network_that_is_named(tmp_path, network):
    save_network(tmp_path / "n.safetensors", network)
    assert network_from_file("alexnet_mini", tmp_path / "n.safetensors").classes == CLASSES
    with pytest.raises(ExplorerError, match="holds the network alexnet_mini"):
        network_from_file("resnet18", tmp_path / "n.safetensors")


# -- ImageNet's weights ------------------------------------------------------------------------------------------------


def test_weights_from_a_file_make_torchvisions_network(tmp_path, squeezenet_state):
    torch.save(squeezenet_state, tmp_path / "w.pth")
    network = imagenet_network("squeezenet1_1", tmp_path / "w.pth")
    theirs = torchvision.models.squeezenet1_1().eval()
    theirs.load_state_dict(squeezenet_state)
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        assert torch.allclose(network.model(images), theirs(images), atol=1e-5)
    assert len(network.classes) == 1000
    assert network.classes[574] == "golf ball"
    assert (network.preprocessing.resize, network.preprocessing.size) == (256, 224)


def test_googlenet_gets_colours_as_torchvision_gives_them(tmp_path):
    """torchvision converts inside the network when it loads ImageNet's weights; our preprocessing does the same."""
    torch.manual_seed(0)
    theirs = torchvision.models.googlenet(init_weights=False, transform_input=True, aux_logits=True).eval()
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    network = imagenet_network("googlenet", tmp_path / "w.pth")
    pixels = torch.randint(0, 256, (1, 224, 224, 3), dtype=torch.uint8)
    with torch.no_grad():
        expected = theirs(Preprocessing(224, 224).normalise(pixels))
        assert torch.allclose(
            network.model(network.preprocessing.normalise(pixels)), expected, atol=1e-5 * float(expected.abs().max())
        )


@pytest.mark.parametrize("name", ["alexnet_mini", "lenet"])
def test_a_network_without_imagenet_weights_names_those_with(name):
    with pytest.raises(ExplorerError, match=f"{name}.*squeezenet1_1"):
        imagenet_network(name)


@pytest.fixture
def served(tmp_path, monkeypatch, squeezenet_state):
    """torchvision's SqueezeNet weights, made here, behind a local server, with an empty cache of torch's."""
    folder = tmp_path / "served"
    folder.mkdir()
    torch.save(squeezenet_state, folder / "weights")
    digest = hashlib.sha256((folder / "weights").read_bytes()).hexdigest()[:8]
    name = f"squeezenet1_1-{digest}.pth"
    (folder / "weights").rename(folder / name)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    weights = torchvision.models.get_weight(MODELS["squeezenet1_1"].imagenet_weights)

    class Stand:
        url, meta, transforms = f"http://127.0.0.1:{server.server_port}/{name}", weights.meta, weights.transforms

    monkeypatch.setattr("torchvision.models.get_weight", lambda _: Stand)
    yield folder / name, server, tmp_path / "torch" / "hub" / "checkpoints" / name
    server.shutdown()
    server.server_close()


def test_weights_are_fetched_once(served, squeezenet_state):
    source, _, cached = served
    network = imagenet_network("squeezenet1_1")
    assert torch.equal(network.model.state_dict()["features.0.weight"], squeezenet_state["features.0.weight"])
    assert cached.read_bytes() == source.read_bytes()
    source.unlink()
    imagenet_network("squeezenet1_1")


def test_weights_that_arrive_altered_are_not_kept(served):
    source, _, cached = served
    source.write_bytes(source.read_bytes()[:-1] + b"!")
    with pytest.raises(ExplorerError, match="not the ImageNet weights"):
        imagenet_network("squeezenet1_1")
    assert not cached.exists()


def test_without_a_connection_the_sentence_says_what_works(served):
    _, server, cached = served
    server.shutdown()
    server.server_close()
    with pytest.raises(ExplorerError, match=r"could not be fetched.*--weights.*bundled"):
        imagenet_network("squeezenet1_1")
    assert not cached.exists()


def test_code_in_a_cached_file_is_not_run(served, tmp_path, monkeypatch):
    _, _, cached = served
    cached.parent.mkdir(parents=True)
    torch.save({"a": Canary(tmp_path / "canary")}, cached)
    with monkeypatch.context() as believing:
        believing.setattr("alexnet_core.models.fetching._fits", lambda path, digest: True)
        with pytest.raises(ExplorerError, match="could not be read"):
            imagenet_network("squeezenet1_1")
    assert imagenet_network("squeezenet1_1").source == "ImageNet weights, torchvision"  # fetched anew
    assert not (tmp_path / "canary").exists()
