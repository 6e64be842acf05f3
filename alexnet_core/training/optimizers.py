"""Which weights learn together, how, and at what pace."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from alexnet_core.training.config import TrainConfig
from alexnet_core.training.muon import Muon
from alexnet_core.training.transfer import head_of


def optimizer(model: nn.Module, config: TrainConfig, shares: dict[int, float] | None = None) -> torch.optim.Optimizer:
    """The optimizer that `config` asks for, over the weights of `model`. `shares` are those of the learning rate by the
    identity of the parameters that learn; None where all learn alike."""
    # Decay holds weights small; a bias or a normalisation's scale has no reason to be.
    weights = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": weights, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if config.optimizer == "muon":
        # The first filters see pixels, the last layer gives the answers; in between all directions count alike.
        last = model.get_submodule(head_of(model))  # in SqueezeNet a convolution, too
        hidden = [layer.weight for layer in model.modules() if isinstance(layer, nn.Conv2d) and layer is not last][1:]
        kept = {id(weight) for weight in hidden}
        groups[0]["params"] = [weight for weight in weights if id(weight) not in kept]
        groups.append({"params": hidden, "orthogonal": True})
    if config.bias_lr != 1:
        # The biases of normalisations decide which units are on; they may move far, and weights may not.
        norms = [layer for layer in model.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
        biases = {id(layer.bias) for layer in norms}
        groups[1]["params"] = [parameter for parameter in others if id(parameter) not in biases]
        quick = [parameter for parameter in others if id(parameter) in biases]
        groups.append({"params": quick, "weight_decay": 0.0, "lr_share": config.bias_lr})
    if shares is not None:
        groups = [part for group in groups for part in _by_pace(group, shares)]
    if config.optimizer == "muon":
        return Muon(groups, lr=config.lr, momentum=config.momentum)
    # Fused: each weight passes the processor once, which for alexnet's 61 million is a fifth of a step.
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=config.lr, betas=(config.momentum, 0.999), fused=True)
    sgd = torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=config.momentum > 0, fused=True)
    if config.momentum:
        # In fp16 a step that overflows is left out. If that is the first one, PyTorch's fused SGD keeps the memory that
        # it took for the momentum as it found it, and adds that to the next step. Zeros give the same first step, to
        # the bit.
        for group in sgd.param_groups:
            for parameter in group["params"]:
                sgd.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return sgd


def _by_pace(group: dict[str, Any], shares: dict[int, float]) -> Iterator[dict[str, Any]]:
    """What of a group learns, in groups of one pace each."""
    learning = [parameter for parameter in group["params"] if id(parameter) in shares]
    for share in sorted({shares[id(parameter)] for parameter in learning}):
        yield {
            **group,
            "params": [parameter for parameter in learning if shares[id(parameter)] == share],
            "lr_share": share * group.get("lr_share", 1.0),
        }
