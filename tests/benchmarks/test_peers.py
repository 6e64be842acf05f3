"""How others are trained beside this program: from which pictures, and what is counted."""

import json
import sys
import zipfile
from argparse import Namespace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepare
from benchmarks import cifar, peer_loops, peers


@pytest.fixture
def both(tmp_path: Path) -> tuple[PreparedSet, Path]:
    """Sixty small pictures of a zip, prepared here, and laid out for the others."""
    chance, source = np.random.default_rng(0), tmp_path / "pictures.zip"
    with zipfile.ZipFile(source, "w") as archive:
        for number in range(60):
            packed = BytesIO()
            Image.fromarray(chance.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(packed, "PNG")
            split, label = ("train", "test")[number % 3 == 0], ("cat", "sea lion")[number % 2]
            archive.writestr(f"{split}/{label}/{number}.png", packed.getvalue())
    prepared = prepare(source, image_size=32, out=tmp_path / "prepared")
    return prepared, cifar.laid_out(prepared, cifar.unpacked(source, tmp_path)[0], tmp_path)


def test_others_learn_from_the_pictures_that_this_program_learns_from(both: tuple[PreparedSet, Path]) -> None:
    prepared, folder = both
    for split in ("train", "val", "test"):
        images, labels = prepared.images(split), prepared.labels(split)
        ours = {Path(name).name: (images[row], int(labels[row])) for row, name in enumerate(prepared.files(split))}
        theirs = {path.name: path for path in (folder / split).rglob("*.png")}
        assert theirs.keys() == ours.keys()
        for name, path in theirs.items():
            pixels, label = ours[name]
            assert np.array_equal(np.asarray(Image.open(path)), pixels)
            assert path.parent.name == prepared.classes[label]


def test_a_whole_training_looks_at_validation_after_each_epoch_and_at_the_test_once(
    both: tuple[PreparedSet, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, right = [], peer_loops.right

    def noted(asked: Namespace, model: torch.nn.Module, batches: Any) -> float:
        looked.append(Path(batches.dataset.root).name)
        return right(asked, model, batches)

    told: list[str] = []
    monkeypatch.setattr(peer_loops, "right", noted)
    monkeypatch.setattr(peer_loops, "print", told.append, raising=False)
    command = ["peer_loops", "torchvision", "--data", str(both[1]), "--network", "alexnet_sprint"]
    monkeypatch.setattr(sys, "argv", [*command, "--batch", "9", "--epochs", "2"])
    peer_loops.main()
    assert looked == ["val", "val", "test"]
    found = json.loads(told[0])
    assert set(found) == {"training_seconds", "setup_seconds", "test_top1"}
    assert 0 <= found["test_top1"] <= 1
    monkeypatch.setattr(sys, "argv", [*command, "--batch", "9", "--steps", "3"])
    peer_loops.main()
    assert json.loads(told[1])["images_per_s"] > 0
    assert len(looked) == 3


def test_all_are_trained_to_the_target_with_epochs_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    seconds = {"fastai": 150.0, "torchvision": 90.0, "lightning": 80.0}

    def one(asked: Namespace, files: Path, loop: list[str]) -> dict[str, float]:
        commands.append(loop)
        short = loop[0] == "lightning"
        return {"training_seconds": seconds[loop[0]], "setup_seconds": 2.0, "test_top1": 0.7 if short else 0.78}

    ours = SimpleNamespace(first_event_seconds=7.0, training_seconds=15.0, test_top1=0.775)
    opened = SimpleNamespace(splits={"train": (0, 9)}, count=lambda split: 9)
    monkeypatch.setattr(peers, "one", one)
    monkeypatch.setattr(peers, "watch", lambda *_: ours)
    monkeypatch.setattr(peers, "settled", lambda *_: None)
    monkeypatch.setattr(peers, "network_of", lambda _: [])
    monkeypatch.setattr(peers, "slow_in_bf16", lambda: True)
    monkeypatch.setattr(peers.PreparedSet, "open", lambda _: opened)
    monkeypatch.setattr(sys, "argv", ["peers", "--target-rounds", "2", "--torchvision-epochs", "11"])
    found = peers.target(peers.arguments(), Path(), Path(), Path())
    assert found["times_sooner_than_fastai"]["median"] == 10
    assert set(found["sides"]) == {peers.OURS, "fastai", "torchvision", "Lightning"}
    assert found["pictures"] == {"train": 9}
    epochs = {command[0]: int(command[command.index("--epochs") + 1]) for command in commands}
    usual = {peer.loop: peer.epochs for peer in peers.TO_TARGET.values()}
    assert epochs == usual | {"torchvision": 11}
    assert not any("--bf16" in command for command in commands)
