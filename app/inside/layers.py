"""The layers of a network as the pages list them, and what a value of each can see; found out once."""

from collections.abc import Mapping

from alexnet_core.insight import units
from alexnet_core.insight.receptive_field import Field, receptive_field
from alexnet_core.insight.units import UnitLayer
from app.remembered import remembered
from app.session import SharedNetwork


def layers_of(shared: SharedNetwork) -> dict[str, UnitLayer]:
    """The layers with units, by name."""

    def compute() -> dict[str, UnitLayer]:
        with shared.lock:
            return {layer.name: layer for layer in units.layers_with_units(shared.network)}

    return remembered((shared.key, "unit layers"), compute)


def titles(layers: Mapping[str, UnitLayer]) -> dict[str, str]:
    """What stands for each layer in a list, by name."""
    return {name: _title(layer) for name, layer in layers.items()}


def _title(layer: UnitLayer) -> str:
    size = f", maps of {layer.side} × {layer.side}" if layer.side else ", one number each"
    return f"{layer.name} · {layer.kind} ({layer.units:,} units{size})"


def field_of(shared: SharedNetwork, layer: str) -> Field:
    """The receptive field of a layer."""

    def compute() -> Field:
        with shared.lock:
            return receptive_field(shared.network, layer)

    return remembered((shared.key, layer, "field"), compute)
