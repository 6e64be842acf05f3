"""The layer table of a network, computed once, in the forms the pages show."""

from collections.abc import Mapping, Sequence

import streamlit as st

from alexnet_core.models import MODELS, build
from alexnet_core.models.anatomy import Layer, anatomy
from app.figures.architecture import Block
from app.words import memory, shape

DRAWN = [name for name, entry in MODELS.items() if entry.ours and not entry.branches]
"""The networks of the program itself: chains of layers, which can be drawn one behind another."""
CLASSES = dict.fromkeys([name for name in DRAWN if name not in ("alexnet", "alexnet_bn")], 10)
"""How many classes the drawn network tells apart; 1000, as ImageNet, where nothing else is said."""


@st.cache_data(max_entries=64, show_spinner=False)
def layers_of(name: str, image_size: int) -> list[Layer]:
    """The layers of the network `name` for pictures of `image_size` pixels. Raises ExplorerError for too small
    a size."""
    return anatomy(build(name, CLASSES.get(name, 1000), image_size), image_size)


def blocks(layers: Sequence[Layer], titles: Mapping[str, str], image_size: int) -> list[Block]:
    """What is drawn: the picture, and each layer that changes the shape."""
    drawn = [layer for layer in layers if layer.kind in ("convolution", "max pooling", "linear")]
    return [
        Block("", "Picture", "picture", 3, image_size),
        *(
            Block(
                layer.name,
                titles[layer.name],
                layer.kind,
                layer.output_shape[0],
                layer.output_shape[-1] if len(layer.output_shape) == 3 else None,
            )
            for layer in drawn
        ),
    ]


def layer_rows(layers: Sequence[Layer], titles: Mapping[str, str]) -> list[dict[str, str | int | None]]:
    """The table, one row a layer, the units in the column names."""
    return [
        {
            "Layer": titles[layer.name],
            "Name in the code": layer.name,
            "Output": shape(layer.output_shape),
            "Window": f"{layer.kernel} × {layer.kernel}" if layer.kernel else "",
            "Stride": str(layer.stride or ""),
            "Parameters": layer.parameters,
            "Multiply-adds": layer.multiply_adds,
            "Memory": memory(layer.activation_bytes),
            "Receptive field, pixels": layer.receptive_field,
        }
        for layer in layers
    ]
