"""A picture made to excite a unit, a channel or a class: gradient ascent on the picture instead of on the weights.

After Olah, Mordvintsev, Schubert 2017, “Feature Visualization”, Distill, doi:10.23915/distill.00007. Each of their
regularisers is a switch, so that one sees what the picture becomes without it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import evaluating
from alexnet_core.insight.stages import Stage, passed, place_of, stages
from alexnet_core.models import Network

STEPS = 256
"""Gradient steps; what is to be seen is mostly there after 128, as in the paper's figures."""
LEARNING_RATE = 0.05
"""Of Adam, as in the authors' own code."""
STEPS_AT_ONCE = 4
"""Between two looks at the picture: others may use the network then, and a person may stop."""
START = 0.01
"""The standard deviation of the noise that the picture grows from: a flat grey, but for what it takes to begin."""
COLOUR_DIRECTIONS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""RGB by independent direction: the root of the covariance of ImageNet's colours, from the authors' code (lucid,
optvis/param/color.py). The first direction is brightness: natural colours differ in it most."""


@dataclass(frozen=True)
class Objective:
    """What the picture is made to excite."""

    unit: int
    """The number of a unit of `layer`, or of a class."""
    layer: str | None = None
    """None: the network's answer, the logit of a class."""
    centre: bool = False
    """Only the value in the middle of the unit's map counts, in place of the mean over the map."""
    against: int | None = None
    """A second class, whose logit is subtracted; only where `layer` is None."""


@dataclass(frozen=True)
class Regularisers:
    """What keeps the picture from becoming high-frequency noise that excites the unit just as well."""

    fourier: bool = True
    """The picture is a sum of waves, coarse ones weighted as in photographs, in place of single pixels."""
    decorrelated: bool = True
    """Steps are taken in brightness and two colour contrasts, in place of red, green and blue."""
    jitter: bool = True
    """Before each step the picture is shifted by up to a sixteenth of its side."""
    rotate: bool = True
    """... turned by up to 5 degrees."""
    scale: bool = True
    """... enlarged or made smaller by up to a tenth."""


@dataclass(frozen=True)
class Drawing:
    """The picture so far."""

    step: int
    steps: int
    pixels: np.ndarray
    """uint8 (S, S, 3)."""
    value: float
    """The objective: at the end for the picture as it is, on the way for the moved one of the last step."""


