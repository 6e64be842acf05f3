"""What the app says about layers: plain sentences, and formulas with the real numbers put in."""

from collections.abc import Sequence
from math import prod

from alexnet_core.models.anatomy import Layer
from app.words import amount, memory, shape


def layer_titles(layers: Sequence[Layer]) -> dict[str, str]:
    """A readable name for each layer, by its dotted name: those that compute are numbered, the others lean on them."""
    counts: dict[str, int] = {}
    titles: dict[str, str] = {}
    last = "the picture"
    for index, layer in enumerate(layers):
        kind = layer.kind[0].upper() + layer.kind[1:]
        if layer.kind in ("convolution", "linear", "max pooling"):
            counts[layer.kind] = counts.get(layer.kind, 0) + 1
            titles[layer.name] = f"{kind} {counts[layer.kind]}"
            last = titles[layer.name].lower()
        elif layer.kind == "dropout":
            following = counts.get("linear", 0) + 1
            titles[layer.name] = f"Dropout before linear {following}"
        elif layer.kind == "average pooling":
            titles[layer.name] = kind
        else:
            titles[layer.name] = f"{kind} after {last}" if index else kind
    return titles


def purpose(layer: Layer, title: str) -> str:
    """What the layer does, in plain words."""
    if title == "Convolution 1":
        return (
            f"Slides {layer.output_shape[0]} filters of {layer.kernel} × {layer.kernel} pixels over the picture. "
            "Each answers strongly where the picture looks like the filter. These are the only filters that see "
            "colours directly, so they can be shown as small pictures: after training, edges, stripes and colour "
            "blobs."
        )
    texts = {
        "convolution": (
            f"Slides {layer.output_shape[0]} filters over all {layer.input_shape[0]} maps of the layer before at "
            "once. Each filter looks for one combination of what was found there; the deeper the layer, the "
            "larger and the more specific the patterns."
        ),
        "batch normalisation": (
            "Brings each map to a steady mean and spread, then stretches and shifts it by two learned numbers. "
            "The layers after it see numbers of a steady size, so training is faster and less fussy about the "
            "learning rate."
        ),
        "ReLU": (
            "Keeps positive numbers and replaces negative ones by zero. Without such a bend, any number of "
            "layers would compute no more than a single one. The 2012 paper found that it trains several times "
            "faster than the smooth curves used before."
        ),
        "max pooling": (
            f"Keeps the largest number in each window of {layer.kernel} × {layer.kernel}, moving by "
            f"{layer.stride}. A pattern may move a little and still count, and the maps get smaller. {_overlap(layer)}"
        ),
        "average pooling": (
            "Averages each map down to the size that the linear layers after it expect."
            + " Here the maps have that size: it changes nothing." * (layer.input_shape == layer.output_shape)
        ),
        "dropout": (
            "While training, switches off a random share of its inputs at every step (half of them in the 2012 paper), "
            "so that no unit can rely on another. When the network is used, it does nothing."
        ),
        "linear": (
            f"Every one of its {layer.output_shape[0]:,} outputs weighs all {layer.input_shape[-1]:,} inputs. "
            "Where something was seen no longer matters as such, only what was seen."
        ),
    }
    return texts.get(layer.kind, "A layer of this network.")


def _overlap(layer: Layer) -> str:
    """Whether the windows of a pooling overlap."""
    if (layer.kernel or 0) > (layer.stride or 0):
        return "The windows overlap, as in the 2012 paper."
    return "The windows do not overlap; those of the 2012 paper do."


def how_computed(layers: Sequence[Layer], index: int) -> list[tuple[str, str]]:
    """(the number's name, how it comes about with the real numbers put in) for the layer at `index`."""
    layer = layers[index]
    return [
        ("Output", _output(layer)),
        ("Parameters", _parameters(layer)),
        ("Multiply-adds", _multiply_adds(layer)),
        ("Memory", f"{shape(layer.output_shape)} numbers × 4 bytes = {memory(layer.activation_bytes)}"),
        ("Receptive field", _receptive_field(layers, index)),
    ]


