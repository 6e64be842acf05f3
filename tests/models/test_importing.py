"""Networks from elsewhere: what comes in answers as before, and what would do harm stays out with a sentence."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from alexnet_core.errors import ExplorerError
from alexnet_core.models import Network, build
from alexnet_core.models.class_names import class_names, read_class_names
from alexnet_core.models.export import FORMATS
from alexnet_core.models.file_kinds import LARGEST_TABLE, NETWORK_FILE
from alexnet_core.models.importing import look, network_of
from alexnet_core.models.weights import LARGEST_HEADER, frozen, network_bytes
from alexnet_core.places import uploads_home
from alexnet_core.preprocess import Preprocessing

CLASSES = ("cat", "dog", "bird")
PICTURES = torch.linspace(-2, 2, 2 * 3 * 32 * 32).view(2, 3, 32, 32)


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    model = frozen(build("alexnet_mini", 3, 32))
    return Network("alexnet_mini", model, CLASSES, Preprocessing(32, 36, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)))


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that code in a pickle would make; it must not be there at the end."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists()


class Evil:
    """What a pickle does that is loaded without care."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.canary),)


def refused(path: Path, **how: object) -> str:
    with pytest.raises(ExplorerError) as error:
        network_of(look(path, owner=True, **how))  # type: ignore[arg-type]
    sentence = str(error.value)
    assert "\n" not in sentence
    assert "weights_only" not in sentence
    return sentence


def same(ours: Network, theirs: Network) -> None:
    assert torch.equal(ours.model(PICTURES), theirs.model(PICTURES))
    assert not any(parameter.requires_grad for parameter in ours.model.parameters())


@pytest.mark.parametrize("format", ["safetensors", "folder", "onnx"])
def test_our_own_files_bring_everything(network: Network, tmp_path: Path, format: str) -> None:
    if format == "onnx":
        pytest.importorskip("onnxscript", reason="the extra [onnx] is not installed")
    path = tmp_path / "whatever it is called"
    path.write_bytes(FORMATS[format](network))
    found = look(path, owner=False)
    back = network_of(found)
    assert (back.name, back.classes, back.preprocessing) == (network.name, CLASSES, network.preprocessing)
    assert (found.assumed, back.settings) == ("", network.settings)
    same(back, network)


@pytest.mark.parametrize(
    ("wrap", "prefix"),
    [
        (lambda s: s, ""), (lambda s: s, "module._orig_mod."), (lambda s: {"model": s}, "module."),
        (lambda s: {"state_dict": s, "epoch": 3}, "model."), (lambda s: {"model_state_dict": s}, "_orig_mod."),
        (lambda s: {"state_dict_ema": s | {"loss.weight": torch.ones(3)}}, "net.module."),
        (lambda s: {"state_dict": s | {"criterion.weight": torch.ones(3)}}, "alexnet."),
    ],
)  # fmt: skip
def test_a_state_dict_is_told_by_its_names_and_shapes(
    network: Network, tmp_path: Path, wrap: Callable[[dict], dict], prefix: str
) -> None:
    state = {prefix + key: value for key, value in network.model.state_dict().items()}
    torch.save(wrap(state), tmp_path / "n.pt")
    found = look(tmp_path / "n.pt", owner=True)
    (fit,) = found.fits
    assert (fit.model, fit.settings, fit.image_size, fit.classes) == ("alexnet_mini", {"batch_norm": True}, 32, 3)
    with pytest.raises(ExplorerError, match="3 classes apart"):
        network_of(found)
    with pytest.raises(ExplorerError, match="2 names"):
        network_of(found, classes=("a", "b"))
    back = network_of(found, classes=CLASSES)
    assert back.classes == CLASSES
    assert "how its pictures are prepared" in found.assumed
    same(back, network)


@pytest.mark.parametrize(
    ("name", "size"),
    [("alexnet_mini", 64), ("resnet18", 64), ("mobilenet_v3_small", 64), ("vgg_mini", 96), ("efficientnet_mini", 96)],
)
def test_what_leaves_as_a_state_dict_comes_back(tmp_path: Path, name: str, size: int) -> None:
    model = frozen(build(name, 4, size))
    there = Network(name, model, ("a", "b", "c", "d"), Preprocessing(size, size))
    (tmp_path / "n.pth").write_bytes(FORMATS["state_dict"](there))
    back = network_of(look(tmp_path / "n.pth", owner=True), classes=there.classes)
    assert (back.name, back.classes) == (name, there.classes)
    pictures = torch.randn(2, 3, size, size)
    assert torch.equal(back.model(pictures), model(pictures))


