"""Mean, deviation and covariance of the colours of a data set, from sums that can be added up in any order."""

from dataclasses import dataclass
from typing import Any

import numpy as np

BLOCK = 1024
"""Pixels whose products of two values of at most 128 add up to at most 2**24: what a float32 holds exactly."""
MANY = 32 * BLOCK
"""Pixels at a time: as floats they fit into a processor's cache."""


@dataclass(frozen=True)
class ColourSums:
    """Over pixels, of their three values less 128: whole numbers, so that pieces add up to the same whole in any order.

    The largest product is 2**14: int64 is enough for 10**14 pixels, two thousand times ImageNet at 224.
    """

    pixels: int
    sums: np.ndarray
    """(3,) int64."""
    products: np.ndarray
    """(3, 3) int64."""

    @classmethod
    def of(cls, values: bytes = b"") -> "ColourSums":
        """Of the pixels of uint8 images, red, green and blue in turn."""
        pixels = np.frombuffer(values, np.uint8).reshape(-1, 3)
        sums, products = np.zeros(3, np.int64), np.zeros((3, 3), np.int64)
        for first in range(0, len(pixels), MANY):
            planes = np.ascontiguousarray(pixels[first : first + MANY].T).astype(np.float32)
            planes -= 128
            even = planes.shape[1] // BLOCK * BLOCK
            for blocks in (planes[:, :even].reshape(3, -1, BLOCK), planes[:, even:].reshape(3, 1, -1)):
                blocks = blocks.transpose(1, 0, 2)  # (blocks, 3, pixels)
                products += np.matmul(blocks, blocks.transpose(0, 2, 1)).astype(np.int64).sum(axis=0)
                sums += blocks.sum(axis=2).astype(np.int64).sum(axis=0)
        return cls(len(pixels), sums, products)

    def __add__(self, other: "ColourSums") -> "ColourSums":
        return ColourSums(self.pixels + other.pixels, self.sums + other.sums, self.products + other.products)

    def statistics(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean (3,), standard deviation (3,) and covariance (3, 3) in units of [0, 1].

        The deviation is never below 1/255: images of one colour must not divide by nothing.
        """
        centre = self.sums / self.pixels
        covariance = (self.products / self.pixels - np.outer(centre, centre)) / 255**2
        return (centre + 128) / 255, np.sqrt(np.diag(covariance).clip(min=255.0**-2)), covariance

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"pixels": self.pixels, "sums": self.sums.tolist(), "products": self.products.tolist()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ColourSums":
        """Read back what `as_dict` gave. Raises KeyError, TypeError or ValueError for anything else."""
        sums, products = (np.array(values[name], dtype=np.int64) for name in ("sums", "products"))
        if sums.shape != (3,) or products.shape != (3, 3):
            raise ValueError("sums")
        return cls(int(values["pixels"]), sums, products)