def visualise(
    network: Network,
    objective: Objective,
    regularisers: Regularisers | None = None,
    steps: int = STEPS,
    seed: int = 0,
) -> Iterator[Drawing]:
    """Grow a picture that excites `objective`, yielding it after the first and then after every few steps.

    Between two drawings nothing of it is on the network, so whoever shares the network may hold its lock for one
    `next()` at a time. On a processor the same seed gives the same bits (with the same number of threads); a GPU rounds
    differently each time. Raises ExplorerError for a unit that does not exist, for steps below 1, and when the
    objective is not a finite number.
    """
    if steps < 1:
        raise ExplorerError(f"At least one step is needed, not {steps}.")
    kinds = regularisers or Regularisers()
    device = next(network.model.parameters()).device
    size = network.preprocessing.size
    goal = _Goal(network, objective)
    chance = torch.Generator().manual_seed(seed)
    canvas = _Canvas(size, kinds, chance, device)
    optimiser = torch.optim.Adam([canvas.parameter], lr=LEARNING_RATE)
    step = 0
    while step < steps:
        with evaluating(network.model), torch.enable_grad():
            for _ in range(1 if step == 0 else min(STEPS_AT_ONCE, steps - step)):
                optimiser.zero_grad()
                seen = _moved(canvas.picture(), kinds, chance)
                reached = goal.of(_normalised(network, seen))
                (-reached).backward()
                optimiser.step()
                step += 1
            with torch.no_grad():
                picture = canvas.picture()
                # On the way the value of the last step will do: another pass would take a tenth of the time.
                value = float(goal.of(_normalised(network, picture)) if step == steps else reached)
        if not math.isfinite(value):
            raise ExplorerError("The picture has grown beyond what can be computed; choose another unit or network.")
        pixels = (picture[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()
        yield Drawing(step, steps, pixels, value)


class _Canvas:
    """The picture (1, 3, S, S) as a function of what is optimised."""

    def __init__(self, size: int, kinds: Regularisers, chance: torch.Generator, device: torch.device) -> None:
        self.size, self.kinds = size, kinds
        shape = (1, 3, size, size // 2 + 1, 2) if kinds.fourier else (1, 3, size, size)
        start = START * torch.randn(shape, generator=chance)
        self.parameter = start.to(device).requires_grad_()
        vertical, horizontal = torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)[None, :]
        # In photographs the amplitude of a wave falls with its frequency: with this weight equal steps look equal.
        weights = 1 / torch.hypot(vertical, horizontal).clamp(min=1 / size) * size
        self.weights = weights[..., None].to(device)  # (S, S / 2 + 1, 1)
        directions = torch.tensor(COLOUR_DIRECTIONS)
        self.colours = (directions / directions.norm(dim=0).max()).to(device)  # (RGB, direction)

    def picture(self) -> torch.Tensor:
        """(1, 3, S, S), values 0 to 1."""
        values = self.parameter
        if self.kinds.fourier:
            waves = torch.view_as_complex(values * self.weights)
            values = torch.fft.irfft2(waves, s=(self.size, self.size), norm="backward") * WAVES
        if self.kinds.decorrelated:
            values = torch.einsum("rd,ndhw->nrhw", self.colours, values)
        return torch.sigmoid(values)


WAVES = 0.25
"""How strongly waves show, so that a step changes a picture of waves about as much as one of pixels."""


class _Goal:
    """The number that is to grow."""

    def __init__(self, network: Network, objective: Objective) -> None:
        self.objective = objective
        self.inside: nn.Module | None = None
        row = stages(network)
        if objective.layer is None:
            self.row: list[Stage] = row
            highest = len(network.classes) - 1
            for number in (objective.unit, objective.against or 0):
                if not 0 <= number <= highest:
                    raise ExplorerError(f"There is no class number {number}; this network has 0 to {highest}.")
            return
        if objective.against is not None:
            raise ExplorerError("A difference can only be made between two classes; choose classes, not units.")
        place = place_of(row, objective.layer)
        self.row = row[: place + 1]
        self.inside = network.model.get_submodule(objective.layer)

    def of(self, images: torch.Tensor) -> torch.Tensor:
        """images (1, 3, S, S) as the network reads them -> the objective, a scalar."""
        output = self._output(images)
        unit, against = self.objective.unit, self.objective.against
        if not 0 <= unit < output.shape[1]:
            raise ExplorerError(f"There is no unit number {unit}; this layer has 0 to {output.shape[1] - 1}.")
        if output.dim() == 4 and self.objective.centre:
            return output[0, unit, output.shape[2] // 2, output.shape[3] // 2]
        value = output[0, unit].mean()
        return value if against is None else value - output[0, against].mean()

    def _output(self, images: torch.Tensor) -> torch.Tensor:
        if self.inside is None:
            return passed(self.row, images)
        # Behind a ReLU a silent unit has no gradient, and the picture would never begin to grow: what goes into the
        # ReLU is largest for the same pictures. Copies: torchvision's blocks add their shortcut to an output in place,
        # and its Inceptions rectify one so; the sum, or what the ReLU left of it, would stand for the layer.
        taken: list[torch.Tensor] = []
        if isinstance(self.inside, nn.ReLU):
            handle = self.inside.register_forward_pre_hook(lambda module, inputs: taken.append(inputs[0].clone()))
        else:
            handle = self.inside.register_forward_hook(lambda module, inputs, output: taken.append(output.clone()))
        try:
            passed(self.row, images)
        finally:
            handle.remove()
        return taken[-1]


def _normalised(network: Network, pictures: torch.Tensor) -> torch.Tensor:
    """Pictures (1, 3, S, S), values 0 to 1, as the network reads them; a function with a gradient."""
    mean = torch.tensor(network.preprocessing.mean, device=pictures.device)[:, None, None]
    std = torch.tensor(network.preprocessing.std, device=pictures.device)[:, None, None]
    return (pictures - mean) / std


def _moved(pictures: torch.Tensor, kinds: Regularisers, chance: torch.Generator) -> torch.Tensor:
    """Pictures (1, 3, S, S), shifted, turned and scaled at random; at the border they go on as in a mirror."""
    # All four are drawn whatever is switched on, so that one switch does not change what the others do.
    drawn = (2 * torch.rand(4, generator=chance) - 1).tolist()
    if not (kinds.jitter or kinds.rotate or kinds.scale):
        return pictures
    size = pictures.shape[-1]
    # Whole pixels, so that jitter alone blurs nothing.
    across, down = (round(shift * size * JITTER) if kinds.jitter else 0 for shift in drawn[:2])
    angle = math.radians(TURN * drawn[2]) if kinds.rotate else 0.0
    zoom = 1 + SCALE * drawn[3] if kinds.scale else 1.0
    cosine, sine = math.cos(angle) / zoom, math.sin(angle) / zoom
    matrix = torch.tensor([[[cosine, -sine, 2 * across / size], [sine, cosine, 2 * down / size]]])
    grid = F.affine_grid(matrix, list(pictures.shape), align_corners=False).to(pictures.device)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


JITTER = 1 / 16
"""Share of the side."""
TURN = 5.0
"""Degrees."""
SCALE = 0.1
"""Share of the size."""


def doubts(network: Network, accuracy: float | None = None) -> list[str]:
    """Why pictures made for this network may mean little, a sentence a reason; empty where there is none.

    `accuracy` is the share of pictures it has not learned from that it gets right, where that is known.
    """
    found = []
    size = network.preprocessing.size
    if network.source == "untrained":
        found.append("This network has not been trained: its units look for nothing, and the pictures show its noise.")
    if size < LEGIBLE:
        found.append(f"Its pictures have {size} × {size} pixels: there is little room for more than edges and colours.")
    if accuracy is not None and accuracy < ACCURATE:
        found.append(
            f"It is right about {accuracy:.0%} of pictures that it has not seen: what its deeper units look for is "
            "hardly more than texture and colour.".replace("%", " %")
        )
    return found


LEGIBLE = 96
"""Pixels; in smaller pictures objects are hardly more than a few strokes, drawn or optimised."""
ACCURATE = 0.7
"""The share of right answers from which on parts of objects begin to show."""
