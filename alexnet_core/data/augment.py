"""Chance for pictures: translation, reflection, colour, rotation, scale and erasing, for a whole batch at once.

What happens to a picture depends on (seed, epoch, index) alone: `draw` makes one table of chance an epoch, and a batch
takes the rows of its images from it. So neither workers, nor restarts, nor the number of processes change the data.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from alexnet_core.preprocess import Preprocessing


@dataclass(frozen=True)
class Augmentation:
    """How far each change may go; see TrainConfig for the words."""

    translate: float = 0.0
    """Share of the side."""
    reflect: bool = False
    colour: float = 0.0
    """Standard deviations of the picture's own colours."""
    rotate: float = 0.0
    """Degrees."""
    scale: float = 0.0
    """Share of the size."""
    erase: float = 0.0
    """Share of the pictures."""


@dataclass(frozen=True)
class Chance:
    """The random numbers of one epoch, a row an image."""

    uniform: torch.Tensor
    """(N, 5) in [0, 1): horizontal shift, vertical shift, reflection (below a half: mirrored), rotation, scale."""
    normal: torch.Tensor
    """(N, 3), standard normal: one for each principal axis of the colours."""
    erased: torch.Tensor | None = None
    """(N, 5): whether, in [0, 1), then top, bottom, left and right of a rectangle as shares of the side. None where
    nothing is erased."""

    def rows(self, index: torch.Tensor | slice) -> "Chance":
        """The chance of the images with these indices."""
        return Chance(self.uniform[index], self.normal[index], None if self.erased is None else self.erased[index])

    def to(self, device: torch.device) -> "Chance":
        """The same numbers on `device`."""
        erased = None if self.erased is None else self.erased.to(device)
        return Chance(self.uniform.to(device), self.normal.to(device), erased)


ERASED_AREA, ERASED_SHAPE = (0.02, 0.4), 0.3
"""The least and the largest share of a picture that is erased, and the least height over width (the largest is its
inverse): the values of Zhong et al. 2020, section 4.2."""


def draw(seed: int, epoch: int, images: int) -> Chance:
    """The chance of `images` images in `epoch`, counted from 1.

    Which half of them is mirrored first is chance; from then on each is mirrored in every second epoch, so that no two
    epochs running show the same side (alternating flip: Jordan 2024, arXiv:2404.00498, section 3.6).
    """
    generator = torch.Generator().manual_seed(mix(seed, epoch, 1))
    uniform, normal = torch.rand(images, 5, generator=generator), torch.randn(images, 3, generator=generator)
    first = torch.rand(images, generator=torch.Generator().manual_seed(mix(seed, 0, 1)))
    uniform[:, 2] = (first + 0.5 * (epoch % 2)) % 1
    return Chance(uniform, normal, _rectangles(mix(seed, epoch, 4), images))


def _rectangles(seed: int, images: int) -> torch.Tensor:
    """`Chance.erased`: an area, a shape and a place for each picture (Zhong et al. 2020, algorithm 1), drawn here on
    the processor so that every device erases the same pixels."""
    u = torch.rand(images, 5, generator=torch.Generator().manual_seed(seed))
    least, largest = ERASED_AREA
    area = least + (largest - least) * u[:, 1]
    # Evenly in the logarithm: as often twice as high as wide as twice as wide as high. No side is longer than the
    # picture's.
    shape = ERASED_SHAPE ** (2 * u[:, 2] - 1)
    high, wide = (area * shape).sqrt().clamp(max=1), (area / shape).sqrt().clamp(max=1)
    top, left = u[:, 3] * (1 - high), u[:, 4] * (1 - wide)
    return torch.stack([u[:, 0], top, top + high, left, left + wide], 1)


def order(seed: int, epoch: int, images: int) -> torch.Tensor:
    """The order in which an epoch takes its images: a permutation of (images,)."""
    return torch.randperm(images, generator=torch.Generator().manual_seed(mix(seed, epoch, 2)))


