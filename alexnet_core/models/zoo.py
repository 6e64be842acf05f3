"""The relatives: torchvision's networks, made fit for looking inside.

torchvision's own definitions are used, for any number of classes, with every ReLU put out of place: an in-place ReLU
overwrites the output of the layer before it, and a hook there would record the rectified map. Networks that compute
some between their layers, or several with one, are built of other blocks (`blocks`).
"""

from torch import nn


def out_of_place(model: nn.Module) -> nn.Module:
    """Switch off `inplace` in every activation and dropout of `model`; the function computed stays the same."""
    for module in model.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
    return model


def build_torchvision(name: str, num_classes: int, dropout: float | None = None) -> nn.Module:
    """torchvision's network `name` with `num_classes` outputs and random weights."""
    settings: dict[str, object] = {"num_classes": num_classes} | ({} if dropout is None else {"dropout": dropout})
    # torchvision takes seconds to import, and AlexNet does without.
    from torchvision.models import get_model

    from alexnet_core.models.blocks import REBUILT

    model = REBUILT[name](**settings) if name in REBUILT else get_model(name, weights=None, **settings)
    return out_of_place(model)