@pytest.mark.parametrize(("size", "expected"), [(None, Preprocessing(224, 256)), (227, Preprocessing(227, 227))])
def test_with_imagenets_classes_too_pictures_have_the_size_that_is_asked_for(
    tmp_path: Path, size: int | None, expected: Preprocessing
) -> None:
    path = tmp_path / "n.safetensors"
    path.write_bytes(save(build("squeezenet1_1", 1000).state_dict()))
    assert network_of(look(path, owner=False, image_size=size), image_size=size).preprocessing == expected


def test_weights_of_no_network_here_name_the_nearest(network: Network, tmp_path: Path) -> None:
    state = dict(network.model.state_dict())
    del state["classifier.6.bias"]
    path = tmp_path / "n.safetensors"
    path.write_bytes(save(state))
    assert "Nearest is AlexNet mini" in refused(path)
    with pytest.raises(ExplorerError, match=r"classifier\.6\.bias is missing"):
        network_of(look(path, owner=False), model="alexnet_mini")
    path.write_bytes(save({"a": torch.zeros(2), "b": torch.zeros(())}))
    assert "another definition. The networks are" in refused(path)
    whole = network.model.state_dict()  # of a teacher and its pupil, nobody says which is meant
    path.write_bytes(save({f"{part}.{key}": value.clone() for part in "ab" for key, value in whole.items()}))
    assert "another definition" in refused(path)
    with pytest.raises(ExplorerError, match="no network called"):
        network_of(look(path, owner=False), model="../../x")


def test_a_file_of_ours_is_not_taken_for_another_network(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "n.safetensors"
    path.write_bytes(network_bytes(network))
    with pytest.raises(ExplorerError, match="leave the network open"):
        network_of(look(path, owner=False), model="alexnet")
    assert network_of(look(path, owner=False), classes=("a", "b", "c")).classes == ("a", "b", "c")


# -- what would do harm --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "saved", [pickle.dump, lambda value, file, protocol: torch.save(value, file, pickle_protocol=protocol)]
)
def test_no_code_in_a_pickle_is_run(canary: Path, tmp_path: Path, saved: Callable[..., None]) -> None:
    for name in ("n.pt", "n.safetensors", "n.onnx", "n.zip"):
        with (tmp_path / name).open("wb") as file:
            saved({"state_dict": Evil(canary)}, file, 2)
        assert "could not be read as weights" in refused(tmp_path / name)


def test_a_pickle_from_a_stranger_is_not_even_opened(canary: Path, network: Network, tmp_path: Path) -> None:
    (tmp_path / "n.pt").write_bytes(FORMATS["state_dict"](network))
    with pytest.raises(ExplorerError, match="owner of this computer"):
        look(tmp_path / "n.pt", owner=False)
    packed = tmp_path / "n.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(NETWORK_FILE, pickle.dumps(Evil(canary)))
    assert "owner of this computer" in refused(packed)