def mix(*numbers: int) -> int:
    """One well-stirred 63-bit seed from several numbers (the finaliser of splitmix64, Steele et al. 2014)."""
    state = 0
    for number in numbers:
        state = (state ^ number) + 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        state = (state ^ state >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state >> 1


def colour_axes(rgb_covariance: torch.Tensor) -> torch.Tensor:
    """The principal axes of a (3, 3) covariance of RGB values, each as long as one standard deviation: (3 axes, 3 RGB).

    The paper (section 4.1) scales by the eigenvalue; with values in [0, 1] that would be invisible, so its root is
    used.
    """
    values, vectors = torch.linalg.eigh(rgb_covariance.double())
    # An eigenvector's sign is arbitrary and may differ between machines; fix it.
    vectors = vectors * torch.where(vectors.sum(0) < 0, -1.0, 1.0)
    return (vectors * values.clamp(min=0).sqrt()).T.float()


def augment(
    images: torch.Tensor,
    chance: Chance,
    augmentation: Augmentation,
    preprocessing: Preprocessing,
    axes: torch.Tensor | None = None,
) -> torch.Tensor:
    """uint8 images (B, S, S, 3) -> changed and normalised float32 (B, 3, S, S), channels last in memory.

    `axes` are `colour_axes`, needed where the colour changes. All tensors lie on one device. Without rotation and scale
    every device computes the same bits.
    """
    turned = bool(augmentation.rotate or augmentation.scale)
    changed = images if turned else _shift(images, chance, augmentation)
    colours = _colours(chance, augmentation, axes) if augmentation.colour and axes is not None else None
    numbers = normalised(changed, preprocessing, colours)
    if turned:
        numbers = _warp(numbers, chance, augmentation)
    return _erase(numbers, chance.erased, augmentation.erase) if augmentation.erase else numbers


def normalised(images: torch.Tensor, preprocessing: Preprocessing, colours: torch.Tensor | None = None) -> torch.Tensor:
    """uint8 images (B, S, S, 3) -> float32 (B, 3, S, S) as `Preprocessing.normalise` has them, channels last in memory.

    `colours` (B, 3), in units of [0, 1], is added to each picture before. Several times faster than the plain formula:
    a row of a picture is one long vector, and nothing is moved. Multiplied and added one after the other, not in one
    operation, which would round differently on different devices.
    """
    batch, high, wide, _ = images.shape
    device = images.device
    # Filled by kernels: a tensor made from a list would have to be copied to a GPU, and waited for.
    scale = torch.cat([torch.full((1,), 1 / (255 * std), device=device) for std in preprocessing.std])
    start = torch.cat(
        [
            torch.full((1,), -m / std, device=device)
            for m, std in zip(preprocessing.mean, preprocessing.std, strict=True)
        ]
    )[None]
    if colours is not None:
        start = colours * (scale * 255) + start  # (B, 3)
    numbers = images.reshape(batch, high, wide * 3).float()
    numbers.mul_(scale.repeat(wide)).add_(start.repeat(1, wide)[:, None, :])
    return numbers.view(batch, high, wide, 3).permute(0, 3, 1, 2)


def _colours(chance: Chance, augmentation: Augmentation, axes: torch.Tensor) -> torch.Tensor:
    """The change of each picture's colour, (B, 3) in units of [0, 1]."""
    # Written out: a matrix product rounds as the device likes.
    first, second, third = (chance.normal[:, axis : axis + 1] * axes[axis] for axis in range(3))
    return augmentation.colour * (first + second + third)


def _shift(images: torch.Tensor, chance: Chance, augmentation: Augmentation) -> torch.Tensor:
    """Shift by whole pixels, the border reflected, and mirror: rows are picked whole, then columns within them."""
    batch, side = images.shape[:2]
    reach = round(augmentation.translate * side)
    if not reach and not augmentation.reflect:
        return images
    place = torch.arange(side, device=images.device)
    moves = ((chance.uniform[:, :2] * (2 * reach + 1)).long() - reach)[:, :, None] + place  # (B, 2, S)
    moves = side - 1 - (side - 1 - moves.abs()).abs()
    columns, rows = moves[:, 0], moves[:, 1]
    if augmentation.reflect:
        columns = torch.where(chance.uniform[:, 2:3] < 0.5, side - 1 - columns, columns)
    if reach:
        numbers = rows + side * torch.arange(batch, device=images.device)[:, None]  # (B, S) among all rows of the batch
        images = images.reshape(batch * side, side * 3).index_select(0, numbers.reshape(-1))
    values = columns[:, :, None] * 3 + torch.arange(3, device=images.device)  # (B, S, 3) among the values of a row
    index = values.view(batch, 1, side * 3).expand(-1, side, -1)
    return images.view(batch, side, side * 3).gather(2, index).view(batch, side, side, 3)


def _warp(images: torch.Tensor, chance: Chance, augmentation: Augmentation) -> torch.Tensor:
    """All geometric changes as one affine map and one bilinear sampling: float (B, 3, S, S) -> the same shape."""
    u = chance.uniform
    angle = (2 * u[:, 3] - 1) * math.radians(augmentation.rotate)
    # Up to 1 + scale larger or smaller, evenly in the logarithm.
    zoom = (1 + augmentation.scale) ** (2 * u[:, 4] - 1)
    mirror = torch.where(u[:, 2] < 0.5, -1.0, 1.0) if augmentation.reflect else torch.ones_like(u[:, 2])
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    shift = (2 * u[:, :2] - 1) * 2 * augmentation.translate
    matrix = torch.stack(
        [torch.stack([cos * mirror, -sin, shift[:, 0]], 1), torch.stack([sin * mirror, cos, shift[:, 1]], 1)], 1
    )  # (B, 2, 3): output place -> input place, in units of half a side
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _erase(images: torch.Tensor, erased: torch.Tensor | None, share: float) -> torch.Tensor:
    """Set a rectangle of that share of the normalised pictures (B, 3, S, S) to zero, the mean colour."""
    assert erased is not None, "chance without rectangles"
    pixel = torch.arange(images.shape[-1], device=images.device)
    top, bottom, left, right = (erased[:, 1:] * images.shape[-1]).round().T[:, :, None]  # each (B, 1)
    rows, columns = (top <= pixel) & (pixel < bottom), (left <= pixel) & (pixel < right)  # (B, S)
    covered = (erased[:, :1] < share)[:, :, None] & rows[:, :, None] & columns[:, None, :]  # (B, S, S)
    return images.masked_fill(covered[:, None], 0.0)
