"""Drawn pictures: what is said about them is what they show."""

import numpy as np
import pytest

from alexnet_core.data.shapes import BACKGROUNDS, COLOURS, FACTS, SILHOUETTES, TEXTURES, draw, shapes


def test_same_seed_same_pictures() -> None:
    one, two, other = shapes(32, 16), shapes(32, 16), shapes(32, 16, seed=1)
    assert all(np.array_equal(one.read(k), two.read(k)) for k in range(16))
    assert not any(np.array_equal(one.read(k), other.read(k)) for k in range(16))
    assert one.facts == two.facts


def test_a_longer_set_begins_with_the_shorter_one() -> None:
    assert shapes(32, 100).facts["texture"][:10] == shapes(32, 10).facts["texture"]


def test_classes_are_equally_large_and_the_rest_is_independent_of_them() -> None:
    facts = shapes(8, 4_000).facts
    assert set(facts) == set(FACTS)
    silhouette = np.array(facts["silhouette"])
    assert {int((silhouette == name).sum()) for name in SILHOUETTES} == {500}
    for fact, names in (("texture", TEXTURES), ("colour", COLOURS), ("background", BACKGROUNDS)):
        values = np.array(facts[fact])
        for name in names:
            shares = [np.mean(values[silhouette == s] == name) for s in SILHOUETTES]
            assert np.ptp(shares) < 0.12
            assert np.mean(shares) == pytest.approx(1 / len(names), abs=0.03)


@pytest.mark.parametrize("size", [8, 33, 224])
@pytest.mark.parametrize("silhouette", SILHOUETTES)
def test_every_silhouette_is_there_in_its_colour_at_any_size(size: int, silhouette: str) -> None:
    picture = np.asarray(
        draw(
            size,
            np.random.default_rng(3),
            silhouette=silhouette,
            texture="plain",
            colour="vermilion",
            background="night",
        ),
        dtype=int,
    )
    assert picture.shape == (size, size, 3)
    glowing = (picture[..., 0] - picture[..., 2] > 100).mean()
    assert 0.03 < glowing < 0.6


def test_silhouettes_lie_in_the_unit_circle_and_differ() -> None:
    for polygons in SILHOUETTES.values():
        assert all(np.linalg.norm(points, axis=1).max() <= 1.001 for points in polygons)
    areas = []
    for name in SILHOUETTES:
        mask = np.asarray(
            draw(64, np.random.default_rng(0), silhouette=name, texture="plain", colour="yellow", background="night")
        )
        areas.append(int((mask[..., 0] > 150).sum()))
    assert len(set(areas)) == len(areas)


@pytest.mark.parametrize("texture", [name for name in TEXTURES if name != "plain"])
def test_textures_show_two_tones(texture: str) -> None:
    u, v = np.meshgrid(np.linspace(-1, 1, 64), np.linspace(-1, 1, 64))
    mix = TEXTURES[texture](u, v)
    assert (mix < 0.1).mean() > 0.15
    assert (mix > 0.9).mean() > 0.1
