"""Class activation maps: which region of a layer's maps speaks for the class."""

import torch
from torch import nn
from torch.nn import functional as F

from alexnet_core.insight.attribution.rectifiers import guided_backprop, rectifier_obstacle
from alexnet_core.insight.attribution.task import Facts, Setting, Task
from alexnet_core.insight.hooks import outputs
from alexnet_core.insight.operations import operations
from alexnet_core.models import Network


def map_layers(network: Network) -> tuple[str, ...]:
    """The layers whose maps have places, in the order they run; the last one is where Grad-CAM usually looks.

    Layers behind it are left out: they put out smaller maps, pooled, or none.
    """
    names = list(operations(network).maps)
    last = last_map(network)
    return (*(name for name in names[: names.index(last)]), last) if last in names else ()


def last_map(network: Network) -> str:
    """The layer that puts out the last convolution's map after all that follows without changing height and width:
    `features.11`, the ReLU, in AlexNet; the end of the last block in networks with shortcuts or branches. Empty where
    no convolution puts out a map larger than 1 x 1."""
    maps = operations(network).maps
    layers = dict(network.model.named_modules())
    # Squeeze-and-excitation computes its weights with convolutions on 1 x 1 maps; they say nothing about places.
    sizes = [size for name, size in maps.items() if isinstance(layers[name], nn.Conv2d)]
    if not sizes:
        return ""
    return [name for name, size in maps.items() if size == sizes[-1]][-1]


LAYER = Setting(
    "layer",
    "Layer",
    "Whose maps are weighted. Later ones know more about classes and less about places.",
    None,
    choices_of=map_layers,
)


def grad_cam(task: Task) -> tuple[torch.Tensor, Facts]:
    """On the layer's map, enlarged to the picture bilinearly."""
    small, name = _small(task)
    size = task.network.preprocessing.size
    height, width = small.shape[-2:]
    values = F.interpolate(small, (size, size), mode="bilinear")
    return values, {"layer": name, "map": f"{height} x {width}"}


def guided_grad_cam(task: Task) -> tuple[torch.Tensor, Facts]:
    """Guided backpropagation times Grad-CAM's map, which is enlarged without smoothing, as Captum does."""
    small, name = _small(task)
    fine, _ = guided_backprop(task)
    size = task.network.preprocessing.size
    height, width = small.shape[-2:]
    coarse = F.interpolate(small, (size, size), mode="nearest")
    return fine * coarse, {"layer": name, "map": f"{height} x {width}"}


def grad_cam_obstacle(network: Network) -> str | None:
    """There has to be a map."""
    if last_map(network):
        return None
    return "This network has no map with places in it; Grad-CAM needs one larger than 1 x 1."


def guided_grad_cam_obstacle(network: Network) -> str | None:
    """Both of its factors have to work."""
    return grad_cam_obstacle(network) or rectifier_obstacle(network)


def _small(task: Task) -> tuple[torch.Tensor, str]:
    """Grad-CAM's map at the layer's own size, (1, 1, H, W), and the layer: its maps, each weighted by the mean slope of
    the score along it, and of their sum what is positive (Selvaraju et al. 2017, equations 1 and 2)."""
    name = str(task.settings["layer"] or last_map(task.network))
    with torch.enable_grad(), outputs(task.network.model, name) as given:
        image = task.image.detach().requires_grad_()  # frozen weights: without it nothing would have a gradient
        score = task.score(image)
        (slope,) = torch.autograd.grad(score.sum(), given[-1])
    weights = slope.mean(dim=(2, 3), keepdim=True)
    return (weights * given[-1].detach()).sum(dim=1, keepdim=True).relu(), name
