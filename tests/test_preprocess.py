"""From a picture to numbers and back, and nothing believed that comes from a file."""

import numpy as np
import pytest
import torch
from PIL import Image

from alexnet_core.errors import ExplorerError
from alexnet_core.preprocess import Preprocessing


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_the_crop_is_the_centre_square_of_a_picture_that_needs_no_resizing():
    picture = noise(40, 32)
    crop = Preprocessing(size=32, resize=32).crop(picture)
    assert np.array_equal(np.asarray(crop), np.asarray(picture)[:, 4:36])


@pytest.mark.parametrize(("width", "height"), [(8, 12_000), (12_000, 8), (224, 224), (500, 333), (17, 2000)])
def test_every_shape_of_picture_becomes_the_square(width, height):
    tensor = Preprocessing(size=64, resize=72).tensor(Image.new("RGB", (width, height), (10, 20, 30)))
    assert tensor.shape == (1, 3, 64, 64)
    assert tensor.dtype == torch.float32


def test_normalising_is_what_the_formula_says_and_goes_back():
    preprocessing = Preprocessing(size=16, resize=16, mean=(0.1, 0.5, 0.9), std=(0.2, 0.3, 0.4))
    pixels = torch.from_numpy(np.asarray(noise(16, 16)).copy())[None]
    images = preprocessing.normalise(pixels)
    expected = (pixels[0, 3, 5, 1] / 255 - 0.5) / 0.3
    assert float(images[0, 1, 3, 5]) == pytest.approx(float(expected), abs=1e-6)
    assert torch.equal(preprocessing.denormalise(images), pixels)


def test_grey_and_transparent_pictures_are_read_as_rgb():
    assert Preprocessing(size=8, resize=8).tensor(Image.new("L", (9, 9), 7)).shape == (1, 3, 8, 8)
    assert Preprocessing(size=8, resize=8).tensor(Image.new("RGBA", (9, 9))).shape == (1, 3, 8, 8)


def test_it_survives_the_way_through_a_file():
    preprocessing = Preprocessing(size=64, resize=73, mean=(0.4, 0.5, 0.6), std=(0.1, 0.2, 0.3))
    assert Preprocessing.from_dict(preprocessing.as_dict()) == preprocessing


@pytest.mark.parametrize(
    "change",
    [
        {"size": 7}, {"size": 4096}, {"size": 64, "resize": 63}, {"resize": 5000}, {"size": "a"}, {"size": None},
        {"mean": (0.5, 0.5)}, {"mean": (float("nan"), 0.5, 0.5)}, {"mean": 3}, {"std": (0, 1, 1)}, {"std": (1, -1, 1)},
        {"std": (1, float("nan"), 1)}, {"std": (1, float("inf"), 1)}, {"size": float("inf")},
    ],
)  # fmt: skip
def test_an_impossible_preparation_is_refused(change):
    with pytest.raises(ExplorerError):
        Preprocessing.from_dict(Preprocessing(size=64, resize=64).as_dict() | change)


def test_a_missing_value_is_refused():
    with pytest.raises(ExplorerError, match="size, mean, std"):
        Preprocessing.from_dict({"size": 64})