def _output(layer: Layer) -> str:
    side = layer.input_shape[-1]
    if layer.kind == "linear":
        return f"one number for each of its {layer.output_shape[0]:,} units"
    if layer.kernel is None or layer.stride is None or layer.padding is None or layer.kind == "average pooling":
        return f"the shape stays {shape(layer.output_shape)}"
    padded = f"{side} + 2 × {layer.padding}" if layer.padding else f"{side}"
    maps = "one map for each filter" if layer.kind == "convolution" else "as many maps as before"
    return (
        f"side ({padded} − {layer.kernel}) ÷ {layer.stride} + 1 = {layer.output_shape[-1]}, fractions dropped; "
        f"{maps}: {shape(layer.output_shape)}"
    )


def _parameters(layer: Layer) -> str:
    if layer.kind == "batch normalisation":
        return f"{layer.output_shape[0]} maps × 2 (stretch and shift) = {layer.parameters:,}"
    if not layer.parameters:
        return "none: this layer learns nothing"
    inputs = _inputs_of_one_value(layer)
    weights = inputs * layer.output_shape[0]
    what = _window_text(layer) if layer.kind == "convolution" else f"{inputs:,} inputs"
    product = f"{what} × {layer.output_shape[0]:,} {'filters' if layer.kind == 'convolution' else 'units'}"
    if layer.parameters == weights:
        return f"{product} = {layer.parameters:,} (no biases: the normalisation after it has its own)"
    return f"{product} + {layer.parameters - weights:,} biases = {layer.parameters:,}"


def _multiply_adds(layer: Layer) -> str:
    if not layer.multiply_adds:
        return "none counted: only convolutions and linear layers are, as is the custom"
    each = _window_text(layer) if layer.kind == "convolution" else f"{_inputs_of_one_value(layer):,} inputs"
    return f"{each} for each of {shape(layer.output_shape)} outputs = {layer.multiply_adds:,}"


def _receptive_field(layers: Sequence[Layer], index: int) -> str:
    layer = layers[index]
    field = layer.receptive_field
    if field is None:
        return "not a simple chain of layers, so not one number"
    if layer.kind == "linear":
        return f"the whole picture: {field} pixels"
    if layer.kernel is None or layer.kind == "average pooling":
        return f"as before: {field} pixels"
    before = layers[index - 1].receptive_field if index else 1
    jump = prod(earlier.stride or 1 for earlier in layers[:index])
    whole = (before or 1) + (layer.kernel - 1) * jump
    limit = ", cut to the picture" if whole > field else ""
    return f"{before} + ({layer.kernel} − 1) × {jump} pixels between neighbours = {whole} pixels{limit}"


def _window_text(layer: Layer) -> str:
    channels = _inputs_of_one_value(layer) // (layer.kernel or 1) ** 2
    return f"{layer.kernel} × {layer.kernel} × {channels}"


def _inputs_of_one_value(layer: Layer) -> int:
    return layer.multiply_adds // prod(layer.output_shape)


def summary(layers: Sequence[Layer]) -> str:
    """The whole network in one sentence."""
    parameters = sum(layer.parameters for layer in layers)
    in_linear = sum(layer.parameters for layer in layers if layer.kind == "linear")
    work = sum(layer.multiply_adds for layer in layers)
    in_convolutions = sum(layer.multiply_adds for layer in layers if layer.kind == "convolution")
    return (
        f"{parameters:,} parameters, {100 * in_linear / parameters:.0f} % of them in the linear layers; {amount(work)} "
        f"multiply-adds a picture, {100 * in_convolutions / work:.0f} % of them in the convolutions."
    )


def numbers(layer: Layer) -> list[tuple[str, str, str]]:
    """(label, value, explanation) for each number of a layer."""
    field = layer.receptive_field
    return [
        ("Output", shape(layer.output_shape), "Maps × height × width, or just the number of units."),
        ("Parameters", amount(layer.parameters), "Numbers that training adjusts: weights and biases."),
        ("Multiply-adds", amount(layer.multiply_adds), "Multiplications, each with its addition, for one picture."),
        ("Memory", memory(layer.activation_bytes), "What the output of one picture takes in 32-bit numbers."),
        (
            "Receptive field",
            f"{field} px" if field else "not a chain",
            "Side of the square of the picture that one output value can see.",
        ),
    ]
