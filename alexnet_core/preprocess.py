"""From a picture to the numbers a network reads; it travels with the weights."""

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np
import torch
from PIL import Image

from alexnet_core.errors import ExplorerError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """Resize the short side, cut the centre square, scale to [0, 1], subtract `mean`, divide by `std`.

    `size` is the side of the square in pixels, `resize` the length of the short side before the cut; `mean` and `std`
    hold one value per colour channel, in units of [0, 1].
    """

    size: int
    resize: int
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def crop(self, picture: Image.Image) -> Image.Image:
        """The square the network will look at, RGB, `size` x `size` pixels."""
        width, height = picture.size
        scale = self.resize / min(width, height)
        # A side may not vanish when an extreme picture (8 x 12,000) is made small.
        wide, high = max(self.size, round(width * scale)), max(self.size, round(height * scale))
        left, top = (wide - self.size) // 2, (high - self.size) // 2
        # The square alone is resized, from the place where it would lie in the whole: a quarter less work for 4:3.
        across, down = width / wide, height / high
        square = (left * across, top * down, (left + self.size) * across, (top + self.size) * down)
        rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
        return rgb.resize((self.size, self.size), Image.Resampling.BICUBIC, square, reducing_gap=3.0)

    def tensor(self, picture: Image.Image) -> torch.Tensor:
        """The cropped picture as a normalised float32 tensor, (1, 3, size, size)."""
        pixels = np.asarray(self.crop(picture))  # (size, size, 3) uint8
        return self.normalise(torch.from_numpy(pixels.copy())[None])

    def normalise(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 images (N, H, W, 3) -> float32 (N, 3, H, W), normalised, on the device of `images`."""
        mean = torch.tensor(self.mean, dtype=torch.float32, device=images.device) * 255
        std = torch.tensor(self.std, dtype=torch.float32, device=images.device) * 255
        return ((images.float() - mean) / std).permute(0, 3, 1, 2).contiguous()

    def denormalise(self, images: torch.Tensor) -> torch.Tensor:
        """The inverse of `normalise`: float (N, 3, H, W) -> uint8 (N, H, W, 3)."""
        mean = torch.tensor(self.mean, dtype=torch.float32, device=images.device)
        std = torch.tensor(self.std, dtype=torch.float32, device=images.device)
        pixels = (images.permute(0, 2, 3, 1) * std + mean) * 255
        return pixels.round().clamp(0, 255).to(torch.uint8)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Preprocessing":
        """Read back what `as_dict` wrote, checking it: the file may come from a stranger."""
        try:
            mean, std = (tuple(float(v) for v in values[key]) for key in ("mean", "std"))
            size, resize = int(values["size"]), int(values["resize"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ExplorerError(
                "The file does not say how its pictures are to be prepared (size, mean, std)."
            ) from error
        sizes_fit = 8 <= size <= 1024 and size <= resize <= 4096
        numbers_fit = all(map(isfinite, (*mean, *std))) and min(std, default=0) > 0
        if len(mean) != 3 or len(std) != 3 or not sizes_fit or not numbers_fit:
            raise ExplorerError(
                "The file describes an impossible picture preparation (size, mean or std out of range)."
            )
        return cls(size=size, resize=resize, mean=mean, std=std)
