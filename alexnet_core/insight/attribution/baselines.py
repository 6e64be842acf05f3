"""What a picture is compared with: the pictures that stand for "nothing to see"."""

import torch
from torch.nn import functional as F

from alexnet_core.insight.attribution.task import Setting, Task
from alexnet_core.preprocess import Preprocessing

BASELINES = ("black", "white", "blurred", "average", "random")

BASELINE = Setting(
    "baseline",
    "Compared with",
    "The picture that counts as nothing: black, white, the picture blurred, its average colour, or random colours (the "
    "mean over five such pictures, which takes five times as long). Another one gives another map.",
    "black",
    choices=BASELINES,
)

RANDOM_PICTURES = 5
"""Pictures of random colours; the map is the mean over them."""

BLUR = 0.08
"""Standard deviation of the blur as a share of the side, 18 pixels of 224: shapes are gone, patches of colour stay."""


def baselines(task: Task) -> torch.Tensor:
    """The pictures that the setting `baseline` names, preprocessed: (n, 3, S, S), n = 1 but for "random"."""
    name, preprocessing = task.text("baseline"), task.network.preprocessing
    if name == "blurred":
        return blurred(task.image)
    if name == "average":
        return task.image.mean(dim=(2, 3), keepdim=True).expand_as(task.image).clone()
    size, device = preprocessing.size, task.image.device
    if name == "random":
        shape = (RANDOM_PICTURES, size, size, 3)
        pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=task.chance())
        return preprocessing.normalise(pixels.to(device))
    return plain_picture(preprocessing, 0 if name == "black" else 255, device)


def plain_picture(preprocessing: Preprocessing, value: int, device: torch.device) -> torch.Tensor:
    """A picture of one grey, preprocessed, (1, 3, S, S). For black, zeros would be wrong: they are the mean colour."""
    pixels = torch.full((1, preprocessing.size, preprocessing.size, 3), value, dtype=torch.uint8, device=device)
    return preprocessing.normalise(pixels)


def blurred(image: torch.Tensor) -> torch.Tensor:
    """`image` (1, 3, S, S) after a Gaussian blur; beyond its edge the picture goes on as it ends."""
    size = image.shape[-1]
    deviation = BLUR * size
    reach = min(size - 1, round(3 * deviation))
    places = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    weights = torch.exp(-(places**2) / (2 * deviation**2))
    weights = weights / weights.sum()
    channels = image.transpose(0, 1)  # (3, 1, S, S): each colour is blurred by itself
    wide = F.conv2d(F.pad(channels, (reach, reach, 0, 0), mode="replicate"), weights[None, None, None, :])
    high = F.conv2d(F.pad(wide, (0, 0, reach, reach), mode="replicate"), weights[None, None, :, None])
    return high.transpose(0, 1).contiguous()


def references(task: Task, count: int) -> tuple[torch.Tensor, str]:
    """Pictures to compare with on the average, (n, 3, S, S), and what they are, in words.

    Pictures of the data set where the task brings some: `count` of them, drawn by the seed. Else `count` pictures made
    from the picture itself by putting its pixels in random order: the same colours without any shape.
    """
    chance = task.chance()
    if task.references is not None and len(task.references):
        chosen = torch.randperm(len(task.references), generator=chance)[:count]
        prepared = task.network.preprocessing.normalise(task.references[chosen].to(task.image.device))
        return prepared, f"{len(chosen)} pictures of the data set"
    pixels = task.image.flatten(2)[0]  # (3, S * S)
    shuffled = pixels.new_empty(count, *pixels.shape)
    for place in shuffled:  # each into its place: five hundred with their orders would lie in memory nearly three times
        place.copy_(pixels[:, torch.randperm(pixels.shape[1], generator=chance).to(pixels.device)])
    return shuffled.reshape(count, *task.image.shape[1:]), f"{count} pictures of the same pixels in random order"
