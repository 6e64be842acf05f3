"""From numbers to colours: one scale for signed maps, one for magnitudes, and how a map is laid over its picture.

The command and the app draw with the same colours, so that a saved map looks like the one on the screen.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

NEGATIVE = (0, 90, 160)
NEUTRAL = (247, 247, 247)
POSITIVE = (214, 94, 0)
"""Blue, near white, orange: told apart with every kind of colour vision (after Okabe and Ito 2008)."""

VIRIDIS = (
    (68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142),
    (31, 158, 137), (53, 183, 121), (109, 205, 89), (180, 222, 44), (253, 231, 37),
)  # fmt: skip
"""Ten points of viridis (Smith and van der Walt 2015, CC0): equal steps of the value look equally large."""

CLIP = 99.0
"""Percentile of the magnitudes that gets the full colour: a few outlying pixels would leave the rest of a map pale."""


def summarise(values: np.ndarray, signed: bool) -> np.ndarray:
    """One number a pixel: (C, H, W) -> (H, W).

    Signed maps are summed over the channels, which keeps their total (integrated gradients still add up to the
    difference of the logits). The others take the largest magnitude, as Simonyan et al. (2013, section 3.1) draw them.
    """
    return values.sum(axis=0) if signed else np.abs(values).max(axis=0)


def full_scale(values: np.ndarray) -> float:
    """The magnitude with the full colour: the percentile `CLIP`, the maximum where most of a map is empty, never 0."""
    magnitudes = np.abs(values)
    return float(np.percentile(magnitudes, CLIP)) or float(magnitudes.max()) or 1.0


def strength(values: np.ndarray, scale: float | None = None) -> np.ndarray:
    """How strong each value is, float 0 to 1, relative to `scale` (default: `full_scale`); what is above is cut off."""
    return np.clip(np.abs(values) / (scale or full_scale(values)), 0, 1)


def signed(values: np.ndarray, scale: float | None = None) -> np.ndarray:
    """Values around zero, (H, W) -> uint8 (H, W, 3): blue below, near white at, orange above zero, equally strong on
    both sides. `scale` is the magnitude of the full colour; give one to several maps to compare them."""
    position = np.sign(values) * strength(values, scale)
    return _interpolate(position, np.array([-1.0, 0.0, 1.0]), np.array([NEGATIVE, NEUTRAL, POSITIVE]))


def magnitude(values: np.ndarray, scale: float | None = None) -> np.ndarray:
    """Magnitudes, (H, W) -> uint8 (H, W, 3): dark violet at zero, yellow at `scale`."""
    return _interpolate(strength(values, scale), np.linspace(0, 1, len(VIRIDIS)), np.array(VIRIDIS))


def overlay(
    picture: Image.Image, heat: np.ndarray, opacity: float = 0.6, strength: np.ndarray | None = None
) -> Image.Image:
    """`heat`, uint8 (H, W, 3), laid over `picture` with `opacity` 0 to 1, at the picture's size.

    With `strength` (H, W), 0 to 1, a pixel is covered only as far as its value is strong, so that the picture stays
    visible where the map says nothing.
    """
    ground = picture.convert("RGB")
    alpha = np.full(heat.shape[:2], opacity) if strength is None else opacity * strength
    mask = Image.fromarray(np.rint(255 * alpha).astype(np.uint8))
    return Image.composite(_fitted(Image.fromarray(heat), ground), ground, _fitted(mask, ground))


@dataclass(frozen=True)
class Reading:
    """One number a pixel, ready to be coloured."""

    flat: np.ndarray
    """float32 (H, W)."""
    around_zero: bool
    """Blue to orange around zero; otherwise magnitudes from violet to yellow."""


SHOWN = ("own", "signed", "positive", "negative", "absolute")
"""Ways to read an attribution: as its method means it; with both signs; what is above zero alone; what is below; how
large it is, whatever its sign."""


def read(values: np.ndarray, is_signed: bool, show: str = "own", channel: int | None = None) -> Reading:
    """An attribution (3, H, W) or (1, H, W) as one number a pixel, `show` being one of `SHOWN`.

    `channel` 0 to 2 reads red, green or blue alone; a map with one value a pixel has no colours and stays as it is.
    All channels together are summed where a sign is shown, and else as `summarise` says.
    """
    if show not in SHOWN:
        raise ValueError(f"{show!r} is none of {SHOWN}")
    chosen = values if channel is None or len(values) == 1 else values[channel : channel + 1]
    if show == "absolute" or (show == "own" and not is_signed):
        return Reading(np.abs(summarise(chosen, is_signed)), around_zero=False)
    both = summarise(chosen, True)
    parts = {"positive": (0, None), "negative": (None, 0)}
    return Reading(np.clip(both, *parts[show]) if show in parts else both, around_zero=True)


def paint(picture: Image.Image, reading: Reading, opacity: float = 0.7, scale: float | None = None) -> Image.Image:
    """A reading over the picture it belongs to, drawn grey, so that every colour is the map's.

    Around zero the picture is covered only where values are strong: near zero they have nothing to say. `scale` is the
    value with the full colour; give one to several maps to compare them.
    """
    flat = reading.flat
    grey = picture.convert("L")
    if reading.around_zero:
        return overlay(grey, signed(flat, scale), opacity, np.sqrt(strength(flat, scale)))
    return overlay(grey, magnitude(flat, scale), opacity)


def draw(picture: Image.Image, values: np.ndarray, is_signed: bool, opacity: float = 0.7) -> Image.Image:
    """An attribution (C, H, W) over the picture it belongs to, as its method means it."""
    return paint(picture, read(values, is_signed), opacity)


def _interpolate(position: np.ndarray, stops: np.ndarray, colours: np.ndarray) -> np.ndarray:
    channels = [np.interp(position, stops, colours[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def _fitted(image: Image.Image, ground: Image.Image) -> Image.Image:
    return image if image.size == ground.size else image.resize(ground.size, Image.Resampling.NEAREST)
