"""The layer table: what each layer is, what comes out of it, and what it costs.

Shapes come from a forward pass on PyTorch's meta device, which computes shapes and no numbers.
"""

import copy
import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Layer:
    """One row of the table, for one picture."""

    name: str
    """The dotted name in the model, as in its state dict."""
    kind: str
    kernel: int | None
    """Side of the window in positions of the layer's input, the longer one of an oblong; None where there is none."""
    stride: int | None
    padding: int | None
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    """(channels, height, width) or (units,)."""
    parameters: int
    multiply_adds: int
    """Multiplications with their additions; biases, normalisations and poolings not counted, as is the custom."""
    activation_bytes: int
    """Memory of the output in 32-bit numbers."""
    receptive_field: int | None
    """Side in pixels of the part of the picture that one value of the output can see; None where it is not a chain."""


KINDS: dict[type[nn.Module], str] = {
    nn.Conv2d: "convolution",
    nn.BatchNorm2d: "batch normalisation",
    nn.ReLU: "ReLU",
    nn.ReLU6: "ReLU6",
    nn.SiLU: "SiLU",
    nn.Hardswish: "hard swish",
    nn.Hardsigmoid: "hard sigmoid",
    nn.Sigmoid: "sigmoid",
    nn.MaxPool2d: "max pooling",
    nn.AvgPool2d: "average pooling",
    nn.AdaptiveAvgPool2d: "average pooling",
    nn.Dropout: "dropout",
    nn.Linear: "linear",
}


def anatomy(model: nn.Module, image_size: int) -> list[Layer]:
    """The layers of `model` in the order in which a picture of `image_size` pixels passes them.

    The receptive field is followed through networks whose layers form a chain (AlexNet and VGG); elsewhere it is None.
    """
    layers: list[Layer] = []
    chain = _is_chain(model)
    field, jump = 1, 1  # pixels seen by one value; pixels between two neighbouring values

    def note(name: str, module: nn.Module, inputs: torch.Tensor, output: torch.Tensor) -> None:
        nonlocal field, jump
        kernel, stride, padding = _window(module, inputs.shape)
        if kernel is not None:
            field, jump = field + (kernel - 1) * jump, jump * (stride or 1)
        if isinstance(module, nn.Linear):
            field = max(field, image_size)
        layers.append(
            Layer(
                name=name,
                kind=KINDS.get(type(module), type(module).__name__),
                kernel=kernel,
                stride=stride,
                padding=padding,
                input_shape=tuple(inputs.shape[1:]),
                output_shape=tuple(output.shape[1:]),
                parameters=sum(parameter.numel() for parameter in module.parameters()),
                multiply_adds=_multiply_adds(module, output),
                activation_bytes=4 * math.prod(output.shape[1:]),
                receptive_field=min(field, image_size) if chain else None,
            )
        )

    handles = []
    shadow = _on_meta(model)
    for name, module in shadow.named_modules():
        if not list(module.children()) and not isinstance(module, nn.Identity):
            handles.append(module.register_forward_hook(lambda m, args, out, name=name: note(name, m, args[0], out)))
    try:
        with torch.no_grad():
            shadow(torch.empty(1, 3, image_size, image_size, device="meta"))
    finally:
        for handle in handles:
            handle.remove()
    return layers


def _on_meta(model: nn.Module) -> nn.Module:
    # A copy, so that a shared model is neither hooked nor moved; meta tensors take no memory.
    memo: dict[int, object] = {id(p): nn.Parameter(p.to("meta"), requires_grad=False) for p in model.parameters()}
    memo |= {id(b): b.to("meta") for b in model.buffers()}
    return copy.deepcopy(model, memo).eval()


def _is_chain(model: nn.Module) -> bool:
    """Whether the model is `features` and `classifier`, each a plain sequence of leaves."""
    parts = [child for _, child in model.named_children()]
    return all(
        not list(part.children())
        or (isinstance(part, nn.Sequential) and all(not list(leaf.children()) for leaf in part))
        for part in parts
    )


def _window(module: nn.Module, input_shape: torch.Size) -> tuple[int | None, int | None, int | None]:
    if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        sizes = (module.kernel_size, module.stride, module.padding)
        kernel, stride, padding = (value if isinstance(value, int) else max(map(int, value)) for value in sizes)
        return kernel, stride, padding
    if isinstance(module, nn.AdaptiveAvgPool2d):
        target = module.output_size[0] if isinstance(module.output_size, tuple) else module.output_size
        side = input_shape[-1]
        if target is None or target == side:
            return 1, 1, 0
        # PyTorch's window i reaches from floor(i side / target) to ceil((i + 1) side / target); steps may differ.
        widest = max(-(-(i + 1) * side // target) - i * side // target for i in range(target))
        return widest, side // target if side % target == 0 else None, 0
    return None, None, None


def _multiply_adds(module: nn.Module, output: torch.Tensor) -> int:
    if isinstance(module, nn.Conv2d):
        per_value = module.in_channels // module.groups * module.kernel_size[0] * module.kernel_size[1]
        return per_value * math.prod(output.shape[1:])
    if isinstance(module, nn.Linear):
        return module.in_features * math.prod(output.shape[1:])
    return 0