def test_compressed_records_are_refused(network: Network, tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(io.BytesIO(FORMATS["state_dict"](network))) as plain,
        zipfile.ZipFile(tmp_path / "n.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for member in plain.namelist():
            packed.writestr(member, plain.read(member))
    assert "compressed records" in refused(tmp_path / "n.pt")


def test_values_that_are_no_numbers_are_refused(network: Network, tmp_path: Path) -> None:
    state = {key: value.clone() for key, value in network.model.state_dict().items()}
    state["features.0.weight"][0, 0, 0, 0] = float("nan")
    (tmp_path / "n.safetensors").write_bytes(network_bytes(network, weights=state))
    assert "not numbers" in refused(tmp_path / "n.safetensors")


def test_a_header_that_does_not_fit_is_one_sentence(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "n.safetensors"
    data = network_bytes(network)
    for length in (0, 3, len(data), 2**40, 2**63):
        path.write_bytes(struct.pack("<Q", length) + data[8:])
        refused(path)
    for cut in (9, 50, len(data) // 2):
        path.write_bytes(data[:cut])
        assert "damaged or no safetensors file" in refused(path)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", LARGEST_HEADER + 1) + b"{")
        file.truncate(LARGEST_HEADER + 100)
    assert "header" in refused(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("classes", "[" * 5000),
        ("classes", '"cat"'),
        ("classes", "[]"),
        ("model", "../../alexnet"),
        ("settings", '{"dropout": "x"}'),
        ("settings", '{"num_classes": 9}'),
        ("preprocessing", '{"size": 1e99}'),
    ],
)
def test_a_header_with_nonsense_is_one_sentence(network: Network, tmp_path: Path, key: str, value: str) -> None:
    path = tmp_path / "n.safetensors"
    data = network_bytes(network)
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"][key] = value
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[end:])
    refused(path)


def test_nothing_leaves_a_zip_under_its_own_name(network: Network, tmp_path: Path, home: Path) -> None:
    (tmp_path / "inside").mkdir()
    packed = tmp_path / "inside" / "n.zip"
    before = sorted(path for path in tmp_path.rglob("*") if home not in path.parents)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../evil.py", "raise SystemExit")
        archive.writestr(f"../../{NETWORK_FILE}", network_bytes(network))
    same(network_of(look(packed, owner=False)), network)
    left = sorted(path for path in tmp_path.rglob("*") if home not in path.parents and path != home)
    assert left == sorted([*before, packed])
    assert list(uploads_home().iterdir()) == []


def zip_with(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def test_zips_that_are_traps_are_refused(network: Network, tmp_path: Path, home: Path) -> None:
    path = tmp_path / "n.zip"
    assert "unpacks to far more" in refused(zip_with(path, (NETWORK_FILE, b"\0" * 20_000_000)))
    assert "2 files called" in refused(zip_with(path, (NETWORK_FILE, b""), (f"x/{NETWORK_FILE}", b"")))
    assert "handful" in refused(zip_with(path, (NETWORK_FILE, b""), *((str(n), b"") for n in range(300))))
    link = zipfile.ZipInfo(NETWORK_FILE)
    link.external_attr = 0o120777 << 16
    assert "no file with a network" in refused(zip_with(path, (link, b"/etc/passwd")))
    assert "zip of pictures" in refused(zip_with(path, ("cat/1.JPG", b"x")))
    assert NETWORK_FILE in refused(zip_with(path, ("letter.txt", b"x")))
    assert "Unpack it" in refused(zip_with(path, ("mine/best.PTH", b"x")))
    assert "Keras" in refused(zip_with(path, ("model.weights.h5", b"x")))
    assert "NumPy" in refused(zip_with(path, ("a.npy", b"x")))
    assert "TorchScript" in refused(zip_with(path, ("s/data.pkl", b"x"), ("s/constants.pkl", b"x")))
    data = bytearray(zip_with(path, (NETWORK_FILE, network_bytes(network))).read_bytes())
    for place, mark in ((6, b"PK\x03\x04"), (8, b"PK\x01\x02")):  # the bit that says: encrypted
        data[data.find(mark) + place] |= 1
    path.write_bytes(data)
    assert "encrypted" in refused(path)
    data[data.rfind(b"PK\x05\x06") + 12 :][:4] = b""
    end = data.rfind(b"PK\x05\x06") + 12
    data[end : end + 4] = (LARGEST_TABLE + 1).to_bytes(4, "little")
    path.write_bytes(data)
    assert "far more files" in refused(path)
    path.write_bytes(b"PK\x03\x04" + b"x" * 100)
    assert "damaged zip" in refused(path)
    assert list(uploads_home().iterdir()) == []


def test_packed_bytes_that_are_damaged_are_one_sentence(network: Network, tmp_path: Path, home: Path) -> None:
    path = zip_with(tmp_path / "n.zip", (NETWORK_FILE, network_bytes(network)))
    whole = path.read_bytes()
    start = 30 + len(NETWORK_FILE)  # behind the member's own header
    for place in (start, start + 200, len(whole) // 2):
        path.write_bytes(whole[:place] + b"\xff" * 64 + whole[place + 64 :])
        assert "damaged" in refused(path)
    assert list(uploads_home().iterdir()) == []


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_cannot_be_unpacked_piece_by_piece_is_not_opened(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: int
) -> None:
    path = tmp_path / "n.zip"
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr(NETWORK_FILE, network_bytes(network))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_, **__: pytest.fail("unpacked"))
    assert "unusual way" in refused(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may read every file")
def test_a_file_that_may_not_be_read_is_one_sentence(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "n.safetensors"
    path.write_bytes(network_bytes(network))
    path.chmod(0)
    assert "permissions" in refused(path)


def test_an_onnx_file_does_not_read_others(network: Network, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra [onnx] is not installed")
    secret = tmp_path / "secret"
    secret.write_bytes(b"\0" * 4 * 3)
    proto = onnx.ModelProto(ir_version=8)
    for key in ("model", "classes", "preprocessing", "settings"):
        proto.metadata_props.add(key=key, value="x")
    tensor = proto.graph.initializer.add(name="classifier.6.bias", dims=[3], data_type=1, data_location=1)
    tensor.external_data.add(key="location", value=str(secret))
    (tmp_path / "n.onnx").write_bytes(proto.SerializeToString())
    assert "another file" in refused(tmp_path / "n.onnx")
    del proto.graph.initializer[:]
    (tmp_path / "n.onnx").write_bytes(proto.SerializeToString())
    assert "header" in refused(tmp_path / "n.onnx")
    (tmp_path / "n.onnx").write_bytes(onnx.ModelProto(ir_version=8).SerializeToString())
    assert "not written by this program" in refused(tmp_path / "n.onnx")
    (tmp_path / "n.onnx").write_bytes(b"\x08\x08\xff\xff\xff")
    assert "no ONNX file" in refused(tmp_path / "n.onnx")


@pytest.mark.parametrize(
    ("start", "words"),
    [(b"\x89PNG\r\n", "picture"), (b"\x89HDF\r\n", "Keras"), (b"GGUF", "language model"), (b"", "is empty"),
     (b"<!DOCTYPE html>", "web page"), (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
     (b"\x1f\x8b\x08", "archive"), (b"Rar!\x1a", "archive"), (b"import torch\n", "no file with")],
)  # fmt: skip
def test_files_of_other_kinds_are_named(tmp_path: Path, start: bytes, words: str) -> None:
    (tmp_path / "*n*").write_bytes(start + b"\xff" * 30 * bool(start))
    assert words in refused(tmp_path / "*n*")
    assert "no file none" in refused(tmp_path / "none")
    assert NETWORK_FILE in refused(tmp_path)


def test_names_are_cleaned_and_told_apart(network: Network, tmp_path: Path) -> None:
    def brought(*names: str) -> tuple[str, ...]:
        path = tmp_path / "n.safetensors"
        path.write_bytes(network_bytes(Network(network.name, network.model, names, network.preprocessing)))
        return network_of(look(path, owner=False)).classes

    first, *others = brought("<b>\u202e*x*\n</b>" + "y" * 99, "same", "same")
    assert others == ["same", "same (2)"]
    assert first.startswith("<b>*x* </b>yy")
    assert len(first) == 64
    assert brought("same", "same (2)", "same") == ("same", "same (2)", "same (3)")


@pytest.mark.parametrize(
    "text",
    ["cat\r\n dog \n\nbird\n", '["cat", "dog", "bird"]', '{"0": "cat", "2": ["n1", "bird"], "1": ["n0", "dog"]}'],
)
def test_class_names_as_people_have_them(tmp_path: Path, text: str) -> None:
    (tmp_path / "names").write_text(text)
    assert read_class_names(tmp_path / "names") == CLASSES


@pytest.mark.parametrize("text", ["", "cat", "[", "[1, 2]", '{"1": "cat", "2": "dog"}', "[[], []]", "[" * 100_000])
def test_other_lists_are_one_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(ExplorerError, match="names"):
        class_names(text)
    (tmp_path / "names").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ExplorerError, match="UTF-8"):
        read_class_names(tmp_path / "names")


@pytest.mark.parametrize("size", [-5, 0, 1_000_000])
def test_impossible_sides_are_one_sentence(network: Network, tmp_path: Path, size: int) -> None:
    torch.save(network.model.state_dict(), tmp_path / "n.pt")
    assert "8 to 1,024 pixels" in refused(tmp_path / "n.pt", image_size=size)
