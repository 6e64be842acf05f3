"""The plane: principal components by their definition, t-SNE keeps groups together, new pictures find their place."""

import numpy as np
import pytest
import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.embedding import among, on_plane, pca, tsne


def groups(each: int = 30, size: int = 20) -> tuple[torch.Tensor, np.ndarray]:
    generator = torch.Generator().manual_seed(0)
    centres = 8 * torch.randn(3, size, generator=generator)
    labels = np.repeat(np.arange(3), each)
    return centres[labels] + torch.randn(3 * each, size, generator=generator), labels


def test_the_plane_holds_as_much_variance_as_a_plane_can():
    features, _ = groups()
    plane, places = pca(features)
    singular = torch.linalg.svdvals(features - features.mean(dim=0))
    assert places.var(axis=0, ddof=1) == pytest.approx((singular[:2].square() / (len(features) - 1)).numpy(), rel=1e-3)
    assert plane.kept == pytest.approx(float(singular[:2].square().sum() / singular.square().sum()), rel=1e-3)


def test_a_new_picture_is_placed_exactly_on_the_plane():
    features, _ = groups()
    plane, places = pca(features)
    assert on_plane(plane, features[5:7]) == pytest.approx(places[5:7], abs=1e-4)
    half_way = (features[5] + features[6])[None] / 2
    assert on_plane(plane, half_way)[0] == pytest.approx(places[5:7].mean(axis=0), abs=1e-4)


def test_features_of_a_single_number_lie_on_a_line():
    _, places = pca(torch.arange(6.0)[:, None])
    assert places.shape == (6, 2)
    assert not places[:, 1].any()


def test_tsne_keeps_groups_together_and_repeats_itself():
    features, labels = groups()
    places = tsne(features)
    assert np.array_equal(places, tsne(features))
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).mean() > 0.95


def test_a_new_picture_goes_to_the_mean_of_its_nearest():
    features, labels = groups()
    places = np.random.default_rng(0).normal(size=(len(features), 2))
    placed = among(features, places, features[40] + 0.01)
    assert 40 in placed.among
    assert (labels[placed.among] == labels[40]).all()
    assert placed.place == pytest.approx(places[placed.among].mean(axis=0))


def test_two_pictures_are_no_map():
    for way in (pca, tsne):
        with pytest.raises(ExplorerError, match="three"):
            way(torch.randn(2, 5))
