"""Many answers about one picture, and pictures of nothing."""

from threading import Event, Thread

import numpy as np
import pytest
import torch
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.certainty import (
    Spread,
    crops,
    dropout_layers,
    dropout_spread,
    dropping,
    strangers,
)
from alexnet_core.insight.distortions import probabilities
from alexnet_core.insight.prediction import BATCH
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen
from alexnet_core.preprocess import Preprocessing
from tests.insight.small_networks import SIZE, Linear, network_of, noise, small_network, traces


def test_ten_different_crops_of_which_five_are_mirrored():
    network, picture = small_network(), noise(64, 64)
    cut = crops(network, picture)
    assert cut.shape == (10, SIZE, SIZE, 3)
    assert len(np.unique(cut.reshape(10, -1), axis=0)) == 10
    assert np.array_equal(cut[5:], cut[:5, :, ::-1])
    assert np.array_equal(crops(network, picture, mirrored=False), cut[:5])
    wide = np.asarray(Preprocessing(37, 37).crop(picture))
    assert np.array_equal(cut[3], wide[5:, 5:])
    assert np.array_equal(cut[4], wide[2:34, 2:34])


def test_a_network_cut_from_larger_squares_uses_the_room_it_has():
    network = Network("alexnet_mini", frozen(build("alexnet_mini", 4, SIZE)), tuple("abcd"), Preprocessing(SIZE, 48))
    picture = noise(48, 48)
    cut = crops(network, picture)
    # The middle crop is what the network looks at anyway, within the half pixel that 37 does not share evenly.
    seen = np.asarray(picture)[5:42, 5:42][2:34, 2:34]
    assert np.array_equal(cut[4], seen)


def test_the_spread_of_the_crops_is_their_answers():
    network = small_network()
    spread = Spread(probabilities(network, crops(network, noise())))
    assert spread.probabilities.shape == (10, 4)
    assert spread.mean.sum() == pytest.approx(1, abs=1e-5)


def test_agreement_and_range():
    spread = Spread(np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6]], np.float32))
    assert spread.agreement == 0.75
    low, high = spread.range(0)
    assert 0.4 <= low < 0.5 < 0.88 < high <= 0.9


def test_dropout_samples_differ_and_the_seed_repeats_them():
    network = small_network()
    before, state = traces(network.model), torch.get_rng_state()
    first = dropout_spread(network, noise(), samples=40, seed=1)
    assert first.probabilities.shape == (40, 4)
    assert len(np.unique(first.probabilities[:, 0])) > 30
    assert np.array_equal(first.probabilities, dropout_spread(network, noise(), samples=40, seed=1).probabilities)
    assert not np.array_equal(first.probabilities, dropout_spread(network, noise(), samples=40, seed=2).probabilities)
    assert traces(network.model) == before
    assert torch.equal(torch.get_rng_state(), state)


def test_networks_that_are_sampled_at_a_time_do_not_mix_their_draws():
    network, other = small_network(), small_network()
    samples = 2 * BATCH
    alone = dropout_spread(network, noise(), samples, seed=1).probabilities
    beside, done = Thread(target=dropout_spread, args=(other, noise(), 1, 5)), Event()
    other.model.register_forward_hook(lambda *_: done.wait(10) and None)  # in the midst of it

    def begin(*_):
        if beside.ident is None:
            beside.start()
            beside.join(0.3)  # it waits for its turn

    hook = network.model.register_forward_hook(begin)
    together = dropout_spread(network, noise(), samples, seed=1).probabilities
    done.set()
    hook.remove()
    beside.join(10)
    assert not beside.is_alive()
    assert np.array_equal(together, alone)


def test_normalisation_stays_as_it_is_in_use():
    network = Network("alexnet_mini", frozen(build("alexnet_mini", 4, SIZE)), tuple("abcd"), Preprocessing(SIZE, SIZE))
    means = [module.running_mean.clone() for module in network.model.modules() if isinstance(module, nn.BatchNorm2d)]
    dropout_spread(network, noise())
    now = [module.running_mean for module in network.model.modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(torch.equal(first, second) for first, second in zip(means, now, strict=True))


def fail_while_dropping(model):
    with dropping(model):
        raise ZeroDivisionError


def test_modes_come_back_also_after_a_failure():
    model = small_network().model
    dropout_layers(model)[0].train()
    before = traces(model)
    with dropping(model):
        assert all(layer.training for layer in dropout_layers(model))
    assert traces(model) == before
    with pytest.raises(ZeroDivisionError):
        fail_while_dropping(model)
    assert traces(model) == before


def test_a_network_without_dropout_says_so():
    network = network_of(Linear())
    with pytest.raises(ExplorerError, match="no dropout"):
        dropout_spread(network, noise())


def test_strangers_are_the_same_every_time():
    first, second = strangers(40), strangers(40)
    assert len(first) == 3
    for name, picture in first.items():
        assert picture.size == (40, 40)
        assert picture.mode == "RGB"
        assert np.array_equal(np.asarray(picture), np.asarray(second[name]))
