"""Which pixels speak for a class: attribution maps.

`ATTRIBUTIONS` is the table of methods, each with what its map can and cannot say; `attribute` computes one of them.
All methods explain the logit of the target class, not its probability, which also falls when another class rises; or
the difference of two classes' logits. The numbers are Captum's: computed by it, or otherwise and compared with it in
tests.
"""

from alexnet_core.insight.attribution.cam import last_map, map_layers
from alexnet_core.insight.attribution.classes import find_class
from alexnet_core.insight.attribution.explaining import (
    Attribution,
    attribute,
    chosen_settings,
    find_method,
    refine_occlusion,
    why_not,
)
from alexnet_core.insight.attribution.table import ATTRIBUTIONS
from alexnet_core.insight.attribution.task import Facts, Method, Progress, Setting, Value

__all__ = [
    "ATTRIBUTIONS", "Attribution", "Facts", "Method", "Progress", "Setting", "Value", "attribute", "chosen_settings",
    "find_class", "find_method", "last_map", "map_layers", "refine_occlusion", "why_not",
]  # fmt: skip
