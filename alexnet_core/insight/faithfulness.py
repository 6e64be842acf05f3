"""Does a map foretell what the answer does when the picture changes, and does it stay when the picture hardly does?

Infidelity and sensitivity after Yeh et al. 2019, "On the (in)fidelity and sensitivity of explanations",
arXiv:1901.09392; every number computed by Captum.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from PIL import Image

from alexnet_core.insight.attribution import Attribution
from alexnet_core.insight.attribution.task import Score
from alexnet_core.insight.hooks import evaluating
from alexnet_core.insight.prediction import BATCH
from alexnet_core.insight.scrambling import Explain
from alexnet_core.models import Network

SQUARES = 64
"""Hidden squares that the map has to foretell; the number settles to about three hundredths."""
SQUARE = 1 / 4
"""Their side, as a share of the picture's."""
NEIGHBOURS = 6
"""Pictures nearby at which the map is computed again."""
RADIUS = 2
"""How far each of their colour values may differ, of 255: less than anybody sees."""

Reading = Literal["share", "slope"]
"""How a map is to be read: as shares of the answer, added up over what is hidden; or as a slope, times the change of
each colour value."""


@dataclass(frozen=True)
class Infidelity:
    """How badly a map foretells the answer."""

    unexplained: float
    """The share of the answer's changes (mean square, in logits) that the map does not foretell, at its best scale:
    0 for a perfect map, 1 for an empty one."""
    reading: Reading
    """The one that suits the map better: the number is the smaller of the two."""


def unfaithful(network: Network, picture: Image.Image, explained: Attribution, seed: int = 0) -> Infidelity | None:
    """How far the change of the number that is explained (the class's logit, less that of a second class where there is
    one), when a square of the picture is covered with the mean colour, is from what the map lets one expect; over the
    same `SQUARES` random squares for every map.

    This is Captum's infidelity with its scaling (`normalize=True`), divided by that of a map of zeros. None where the
    map is zero everywhere or the answer does not change at all.
    """
    from captum.metrics import infidelity  # takes a second to import

    device = next(network.model.parameters()).device
    image = network.preprocessing.tensor(picture).to(device)
    values = torch.from_numpy(explained.values).to(device)[None].expand_as(image).contiguous()
    score = Score(network.model, explained.target, explained.against)
    if not bool(values.any()):
        return None

    def measured(values: torch.Tensor, reading: Reading, scaled: bool) -> float:
        with torch.no_grad(), evaluating(network.model):
            return float(
                infidelity(
                    score,
                    _squares(reading, seed),
                    image,
                    values,
                    target=0,
                    n_perturb_samples=SQUARES,
                    max_examples_per_batch=BATCH,
                    normalize=scaled,
                )
            )

    most = measured(torch.zeros_like(values), "share", False)
    if most == 0:
        return None
    readings: tuple[Reading, ...] = ("share", "slope")
    found = {reading: measured(values, reading, True) / most for reading in readings}
    best = min(readings, key=found.__getitem__)
    # In exact arithmetic the best scale is never worse than zero.
    return Infidelity(min(1.0, found[best]), best)


def _squares(reading: Reading, seed: int) -> Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """What Captum asks for: pictures -> what was changed, and the changed pictures. The same squares each time one of
    these is made."""
    generator = torch.Generator().manual_seed(seed)

    def cover(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        size = images.shape[-1]
        side = max(1, round(size * SQUARE))
        corners = torch.randint(0, size - side + 1, (len(images), 2, 1), generator=generator)
        place = torch.arange(size)
        inside = (place >= corners) & (place < corners + side)  # (N, 2, S)
        mask = (inside[:, 0, :, None] & inside[:, 1, None, :])[:, None].to(images.device)  # (N, 1, S, S)
        hidden = images * ~mask
        return (images - hidden if reading == "slope" else mask.expand_as(images).float()), hidden

    return cover


def unsteady(network: Network, picture: Image.Image, explain: Explain, seed: int = 0) -> float:
    """The largest change of the map, relative to its own length, among `NEIGHBOURS` pictures that nobody can tell from
    `picture`: Captum's `sensitivity_max`. 0 for a map that does not move.

    Leaves nothing behind that `explain` does not. A map of zeros has no length; its largest change itself is given.
    """
    from captum.metrics import sensitivity_max  # takes a second to import

    # A picture that already is the square that the network looks at passes as it is.
    preprocessing = network.preprocessing
    still = replace(network, preprocessing=replace(preprocessing, resize=preprocessing.size))
    device = next(network.model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    square = torch.from_numpy(np.asarray(preprocessing.crop(picture)).copy())[None]  # (1, S, S, 3)

    def neighbours(images: torch.Tensor) -> torch.Tensor:
        change = torch.randint(-RADIUS, RADIUS + 1, (len(images), *square.shape[1:]), generator=generator)
        pixels = (square.int() + change).clamp(0, 255).to(torch.uint8)
        return preprocessing.normalise(pixels.to(device))

    def explained(images: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
        batch = images[0] if isinstance(images, tuple) else images  # Captum gives the first one as a tuple
        pictures = [Image.fromarray(pixels) for pixels in preprocessing.denormalise(batch).cpu().numpy()]
        with torch.enable_grad():  # Captum switches it off here, and most methods need it
            return torch.stack([torch.from_numpy(explain(still, one).values) for one in pictures])

    image = preprocessing.normalise(square.to(device))
    return float(
        sensitivity_max(
            explained, image, perturb_func=neighbours, n_perturb_samples=NEIGHBOURS, max_examples_per_batch=1
        )
    )
