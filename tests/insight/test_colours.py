import numpy as np
import pytest
from PIL import Image
from small_networks import noise

from alexnet_core.insight import colours


def test_zero_is_neutral_and_both_signs_are_equally_far_from_it():
    drawn = colours.signed(np.array([[-1.0, -0.5, 0.0, 0.5, 1.0]]), scale=1)[0]
    assert tuple(drawn[0]) == colours.NEGATIVE
    assert tuple(drawn[2]) == colours.NEUTRAL
    assert tuple(drawn[4]) == colours.POSITIVE
    assert np.array_equal(colours.signed(np.array([[2.0]]), 1)[0, 0], drawn[4])


def test_magnitudes_grow_brighter_whatever_their_sign():
    drawn = colours.magnitude(np.array([[0.0, 0.25, 0.5, 0.75, -1.0]]), scale=1)[0].astype(float)
    light = drawn @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) > 0).all()
    assert tuple(drawn[4]) == colours.VIRIDIS[-1]


@pytest.mark.parametrize("draw", [colours.signed, colours.magnitude])
def test_an_empty_map_is_drawn_without_a_division_by_zero(draw):
    with np.errstate(all="raise"):
        assert len(np.unique(draw(np.zeros((4, 4))).reshape(-1, 3), axis=0)) == 1


def test_an_outlier_does_not_leave_the_rest_pale():
    values = np.ones((20, 20))
    values[0, 0] = 1000
    assert colours.full_scale(values) == pytest.approx(1)
    lonely = np.zeros((20, 20))
    lonely[0, 0] = 7
    assert colours.full_scale(lonely) == 7


def test_summing_keeps_the_total_and_magnitudes_take_the_largest():
    values = np.array([[[1.0]], [[-3.0]], [[1.0]]])
    assert colours.summarise(values, signed=True).tolist() == [[-1]]
    assert colours.summarise(values, signed=False).tolist() == [[3]]


def test_opacity_goes_from_the_picture_to_the_map():
    picture, heat = noise(8, 8), np.full((8, 8, 3), 200, dtype=np.uint8)
    assert np.array_equal(np.asarray(colours.overlay(picture, heat, 0)), np.asarray(picture))
    assert np.array_equal(np.asarray(colours.overlay(picture, heat, 1)), heat)
    half = np.asarray(colours.overlay(Image.new("RGB", (8, 8)), heat, 0.5))
    assert abs(int(half[0, 0, 0]) - 100) <= 1


def test_a_weak_value_leaves_the_picture_visible_and_a_small_map_is_enlarged():
    picture, heat = noise(8, 8), np.full((4, 4, 3), 200, dtype=np.uint8)
    strength = np.zeros((4, 4))
    strength[0, 0] = 1
    drawn = np.asarray(colours.overlay(picture, heat, 1, strength))
    assert (drawn[:2, :2] == 200).all()
    assert np.array_equal(drawn[2:], np.asarray(picture)[2:])


@pytest.mark.parametrize("signed", [True, False])
def test_a_drawn_attribution_has_the_pictures_size(signed):
    values = np.random.default_rng(0).normal(size=(3, 8, 8))
    assert colours.draw(noise(24, 24), values, signed).size == (24, 24)


def test_a_map_can_be_read_in_other_ways_than_its_method_means_it():
    values = np.array([[[1.0, -3.0]], [[-2.0, -1.0]], [[4.0, 0.0]]], np.float32)  # (3, 1, 2)
    both = np.array([[3.0, -4.0]])
    np.testing.assert_array_equal(colours.read(values, True).flat, both)
    np.testing.assert_array_equal(colours.read(values, True, "positive").flat, [[3.0, 0.0]])
    np.testing.assert_array_equal(colours.read(values, True, "negative").flat, [[0.0, -4.0]])
    np.testing.assert_array_equal(colours.read(values, True, "absolute").flat, np.abs(both))
    np.testing.assert_array_equal(colours.read(values, False).flat, [[4.0, 3.0]])
    np.testing.assert_array_equal(colours.read(values, False, "signed").flat, both)
    assert colours.read(values, False, "signed").around_zero
    assert not colours.read(values, True, "absolute").around_zero


def test_one_colour_alone():
    values = np.arange(6, dtype=np.float32).reshape(3, 1, 2)
    np.testing.assert_array_equal(colours.read(values, True, channel=1).flat, values[1])
    one = values[:1]  # a map with one value a pixel stays as it is
    np.testing.assert_array_equal(colours.read(one, True, channel=2).flat, one[0])


def test_an_unknown_way_to_read_is_a_mistake_of_the_program():
    with pytest.raises(ValueError, match="sideways"):
        colours.read(np.zeros((1, 2, 2)), True, "sideways")


def test_one_scale_makes_the_weak_map_pale():
    ground = Image.new("RGB", (2, 2), "white")
    weak = colours.read(np.full((1, 2, 2), 0.1, np.float32), False)
    own, shared = colours.paint(ground, weak, 1.0), colours.paint(ground, weak, 1.0, scale=10.0)
    assert own.getpixel((0, 0)) == colours.VIRIDIS[-1]
    assert shared.getpixel((0, 0)) != own.getpixel((0, 0))
