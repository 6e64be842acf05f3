"""Layer-wise relevance propagation: the score handed back, layer by layer, in proportion to what contributed to it.

A layer with weights passes relevance to its inputs by z / (z' + epsilon), where z' is its output with weights that were
changed by a rule. That is the gradient of a network whose layers put out z but have the derivative of z' times
z / (z' + epsilon), multiplied by the picture (Montavon et al. 2019, section 10.3.1): one backward pass, any topology.
"""

import torch
from torch import nn
from torch.nn import functional as F

from alexnet_core.insight.attribution.task import Facts, Setting, Task
from alexnet_core.insight.operations import operations, rewired
from alexnet_core.models import Network

RULE = Setting(
    "rule",
    "Rule",
    "Epsilon shares out by contribution alone. Gamma favours what speaks for the class, which makes calmer maps. "
    "Composite is gamma in convolutions and epsilon in linear layers; the handbook (section 10.3) advises a rule of "
    "its own for the pixels besides, which is not taken here.",
    "composite",
    choices=("composite", "epsilon", "gamma"),
)
EPSILON = Setting(
    "epsilon",
    "Epsilon",
    "Added to each denominator: larger values drop weak contributions.",
    1e-6,
    least=1e-9,
    most=1.0,
)
GAMMA = Setting("gamma", "Gamma", "By how much positive weights count more.", 0.25, least=0.0, most=10.0)

KINDS = (
    nn.Conv2d, nn.Linear, nn.ReLU, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.BatchNorm2d, nn.Dropout,
    nn.Flatten, nn.Identity,
)  # fmt: skip


def lrp(task: Task) -> tuple[torch.Tensor, Facts]:
    """By the rules set; a batch normalisation counts as part of the convolution before it, whose weights it scales."""
    rule, epsilon, gamma = task.text("rule"), task.real("epsilon"), task.real("gamma")
    layers = dict(task.network.model.named_modules())
    folded = {layers[first]: layers[then] for first, then in operations(task.network).normalised.items()}
    before: dict[nn.Module, torch.Tensor] = {}

    def replace(layer: nn.Module, taken: torch.Tensor, given: torch.Tensor) -> torch.Tensor | None:
        if layer in folded:  # the normalisation behind it answers for both
            before[folded[layer]] = taken
            return None
        if isinstance(layer, nn.BatchNorm2d) and layer in before:
            convolution = next(first for first, then in folded.items() if then is layer)
            assert isinstance(convolution, nn.Conv2d)
            weight, bias = fold(convolution, layer)
            return _ruled(convolution, weight, bias, before.pop(layer), given)
        if isinstance(layer, nn.Conv2d | nn.Linear):
            return _ruled(layer, layer.weight, layer.bias, taken, given)
        return None

    def _ruled(
        layer: nn.Conv2d | nn.Linear,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        taken: torch.Tensor,
        given: torch.Tensor,
    ) -> torch.Tensor:
        if rule == "gamma" or (rule == "composite" and isinstance(layer, nn.Conv2d)):
            weight = weight + gamma * weight.clamp(min=0)
        if isinstance(layer, nn.Conv2d):
            # Padding of other kinds than zeros is a layer's own; its forward pass takes any weight.
            changed = layer._conv_forward(taken, weight, bias)
        else:
            changed = F.linear(taken, weight, bias)
        value = changed.detach()
        ratio = given.detach() / (value + torch.where(value < 0, -epsilon, epsilon))
        # The value stays what the layer put out; only the way back is changed.
        return given.detach() + ratio * (changed - value)

    with torch.enable_grad(), rewired(task.network.model, replace):
        image = task.image.detach().requires_grad_()
        score = task.score(image)
        (gradient,) = torch.autograd.grad(score.sum(), image)
    values = (image * gradient).detach()
    facts: Facts = {"rule": rule, "score": float(score.detach())}
    facts["convergence_delta"] = float(values.sum()) - float(score.detach())
    return values, facts


def fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of the convolution that does the work of both, outside training."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = torch.rsqrt(norm.running_var + norm.eps)
    shift = -norm.running_mean
    if convolution.bias is not None:
        shift = shift + convolution.bias
    if norm.affine:
        scale = scale * norm.weight
    bias = shift * scale
    if norm.affine:
        bias = bias + norm.bias
    return convolution.weight * scale[:, None, None, None], bias


def lrp_obstacle(network: Network) -> str | None:
    """Relevance has rules for ReLU networks of convolutions, poolings and linear layers."""
    done = operations(network)
    functions = [name for name in done.bending if name not in ("relu", "max_pool2d")]
    if functions:
        return (
            f"{network.title} computes {', '.join(functions)} between its layers, for which relevance propagation has "
            "no rule here; try DeepLIFT or integrated gradients."
        )
    strange = [kind.__name__ for kind in done.kinds if not issubclass(kind, KINDS)]
    if strange:
        return f"Relevance propagation has no rule here for layers of the kind {', '.join(strange)}."
    return None
