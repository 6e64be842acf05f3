"""What all tests share: a home folder of their own, and a small real data set."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepare
from alexnet_core.precision import emulated

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Real images and weights beside the checkout, where there are any."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing a test does reaches the home folder of the person who runs it."""
    place = tmp_path / "home"
    monkeypatch.setenv("ALEXNET_HOME", str(place))
    return place


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    # Two trainings with two threads each on two cores spend their time waiting for each other.
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> PreparedSet:
    """scikit-learn's 1,797 handwritten digits at 32 pixels."""
    return prepare("digits", image_size=32, out=tmp_path_factory.mktemp("data") / "digits")


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> PreparedSet:
    """Sixty small pictures in three classes, from a folder as a person would have it: runs of it take seconds."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for label, colour in enumerate(["red", "green", "blue"]):
        (folder / colour).mkdir()
        for number in range(20):
            pixels = random.integers(0, 90, (32, 32, 3), dtype=np.uint8)
            pixels[..., label] += 120
            Image.fromarray(pixels).save(folder / colour / f"{number}.png")
    return prepare(folder, image_size=32, out=tmp_path_factory.mktemp("data") / "few")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of what this machine does not have skip with their reason."""
    reasons = {}
    if not torch.cuda.is_available():
        reasons["gpu"] = "there is no CUDA GPU on this machine"
    if emulated(torch.device("cpu")):
        reasons["bf16"] = "this processor only emulates 16 bits, and the program never computes in them here"
    for item in items:
        for marker, reason in reasons.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
