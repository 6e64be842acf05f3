"""Heads that help two deep networks to learn from nothing, and that no trained network keeps.

GoogLeNet and Inception v3 were trained with small classifiers of their own half way up, whose losses count a little
(Szegedy et al. 2014, section 5; Szegedy et al. 2015, arXiv:1512.00567, section 4). `WithHeads` is what such a network
is while it trains; the network inside it stays as `build` made it, so files hold no heads.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Heads:
    """Where the heads of one network stand."""

    behind: tuple[tuple[str, int], ...]
    """(the block's name in the model, how many maps it puts out) for each head."""
    weight: float
    """What a head's loss counts beside the network's own."""
    side: int = 0
    """Least side of the maps that the head takes; smaller ones, of smaller pictures, are first repeated to it."""


HEADS: dict[str, Heads] = {
    "googlenet": Heads((("inception4a", 512), ("inception4d", 528)), 0.3),
    "inception_v3": Heads((("Mixed_6e", 768),), 0.4, side=17),
}
"""By network. 0.3 is the paper's (Szegedy et al. 2014, section 5); for v3 the paper gives no number, and 0.4 is what
PyTorch's and TensorFlow's own examples take."""


class WithHeads(nn.Module):
    """A network that answers, while it trains, with the logits of its heads beside its own."""

    def __init__(self, name: str, model: nn.Module, num_classes: int) -> None:
        """`name` is one of `HEADS`; the heads begin as torchvision's do."""
        super().__init__()
        self.model, self.plan = model, HEADS[name]
        self.heads = nn.ModuleList(_head(name, maps, num_classes) for _, maps in self.plan.behind)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """images (N, 3, S, S) -> logits (N, K), and those of each head (N, K)."""
        seen: dict[str, torch.Tensor] = {}
        handles = [
            self.model.get_submodule(name).register_forward_hook(
                lambda module, inputs, output, name=name: seen.update({name: output})
            )
            for name, _ in self.plan.behind
        ]
        try:
            logits = self.model(images)
        finally:
            for handle in handles:
                handle.remove()
        maps = [seen[name] for name, _ in self.plan.behind]
        return logits, [head(self._large(found)) for head, found in zip(self.heads, maps, strict=True)]

    def _large(self, maps: torch.Tensor) -> torch.Tensor:
        return F.interpolate(maps, size=self.plan.side) if maps.shape[-1] < self.plan.side else maps


def _head(name: str, maps: int, num_classes: int) -> nn.Module:
    """torchvision's head, its weights drawn as torchvision draws them."""
    # torchvision takes seconds to import, and other networks do without.
    from torchvision.models.googlenet import InceptionAux as FirstHead
    from torchvision.models.inception import InceptionAux as ThirdHead

    head = FirstHead(maps, num_classes) if name == "googlenet" else ThirdHead(maps, num_classes)
    for layer in head.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            std = 0.01 if name == "googlenet" else float(getattr(layer, "stddev", 0.1))
            nn.init.trunc_normal_(layer.weight, std=std, a=-2, b=2)
    return head
