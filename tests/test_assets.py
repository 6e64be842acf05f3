"""What comes with the program is real, small, and knows nothing of the machine it was made on."""

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

from alexnet_core.images import decode
from alexnet_core.insight.filters import first_layer_filters
from alexnet_core.insight.prediction import predict
from alexnet_core.places import ASSETS, bundled_runs
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.listing import list_runs
from alexnet_core.training.events import EpochDone, Finished
from tests.conftest import SHARED


@dataclass(frozen=True)
class Bundled:
    """What is asked of a network that comes with the program."""

    model: str
    image_size: int
    filters: int
    test_top1: float
    largest_file: int
    pictures: Path
    """The data set's zip, of which nothing is shipped."""
    right: float
    """Of 200 test pictures: less comes once in a thousand times."""
    whole_snapshots: int
    """For the time machine; of the others there is the first layer."""


BUNDLED = {
    "alexnet-mini-cifar10": Bundled(
        "alexnet_mini", 64, 48, 0.84, 12_000_000, SHARED / "data" / "cifar10-jpeg.zip", 0.78, 8
    ),
    "alexnet-narrow-imagenette": Bundled(
        "alexnet_narrow", 144, 64, 0.85, 16_000_000, SHARED / "data" / "imagenette-160.zip", 0.77, 0
    ),
}


@pytest.fixture(params=BUNDLED)
def run(request: pytest.FixtureRequest) -> RunDirectory:
    return RunDirectory.find(request.param)


def test_nothing_else_is_bundled() -> None:
    assert {path.name for path in bundled_runs().iterdir()} == set(BUNDLED)


def test_the_small_network_comes_first_and_home_shows_it() -> None:
    """The drawn samples show classes of CIFAR-10."""
    assert [run.id for run in list_runs() if run.bundled] == list(BUNDLED)


def test_the_bundled_run_is_a_finished_run_like_any_other(run: RunDirectory) -> None:
    assert run.bundled
    assert run.state().status == "finished"
    *_, last, finished = run.events()
    assert isinstance(last, EpochDone)
    assert isinstance(finished, Finished)
    assert finished.test_top1 is not None
    assert finished.test_top1 >= BUNDLED[run.id].test_top1
    evaluation = run.evaluation()
    assert evaluation is not None
    assert evaluation.split == "test"
    assert np.mean(evaluation.labels == evaluation.predictions) == pytest.approx(finished.test_top1)
    minutes = run.timings()[-1].seconds / 60
    said = (ASSETS / "README.md").read_text().split(f"## runs/{run.id}")[1].split("\n## ")[0]
    assert f"{finished.test_top1:.1%}".replace("%", " %") in said
    assert f"{minutes:.1f} minutes" in said


def test_its_network_is_small_and_in_half_precision(run: RunDirectory) -> None:
    asked = BUNDLED[run.id]
    assert run.network_path.stat().st_size <= asked.largest_file
    with safe_open(run.network_path, "pt") as file:
        assert file.get_slice("features.0.weight").get_dtype() == "F16"
    network = run.network()
    assert (network.name, network.preprocessing.size) == (asked.model, asked.image_size)
    assert len(network.classes) == 10


def test_its_first_filters_are_smooth_not_noise(run: RunDirectory) -> None:
    """Noise differs as much between neighbouring weights as between any two; what has a shape differs less."""
    layer = first_layer_filters(run.network())
    assert layer.weights.shape == (BUNDLED[run.id].filters, 3, 11, 11)

    def roughness(weights: np.ndarray) -> np.ndarray:
        return np.square(np.diff(weights, axis=-1)).mean((1, 2, 3)) / (2 * weights.var(axis=(1, 2, 3)))

    noise = np.random.default_rng(0).normal(size=layer.weights.shape)
    assert roughness(noise).min() > 0.7
    assert np.median(roughness(layer.weights)) < 0.15


def test_every_snapshot_shows_the_first_layer(run: RunDirectory) -> None:
    steps = list(run.snapshots())
    assert steps[0] == 0
    assert steps[-1] == run.events()[-1].step  # type: ignore[union-attr]
    assert len(steps) >= 25
    whole = list(run.snapshots(whole=True))
    assert len(whole) == BUNDLED[run.id].whole_snapshots
    assert not whole or (whole[0], whole[-1]) == (steps[0], steps[-1])


def test_it_is_right_about_pictures_it_has_not_seen(run: RunDirectory) -> None:
    asked, network, pictures, labels = BUNDLED[run.id], run.network(), [], []
    if not asked.pictures.exists():
        pytest.skip("the data set's pictures are not beside this checkout")
    with zipfile.ZipFile(asked.pictures) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        for label, name in enumerate(network.classes):
            for picture in [path for path in names if f"test/{name}/" in path][:20]:
                pictures.append(decode(archive.read(picture)))
                labels.append(label)
    assert len(labels) == 200
    right = np.mean(
        [answer[0].index == label for answer, label in zip(predict(network, pictures), labels, strict=True)]
    )
    assert right > asked.right


def test_nothing_in_the_assets_names_a_place_on_a_machine() -> None:
    for path in ASSETS.rglob("*"):
        if path.suffix in {".json", ".jsonl", ".md", ".py", ".safetensors"}:
            assert not re.search(rb"/(?:tmp|home|root|work|Users)/", path.read_bytes()), path


def test_pictures_are_pictures_of_decent_size() -> None:
    pictures = sorted((ASSETS / "pictures").glob("*.png"))
    assert len(pictures) >= 3
    for path in pictures:
        assert min(Image.open(BytesIO(path.read_bytes())).size) >= 224
    assert bundled_runs() == Path(ASSETS) / "runs"
