import numpy as np
import pytest

from alexnet_core.insight.superpixels import superpixels


def scene(height: int = 60, width: int = 80) -> np.ndarray:
    """A red disc and a blue bar on noisy grey."""
    y, x = np.mgrid[:height, :width]
    pixels = np.random.default_rng(0).integers(100, 140, (height, width, 3))
    pixels[(y - 20) ** 2 + (x - 25) ** 2 < 150] = (220, 20, 20)
    pixels[40:50] = (20, 20, 220)
    return pixels.astype(np.uint8)


def parts(mask: np.ndarray) -> int:
    """Into how many pieces that hang together a mask falls, by flooding it from one pixel after another."""
    left, count = {tuple(place) for place in np.argwhere(mask)}, 0
    while left:
        count += 1
        edge = [left.pop()]
        while edge:
            y, x = edge.pop()
            for place in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if place in left:
                    left.remove(place)
                    edge.append(place)
    return count


@pytest.mark.parametrize("pixels", [scene(), np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)])
def test_pieces_cover_everything_and_each_hangs_together(pixels):
    labels = superpixels(pixels, 50)
    assert labels.shape == pixels.shape[:2]
    assert list(np.unique(labels)) == list(range(labels.max() + 1))
    assert 30 <= labels.max() + 1 <= 60
    assert all(parts(labels == label) == 1 for label in range(labels.max() + 1))


def test_pieces_follow_colours():
    pixels = scene()
    labels = superpixels(pixels, 50)
    for thing in (pixels[..., 0] > 200, pixels[..., 2] > 200):
        inside = np.bincount(labels[thing], minlength=labels.max() + 1)
        share = inside / np.bincount(labels.ravel())
        mixed = (share > 0.1) & (share < 0.9)
        assert mixed.sum() <= 2, "nearly every piece lies inside or outside"


def test_one_colour_gives_squares_and_the_same_picture_the_same_pieces():
    flat = np.full((64, 64, 3), 90, dtype=np.uint8)
    sizes = np.bincount(superpixels(flat, 16).ravel())
    assert len(sizes) == 16
    assert sizes.min() == sizes.max() == 256
    assert np.array_equal(superpixels(scene(), 20), superpixels(scene(), 20))


@pytest.mark.parametrize(("size", "wanted"), [(8, 50), (8, 300), (9, 1), (32, 4)])
def test_small_pictures_have_pieces_too(size, wanted):
    labels = superpixels(np.random.default_rng(2).integers(0, 256, (size, size, 3), dtype=np.uint8), wanted)
    assert labels.min() == 0
    assert labels.max() < size * size
