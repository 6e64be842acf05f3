"""What in a patch excites one unit: the two backward passes through ReLUs that draw it, computed by Captum.

Guided backpropagation (Springenberg et al. 2014, arXiv:1412.6806) and the deconvolutional network (Zeiler and Fergus
2013, arXiv:1311.2901). Both draw sharp edges that hardly depend on the weights (Adebayo et al. 2018): they show what is
in the patch, less what the unit makes of it.
"""

import warnings
from typing import Literal

import numpy as np
import torch

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.hooks import evaluating
from alexnet_core.models import Network

BackwardPass = Literal["guided_backprop", "deconvolution"]


def drawn_back(
    network: Network, images: torch.Tensor, layer: str, unit: int, place: tuple[int, int], method: BackwardPass
) -> np.ndarray:
    """The backward pass from unit number `unit` of `layer`, at row and column `place` of its map, to the picture.

    `images` (1, 3, S, S) as the network reads them -> float32 (3, S, S). The network must be computing for nobody else:
    Captum hooks its ReLUs for a moment. Raises ExplorerError for a layer that does not exist.
    """
    from captum.attr import NeuronDeconvolution, NeuronGuidedBackprop  # takes a second to import

    layers = dict(network.model.named_modules())
    if layer not in layers or not layer:
        raise ExplorerError(f"The network has no layer called {layer!r:.80}; choose another.")

    def value(output: torch.Tensor) -> torch.Tensor:
        return output[:, unit, place[0], place[1]] if output.dim() == 4 else output[:, unit]

    way = NeuronGuidedBackprop if method == "guided_backprop" else NeuronDeconvolution
    with evaluating(network.model), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Setting backward hooks on ReLU")  # that is what was asked for
        values = way(network.model, layers[layer]).attribute(images.clone().requires_grad_(), value)
    assert isinstance(values, torch.Tensor)
    return values[0].detach().float().cpu().numpy()


def as_picture(values: np.ndarray) -> np.ndarray:
    """A backward pass (3, h, w) as a picture, uint8 (h, w, 3): middle grey is zero, the largest magnitude is full, and
    each colour shows which way that colour would have to change."""
    largest = float(np.abs(values).max()) or 1.0
    return np.rint(128 + 127 * values / largest).astype(np.uint8).transpose(1, 2, 0)
