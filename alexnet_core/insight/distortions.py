"""Pictures made worse on purpose, a little and then more: what does the network still recognise?

In the manner of Hendrycks and Dietterich 2019, "Benchmarking neural network robustness to common corruptions and
perturbations", arXiv:1903.12261. All work on the square that the network looks at, on pixel values, as a camera or a
file would.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter

from alexnet_core.data.augment import normalised
from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import evaluating
from alexnet_core.insight.prediction import BATCH, finite
from alexnet_core.models import Network


@dataclass(frozen=True)
class Box:
    """What a box covers, in shares of the picture's side: its middle and its size."""

    x: float = 0.5
    y: float = 0.5
    width: float = 0.4
    height: float = 0.4

    def __post_init__(self) -> None:
        """Raises ExplorerError for a box that is not a part of the picture."""
        if not all(0 <= value <= 1 for value in (self.x, self.y, self.width, self.height)):
            raise ExplorerError("The box must lie on the picture; give its place and size as shares between 0 and 1.")


@dataclass(frozen=True)
class Chance:
    """What a distortion needs beside its level."""

    box: Box
    rng: np.random.Generator


@dataclass(frozen=True)
class Distortion:
    """One line of the table of distortions."""

    title: str
    does: str
    """One sentence: what happens to the picture, and what one learns from it."""
    levels: tuple[float, ...]
    """From the untouched picture to the strongest."""
    level_text: str
    """How a level is written, for `format`."""
    across: str
    """What the levels count, for the axis of a figure."""
    compute: Callable[[np.ndarray, float, Chance], np.ndarray]
    """uint8 (S, S, 3), level -> uint8 (S, S, 3)."""


def distort(pixels: np.ndarray, name: str, level: float, box: Box | None = None, seed: int = 0) -> np.ndarray:
    """The square `pixels`, uint8 (S, S, 3), distorted; untouched at the first level.

    The same seed draws the same noise and the same order of patches. Raises ExplorerError for an unknown distortion and
    for a level beyond the table's.
    """
    entry = find_distortion(name)
    least, most = entry.levels[0], entry.levels[-1]
    if not min(least, most) <= level <= max(least, most):
        raise ExplorerError(f"{entry.title} goes from {least:g} to {most:g}, not to {level!r:.40}.")
    if level == least:
        return pixels
    return entry.compute(pixels, level, Chance(box or Box(), np.random.default_rng(seed)))


def find_distortion(name: str) -> Distortion:
    """The distortion called `name`. Raises ExplorerError, naming the ones there are."""
    if name not in DISTORTIONS:
        raise ExplorerError(f"There is no distortion called {name!r:.80}. Choose one of: {', '.join(DISTORTIONS)}.")
    return DISTORTIONS[name]


def series(pixels: np.ndarray, name: str, box: Box | None = None) -> np.ndarray:
    """One square at every level, uint8 (L, S, S, 3)."""
    return np.stack([distort(pixels, name, level, box) for level in find_distortion(name).levels])


def probabilities(network: Network, squares: np.ndarray) -> np.ndarray:
    """What the network says about squares of its own size, uint8 (N, S, S, 3): float32 (N, K).

    Raises ExplorerError when an answer is not a finite number.
    """
    device = next(network.model.parameters()).device
    answers = []
    with torch.no_grad(), evaluating(network.model):
        for start in range(0, len(squares), BATCH):
            pixels = torch.from_numpy(np.array(squares[start : start + BATCH])).to(device)
            answers.append(
                finite(network.model(normalised(pixels, network.preprocessing))).softmax(dim=1).cpu().numpy()
            )
    return np.concatenate(answers)


def right_answers(
    network: Network, squares: np.ndarray, labels: np.ndarray, name: str, box: Box | None = None
) -> Iterator[np.ndarray]:
    """At every level in turn: which of the squares, uint8 (N, S, S, 3), the network still takes for their classes
    `labels` (N,). Yields bool (N,), each picture with its own noise."""
    for level in find_distortion(name).levels:
        changed = [distort(pixels, name, level, box, seed=row) for row, pixels in enumerate(squares)]
        yield probabilities(network, np.stack(changed)).argmax(axis=1) == labels


def _blur(pixels: np.ndarray, level: float, chance: Chance) -> np.ndarray:
    radius = len(pixels) * level / 100
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _rotate(pixels: np.ndarray, level: float, chance: Chance) -> np.ndarray:
    """Turned about the middle; the corners that come free are filled by the mirrored picture."""
    side = len(pixels)
    reach = min(side - 1, side // 2)
    wide = Image.fromarray(np.pad(pixels, ((reach, reach), (reach, reach), (0, 0)), mode="reflect"))
    turned = wide.rotate(level, Image.Resampling.BICUBIC)
    return np.asarray(turned.crop((reach, reach, reach + side, reach + side)))


def _shrink(pixels: np.ndarray, level: float, chance: Chance) -> np.ndarray:
    """Made smaller by an average over pixels, which a bilinear sample would leave out."""
    side = max(1, round(len(pixels) * level / 100))
    small = np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))
    ground = np.broadcast_to(_mean_colour(pixels), pixels.shape).copy()
    first = (len(pixels) - side) // 2
    ground[first : first + side, first : first + side] = small
    return ground


def _crop(pixels: np.ndarray, level: float, chance: Chance) -> np.ndarray:
    side = len(pixels)
    edge = side * (1 - level / 100) / 2
    box = (edge, edge, side - edge, side - edge)
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC, box))


