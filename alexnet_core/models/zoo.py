"""The relatives: torchvision's networks, made fit for looking inside.

torchvision's own definitions are used as they are, for any number of classes, with every ReLU put out of place: an
in-place ReLU overwrites the output of the layer before it, and a hook there would record the rectified map.
"""

from torch import nn


def out_of_place(model: nn.Module) -> nn.Module:
    """Switch off `inplace` in every activation and dropout of `model`; the function computed stays the same."""
    for module in model.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
    return model


def build_torchvision(name: str, num_classes: int, dropout: float | None = None) -> nn.Module:
    """torchvision's network `name` with `num_classes` outputs and random weights; the auxiliary heads of the
    Inceptions, which only help training, are left out."""
    settings: dict[str, object] = {"num_classes": num_classes, "weights": None}
    if name in ("googlenet", "inception_v3"):
        settings |= {"aux_logits": False, "init_weights": True}
    if dropout is not None:
        settings["dropout"] = dropout
    from torchvision.models import get_model  # takes seconds to import, and AlexNet does without

    return out_of_place(get_model(name, **settings))
