"""What the app says about layers and numbers: plain sentences, and formulas with the real numbers put in."""

from collections.abc import Sequence
from math import floor, log10, prod
from typing import Literal

from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import DATASETS
from alexnet_core.insight.feature_maps import FeatureMaps
from alexnet_core.insight.filters import FirstLayer
from alexnet_core.models.anatomy import Layer
from alexnet_core.runs.evaluation import Evaluation
from alexnet_core.runs.recording import CHECKPOINT_SECONDS
from alexnet_core.runs.states import LIVE
from alexnet_core.training.config import TrainConfig, label
from app.sentences import plain


def amount(number: float) -> str:
    """A count with no more digits than a person wants: 714 million, 23,296."""
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number:,.0f}"


def memory(count: int) -> str:
    """A number of bytes for people."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"


def percent(share: float) -> str:
    """A probability or an accuracy: one decimal, and never a rounded certainty."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share:.1%}".replace("%", " %")


def duration(seconds: float) -> str:
    """A span of time for people: 42 s, 3 min, 2 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    if whole < 5400:
        return f"{round(whole / 60)} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min"


def shape(sizes: Sequence[int]) -> str:
    """64 × 55 × 55."""
    return " × ".join(f"{size:,}" for size in sizes)


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
            f"{layer.stride}. A pattern may move a little and still count, and the maps get smaller. The windows "
            "overlap, as in the 2012 paper."
        ),
        "average pooling": (
            "Averages each map down to a fixed size, so that the linear layers always get the same number of "
            "inputs, whatever the size of the picture. At the network's own size it changes nothing."
        ),
        "dropout": (
            "While training, switches off a random half (by default) of its inputs at every step, so that no "
            "unit can rely on another. When the network is used, it does nothing."
        ),
        "linear": (
            f"Every one of its {layer.output_shape[0]:,} outputs weighs all {layer.input_shape[-1]:,} inputs. "
            "Where something was seen no longer matters as such, only what was seen."
        ),
    }
    return texts.get(layer.kind, "A layer of this network.")


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
        f"{parameters:,} parameters, {in_linear / parameters:.0%} of them in the linear layers; {amount(work)} "
        f"multiply-adds a picture, {in_convolutions / work:.0%} of them in the convolutions."
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


def pixels(side: int) -> str:
    """The size of a square picture."""
    return f"{side} × {side} pixels"


def window(filters: FirstLayer) -> str:
    """The size of the first filters."""
    return shape(filters.weights.shape[-2:])


def map_title(order: Sequence[int], number: int) -> str:
    """A feature map in a list."""
    return f"Map {number}, number {order.index(number) + 1} in strength"


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
    shown = f"Map {number} over the picture: {colours}." if over else f"Map {number}, as among the others."
    between = f"Its values lie between {values.min():.3g} and {values.max():.3g}."
    return f"{shown} {between}{sees}"


def colours_of(signed: bool) -> str:
    """What the colours of an attribution mean."""
    return "Orange speaks for the class, blue against." if signed else "Yellow: strong. Violet: weak."


def answer(name: str, probability: float) -> str:
    """A class and its probability, as Markdown."""
    return f"{plain(name)} · **{percent(probability)}**"


STANDING: dict[str, tuple[str, str, Literal["blue", "green", "orange", "red", "gray"]]] = {
    "queued": ("Queued", ":material/hourglass_top:", "gray"),
    "running": ("Training", ":material/play_arrow:", "blue"),
    "paused": ("Paused", ":material/pause:", "orange"),
    "stopped": ("Stopped", ":material/stop:", "gray"),
    "finished": ("Finished", ":material/check:", "green"),
    "failed": ("Failed", ":material/error:", "red"),
    "interrupted": ("Interrupted", ":material/power_off:", "orange"),
}
"""Word, sign and colour for each state of a run."""


def run_title(title: str, status: str) -> str:
    """A run in a list."""
    # The list is not looked at again while a run goes on: it says no more than that.
    return f"{title} · {'going on' if status in LIVE else STANDING[status][0].lower()}"


def matrix_caption(evaluation: Evaluation) -> str:
    """What the confusion matrix counts."""
    right = int((evaluation.labels == evaluation.predictions).sum())
    total = len(evaluation.labels)
    return (
        f"{total:,} pictures of the {evaluation.split} split, {right:,} of them right. A row is a true class, its "
        "colour the share of the row. Click a number, or choose a pair beside it."
    )


def cell(count: int, true: str, predicted: str) -> str:
    """What a cell of the confusion matrix says."""
    pictures = "No picture" if count == 0 else "1 picture" if count == 1 else f"{count:,} pictures"
    verb = "was" if count <= 1 else "were"
    return f"{pictures} of **{plain(true)}** {verb} taken for **{plain(predicted)}**."


def plan(config: TrainConfig, train_images: int) -> str:
    """What Start will do, in a sentence."""
    steps = config.epochs * config.steps_per_epoch(train_images)
    return (
        f"{config.epochs} passes over {train_images:,} pictures in batches of {config.batch_size}: "
        f"{amount(steps)} steps."
    )


def unusable(bad_files: Sequence[tuple[str, str]]) -> str:
    """Which files could not be used and why, the first few by name."""
    first = "\n".join(f"* {plain(name)}: {plain(reason)}" for name, reason in bad_files[:5])
    count = "One file" if len(bad_files) == 1 else f"{len(bad_files):,} files"
    return f"{count} could not be used and {'was' if len(bad_files) == 1 else 'were'} left out:\n\n{first}"


def preparing(source: str) -> str:
    """What preparing this data set means."""
    entry = DATASETS.get(source)
    if entry is None or entry.offline:
        return "Brings every picture to one size on this computer's disk; nothing is fetched."
    return f"Fetches {memory(entry.download_bytes)} once, then brings every picture to one size."


def progress(done: int, total: int, stage: str) -> tuple[float, str]:
    """A share and a sentence for a bar; bytes while something is read or fetched, pictures otherwise."""
    share = min(1.0, done / total) if total else 0.0
    if stage in ("reading", "downloading"):
        return share, f"{stage.capitalize()}: {memory(done)} of {memory(total)}"
    return share, f"{stage.capitalize()}: {done:,} of {total:,} pictures"


def data_caption(prepared: PreparedSet) -> str:
    """How many pictures of which kind, and on which terms."""
    counts = ", ".join(
        f"{prepared.count(split):,} {name}" for split, name in SPLITS.items() if split in prepared.splits
    )
    return (
        f"Training pictures of each class. In all {counts}; {pixels(prepared.image_size)}. Licence: "
        f"{plain(prepared.licence)}."
    )


SPLITS = {"train": "to train on", "val": "to validate on", "test": "for the test at the end"}
"""What the splits are for."""


def step_of(value: float) -> float:
    """A sensible step for a field that holds `value`: a tenth of its size, 0.01 for zero."""
    return 10.0 ** (floor(log10(value)) - 1) if value > 0 else 0.01


def picture_caption(name: str, side: int) -> str:
    """What a picture is, and how much of it a network gets."""
    return f"{plain(name)}. The network gets this square in {pixels(side)}."


def estimate(seconds: float, processes: int = 1) -> str:
    """How long it will take, no more exactly than can be known."""
    if processes > 1:
        return f"About {duration(seconds)} on one graphics card of this computer; on {processes} it takes less."
    return f"About {duration(seconds)} on this computer, as busy as it is now."


def made_for(recipe: str, wanted: int, side: int) -> str:
    """That a recipe was made for pictures of another size than the chosen one."""
    return (
        f"The recipe {recipe} was made and measured for pictures of {pixels(wanted)}; yours are prepared in "
        f"{pixels(side)}. It works with these, too, but what it promises holds for its own size."
    )


HOW_TO_COMPUTE = (
    "What stands on auto (threads: 0) is chosen at the start of the run: a few real steps are timed, and the fastest "
    "way is remembered for this computer."
)
"""What to know about the settings above it."""
CARDS = (
    "How many of this computer's graphics cards train the network together, each with its share of every batch. The "
    "curve stays the same within rounding."
)
"""What the number of graphics cards means."""


MEASURED = "A few real training steps are timed, each way of computing in turns: seconds that the run gets back."
"""While the way to compute is measured."""
MEASURED_HELP = (
    "Precision (numbers in 32 or 16 bits), memory format and threads are tried where they were left open. What was "
    "fastest is remembered in fastest.json in the program's home folder (ALEXNET_HOME), so later runs like this one "
    "begin at once and compute alike. To choose by hand: a new run, Settings, How to compute. To measure again: "
    "delete the file."
)
"""What was measured, and how to have it otherwise."""


def way_of_computing(settings: TrainConfig) -> str:
    """Where a run's way to compute comes from."""
    if settings.precision != "auto" and settings.memory_format != "auto" and settings.threads:
        return "This way to compute was set by hand."
    return (
        "What was left open of this was chosen by timing real steps, unless the run is too short for that, and is "
        "remembered for this computer."
    )


def lost_at_most(runs: int = 1) -> str:
    """What an interruption costs."""
    each = " of each" if runs > 1 else ""
    return (
        f"At most the last {duration(CHECKPOINT_SECONDS)} of training{each} are computed again; the result is the same "
        "as without the interruption."
    )


GO_ON = "From the last saved steps; a run waits until the one before it has ended."
"""What going on with interrupted runs means."""


def go_on(runs: int) -> str:
    """The button that lets so many interrupted runs go on."""
    return "Go on" + (" with both" if runs == 2 else f" with all {runs}" if runs > 2 else "")


def interrupted(titles: Sequence[str]) -> str:
    """Which runs were interrupted, as Markdown."""
    if len(titles) == 1:
        return f"The training **{plain(titles[0])}** was interrupted. {lost_at_most()}"
    first = ", ".join(f"**{plain(title)}**" for title in titles[:3])
    more = f" and {len(titles) - 3} more" if len(titles) > 3 else ""
    return (
        f"{len(titles)} trainings were interrupted: {first}{more}. {lost_at_most(len(titles))} They go on one after "
        "the other."
    )


def try_instead(setting: str, value: float) -> str:
    """The button that starts a failed run again with another value."""
    return f"Start again with a {label(setting).lower()} of {value:g}"