def _noise(pixels: np.ndarray, level: float, chance: Chance) -> np.ndarray:
    changed = pixels + level * chance.rng.standard_normal(pixels.shape)
    return changed.round().clip(0, 255).astype(np.uint8)


def _contrast(pixels: np.ndarray, level: float, chance: Chance) -> np.ndarray:
    return np.asarray(ImageEnhance.Contrast(Image.fromarray(pixels)).enhance(level / 100))


def _hue(pixels: np.ndarray, level: float, chance: Chance) -> np.ndarray:
    hsv = np.asarray(Image.fromarray(pixels).convert("HSV")).copy()
    hsv[..., 0] += np.uint8(round(level / 360 * 256) % 256)  # goes round, as a circle of colours should
    return np.asarray(Image.fromarray(hsv, "HSV").convert("RGB"))


def _jpeg(pixels: np.ndarray, level: float, chance: Chance) -> np.ndarray:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=round(100 - level))
    return np.asarray(Image.open(file).convert("RGB"))


def _cover(pixels: np.ndarray, level: float, chance: Chance) -> np.ndarray:
    """The box grows from its middle to its full size; what of it lies outside is cut off."""
    side, box = len(pixels), chance.box
    covered = pixels.copy()
    reach_x, reach_y = box.width * level / 200, box.height * level / 200
    left, right = (round(side * min(1, max(0, box.x + sign * reach_x))) for sign in (-1, 1))
    top, bottom = (round(side * min(1, max(0, box.y + sign * reach_y))) for sign in (-1, 1))
    covered[top:bottom, left:right] = 128
    return covered


def _shuffle(pixels: np.ndarray, level: float, chance: Chance) -> np.ndarray:
    """Whole patches change places; the few pixels left over when the side does not divide evenly stay."""
    count = min(round(level), len(pixels))
    patch = len(pixels) // count
    used = patch * count
    patches = pixels[:used, :used].reshape(count, patch, count, patch, 3).swapaxes(1, 2).reshape(-1, patch, patch, 3)
    moved = patches[chance.rng.permutation(len(patches))].reshape(count, count, patch, patch, 3).swapaxes(1, 2)
    shuffled = pixels.copy()
    shuffled[:used, :used] = moved.reshape(used, used, 3)
    return shuffled


def _mean_colour(pixels: np.ndarray) -> np.ndarray:
    return pixels.mean(axis=(0, 1)).round().astype(np.uint8)


DISTORTIONS: dict[str, Distortion] = {
    "blur": Distortion(
        "Blur",
        "Fine detail goes first. A network that lives on textures loses its answer long before a person does.",
        (0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8),
        "{:g} % of the side",
        "standard deviation, % of the side",
        _blur,
    ),
    "rotation": Distortion(
        "Rotation",
        "Turns the picture; its mirrored edges fill the corners. A convolution knows its patterns upright only.",
        (0, 10, 20, 30, 45, 60, 75, 90, 120, 150, 180),
        "{:g}°",
        "degrees",
        _rotate,
    ),
    "scale": Distortion(
        "Scale",
        "Makes the picture smaller, on its mean colour. Filters have one size; what is half as large is another "
        "pattern to them.",
        (100, 90, 80, 70, 60, 50, 40, 35, 30, 25, 20),
        "{:g} % of its size",
        "size, %",
        _shrink,
    ),
    "crop": Distortion(
        "Crop",
        "Shows less and less, enlarged. At some point the thing is only a texture, and the surroundings are gone.",
        (100, 90, 80, 70, 60, 50, 40, 35, 30, 25, 20),
        "the middle {:g} %",
        "what is left of each side, %",
        _crop,
    ),
    "noise": Distortion(
        "Noise",
        "Adds chance to every colour value. Small noise is nothing to a person and much to a network that never saw "
        "any.",
        (0, 5, 10, 15, 20, 30, 40, 50, 65, 80, 100),
        "± {:g} of 255",
        "standard deviation, of 255",
        _noise,
    ),
    "contrast": Distortion(
        "Contrast",
        "Draws all colours towards one grey. Fog does the same.",
        (100, 80, 60, 50, 40, 30, 20, 15, 10, 5, 0),
        "{:g} % left",
        "contrast left, %",
        _contrast,
    ),
    "hue": Distortion(
        "Hue",
        "Turns the circle of colours: shapes stay, colours lie. It shows which classes are known by their colour.",
        (0, 15, 30, 45, 60, 75, 90, 105, 120, 150, 180),
        "{:g}°",
        "degrees",
        _hue,
    ),
    "jpeg": Distortion(
        "JPEG quality",
        "Saves the picture as an ever smaller JPEG: blocks of eight pixels, and colours that run.",
        (0, 10, 30, 50, 70, 80, 85, 90, 94, 97, 99),
        "{:g} below the best",
        "quality given up, of 100",
        _jpeg,
    ),
    "box": Distortion(
        "A box over it",
        "Covers a part with grey, from its middle outwards. What must be hidden until the answer falls?",
        (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100),
        "{:g} % of the box",
        "size of the box, % of the chosen",
        _cover,
    ),
    "shuffle": Distortion(
        "Shuffled patches",
        "Cuts the picture into squares and changes their places: textures stay, shapes are gone. A network that does "
        "not mind looks at textures.",
        (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16),
        "{0:g} × {0:g} patches",
        "patches a side",
        _shuffle,
    ),
}
"""The distortions by the names that addresses and caches use."""
