"""One pass finds what a search through every picture and every place finds, for all units at once."""

import numpy as np
import pytest
import torch
from small_networks import SIZE, Failing, network_of, small_network, traces
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.gallery import Gallery, numbers
from alexnet_core.insight.hooks import capture
from alexnet_core.insight.receptive_field import Field, receptive_field
from alexnet_core.insight.units import EXTREMES, cut, layers_with_units, patches, survey
from alexnet_core.models import build


@pytest.fixture
def gallery() -> Gallery:
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (300, 4, 4, 3), dtype=np.uint8)  # patches, so that pictures differ
    images = coarse.repeat(SIZE // 4, axis=1).repeat(SIZE // 4, axis=2)
    return Gallery("toys", "Toys", images, random.integers(0, 3, 300), [f"{row}.png" for row in range(300)])


def everything(network, gallery, layer) -> torch.Tensor:
    with torch.no_grad(), capture(network.model, layer) as kept:
        network.model(numbers(network, gallery, slice(None)))
    return kept[layer]


@pytest.mark.parametrize("layer", ["features.1", "features.7", "classifier.1"])
def test_the_extremes_are_those_of_a_search_through_all(gallery, layer):
    network = small_network()
    found = survey(network, gallery, layer, exact=True)
    output = everything(network, gallery, layer)
    flat = output.flatten(2) if output.dim() == 4 else output[..., None]
    highest, lowest = flat.amax(2), flat.amin(2)
    assert found.strongest.values.shape == (output.shape[1], EXTREMES)
    for unit in (0, 5, output.shape[1] - 1):
        expected = highest[:, unit].sort(descending=True).values[:EXTREMES]
        assert np.allclose(found.strongest.values[unit], expected, atol=1e-5)
        assert np.allclose(highest[found.strongest.rows[unit], unit], expected, atol=1e-5)
        assert np.allclose(found.weakest.values[unit], lowest[:, unit].sort().values[:EXTREMES], atol=1e-5)
        assert found.excited[unit] == pytest.approx(float((highest[:, unit] > 0).float().mean()))


def test_class_means_and_selectivity(gallery):
    network = small_network()
    found = survey(network, gallery, "features.1", exact=True)
    means = everything(network, gallery, "features.1").clamp(min=0).mean(dim=(2, 3)).numpy()
    for label in range(3):
        assert np.allclose(found.class_means[:, label], means[gallery.labels == label].mean(axis=0), atol=1e-5)
    assert np.isnan(found.class_means[:, 3]).all()  # no picture is of the fourth class
    one = np.sort(found.class_means[4, :3])
    rest = one[:2].mean()
    assert found.selectivity(4) == pytest.approx((one[2] - rest) / (one[2] + rest), abs=1e-5)


def test_a_unit_of_one_class_is_wholly_selective_and_a_silent_one_not(gallery):
    images = np.zeros((6, SIZE, SIZE, 3), np.uint8)
    images[3:] = 255
    toys = Gallery("two", "Two", images, np.array([0, 0, 0, 1, 1, 1]), list("abcdef"))
    convolution = nn.Conv2d(3, 2, 3)
    with torch.no_grad():
        convolution.weight[0], convolution.weight[1] = 1, 0
        convolution.bias.fill_(0)
    network = network_of(nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.Linear(2 * 30 * 30, 4)))
    found = survey(network, toys, "1")
    assert found.selectivity(0) == pytest.approx(1)
    assert found.selectivity(1) == 0
    assert found.silent.tolist() == [False, True]


def test_without_labels_there_is_no_selectivity(gallery):
    unlabelled = Gallery("x", "X", gallery.images, None, gallery.files)
    found = survey(small_network(), unlabelled, "features.1")
    assert found.class_means is None
    assert found.selectivity(0) is None


def test_a_patch_is_what_the_unit_saw(gallery):
    network = small_network()
    layer = "features.3"
    found, field = survey(network, gallery, layer), receptive_field(network, layer)
    output = everything(network, gallery, layer)
    for strongest in (True, False):
        for patch in patches(network, gallery, found, field, 7, strongest):
            assert float(output[(patch.row, 7, *patch.place)]) == pytest.approx(patch.value, abs=1e-5)
            assert patch.box == field.box(*patch.place)
            if field.side < SIZE:
                assert patch.pixels.shape == (field.side, field.side, 3)


def test_some_pictures_evenly_spaced_and_progress(gallery):
    shares = []
    found = survey(small_network(), gallery, "features.1", shares.append, most=40)
    assert found.pictures == 40
    assert shares[-1] == 1
    assert shares == sorted(shares)
    assert found.strongest.rows.max() > 150


def test_a_quick_pass_finds_what_an_exact_one_finds(gallery):
    torch.manual_seed(0)
    network = network_of(build("alexnet_mini", 4, SIZE))
    with torch.no_grad():
        for module in network.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-1, 1)
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(-1, 1)
    for layer in ("features.0", "features.1", "features.5", "features.6", "classifier.1"):
        exact, quick = (survey(network, gallery, layer, exact=exact) for exact in (True, False))
        scale = np.abs(exact.strongest.values).max()
        assert np.allclose(exact.strongest.values, quick.strongest.values, atol=0.03 * scale)
        assert np.allclose(exact.weakest.values, quick.weakest.values, atol=0.03 * scale)
        assert np.allclose(exact.class_means, quick.class_means, atol=0.03 * scale, equal_nan=True)


def test_others_wait_only_while_the_layers_are_copied(gallery):
    class Lock:
        held, times = False, 0

        def __enter__(self) -> None:
            self.held = True
            self.times += 1

        def __exit__(self, *error: object) -> None:
            self.held = False

    lock, held = Lock(), []
    survey(small_network(), gallery, "features.1", lambda share: held.append(lock.held), lock=lock)
    assert lock.times == 1
    assert not any(held)


def test_the_padding_of_a_patch_is_grey():
    picture = np.zeros((16, 16, 3), np.uint8)
    patch = cut(picture, Field(first=-2, step=4, side=5, picture=16), 0, 1)
    assert patch.shape == (5, 5, 3)
    assert (patch[:2] == 128).all()
    assert (patch[2:] == 0).all()


def test_layers_of_lists_and_of_maps_are_offered():
    found = {layer.name: layer for layer in layers_with_units(small_network())}
    assert found["features.0"].units == 24
    assert found["features.0"].side is not None
    assert found["classifier.6"].units == 4
    assert found["classifier.6"].side is None
    assert not any(layer.kind == "dropout" for layer in found.values())


def test_nothing_is_left_behind_also_after_a_failure(gallery):
    network = network_of(build("squeezenet1_1", 4, 64), size=SIZE)
    before = traces(network.model)
    survey(network, gallery, "features.3.squeeze", most=16)
    assert traces(network.model) == before
    failing = network_of(
        nn.Sequential(nn.Conv2d(3, 4, 3), Failing(nn.ReLU(), after=2), nn.Flatten(), nn.Linear(3600, 4))
    )
    before = traces(failing.model)
    with pytest.raises(ZeroDivisionError):
        survey(failing, gallery, "1")
    assert traces(failing.model) == before


def test_what_cannot_be_is_a_sentence(gallery):
    network = small_network()
    with pytest.raises(ExplorerError, match="no layer"):
        survey(network, gallery, "features.99")
    with pytest.raises(ExplorerError, match="no pictures"):
        survey(network, Gallery("e", "E", gallery.images[:0], None, []), "features.1")
    network.model.features[0].weight.fill_(torch.nan)
    with pytest.raises(ExplorerError, match="not numbers"):
        survey(network, gallery, "features.1")
