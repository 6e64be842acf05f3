"""scikit-learn's 1,797 handwritten digits: real, small, and there without a network."""

import numpy as np
from PIL import Image

from alexnet_core.data.collection import Collection, Entry


def digits(title: str, licence: str) -> Collection:
    """White ink on black, 8 x 8 pixels with 17 steps of grey, as scanned for the UCI repository."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    pixels = (loaded.images * (255 / 16)).round().astype(np.uint8)  # (1797, 8, 8), steps 0..16

    def read(position: int) -> Image.Image:
        return Image.fromarray(pixels[position])

    return Collection(
        name="digits",
        title=title,
        classes=tuple(str(digit) for digit in range(10)),
        source="scikit-learn's load_digits, from the UCI repository",
        licence=licence,
        mirrors=False,
        entries=tuple(Entry(f"{label}/{index:04d}", int(label)) for index, label in enumerate(loaded.target)),
        read=read,
    )
