"""Pictures to look through: read when asked for, in the form a network reads, with its own numbering of classes."""

import numpy as np
import pytest
import torch
from small_networks import SIZE, network_of, small_network

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepare
from alexnet_core.errors import ExplorerError
from alexnet_core.insight.gallery import Gallery, builtin, evenly, numbers, of_set
from alexnet_core.models import build
from tests.pictures import class_files, make_folder


@pytest.fixture
def prepared(tmp_path) -> PreparedSet:
    return prepare(make_folder(tmp_path / "pets", class_files(images=20)), out=tmp_path / "set", image_size=SIZE)


def test_there_are_about_a_thousand_crops_and_they_are_the_same_every_time():
    gallery = builtin(32)
    assert 700 <= len(gallery) == len(gallery.files) <= 1500
    assert gallery.labels is None
    rows = gallery.images[np.array([3, 700, 3])]
    assert rows.shape == (3, 32, 32, 3)
    assert rows.dtype == np.uint8
    assert np.array_equal(rows[0], builtin(32).images[3:4][0])
    assert np.array_equal(rows[0], rows[2])
    assert not np.array_equal(rows[0], rows[1])
    assert len(gallery.images[5:5]) == 0


def test_crops_reach_the_edges_of_both_photographs():
    gallery = builtin(16)
    for name, photograph in gallery.images.photographs.items():
        crops = [crop for crop in gallery.images.crops if crop.photograph == name]
        assert {min(crop.left for crop in crops), min(crop.top for crop in crops)} == {0}
        assert max(crop.left + crop.side for crop in crops) == photograph.width
        assert max(crop.top + crop.side for crop in crops) == photograph.height


def test_numbers_are_what_preprocessing_makes_of_the_pixels():
    network, gallery = small_network(), builtin(SIZE)
    pixels = torch.from_numpy(gallery.images[10:14])
    expected = network.preprocessing.normalise(pixels)
    assert torch.allclose(numbers(network, gallery, slice(10, 14)), expected, atol=1e-5)
    assert numbers(network, gallery, np.array([12])).shape == (1, 3, SIZE, SIZE)


def test_labels_follow_the_networks_own_order_of_classes(prepared):
    classes = tuple(reversed(prepared.classes))
    gallery = of_set(prepared, "val", classes)
    names = [classes[label] for label in gallery.labels]
    assert names == [prepared.classes[label] for label in prepared.labels("val")]
    assert len(gallery) == len(gallery.files) == prepared.count("val")
    assert gallery.key != of_set(prepared, "train", classes).key


def test_a_set_with_other_classes_is_a_sentence(prepared):
    with pytest.raises(ExplorerError, match="other classes"):
        of_set(prepared, "val", network_of(build("alexnet_mini", 4, SIZE)).classes)


def test_an_array_is_a_gallery_too():
    images = np.zeros((4, SIZE, SIZE, 3), np.uint8)
    assert len(Gallery("k", "Black", images, None, ["a"] * 4)) == 4


def test_evenly_spread_positions_reach_both_ends():
    assert evenly(10, 4).tolist() == [0, 3, 6, 9]
    assert evenly(3, 10).tolist() == [0, 1, 2]
    assert evenly(1, 1).tolist() == [0]
