"""What stands beside filters and feature maps: how their values became brightness."""

from alexnet_core.insight.feature_maps import FeatureMaps
from alexnet_core.insight.filters import FirstLayer
from app.words import pixels, shape


def window(filters: FirstLayer) -> str:
    """The size of the first filters."""
    return shape(filters.weights.shape[-2:])


def maps_caption(maps: FeatureMaps, shown: int, own_scale: bool) -> str:
    """How the maps' values became brightness."""
    count, high, wide = maps.values.shape
    which = f"All {count} maps" if shown == count else f"The {shown} strongest of {count} maps"
    zero = (
        "Middle grey is zero, white the largest magnitude, black its negative"
        if maps.signed
        else ("Black is zero, white the largest value")
    )
    scale = "each map on its own scale" if own_scale else "one scale for the whole layer"
    return f"{which}, {shape((high, wide))} values each, strongest first (by the mean). {zero}; {scale}."


def map_caption(maps: FeatureMaps, number: int, over: bool) -> str:
    """What the enlarged map shows."""
    values = maps.values[number]
    sees = f" Each value sees {pixels(maps.receptive_field)} of the picture." if maps.receptive_field else ""
    colours = "orange above zero, blue below" if maps.signed else "yellow is its strongest, violet weak"
    rank = maps.strongest().tolist().index(number) + 1
    where = f"over the picture, each value round the middle of what it sees: {colours}."
    shown = f"Map {number}, number {rank} in strength, {where if over else 'as among the others.'}"
    between = f"Its values lie between {values.min():.3g} and {values.max():.3g}."
    return f"{shown} {between}{sees}"
