"""What one asks of a training run: one frozen dataclass that checks itself.

The command's flags, the page's form and config.json all come from its fields; the sentence under each field is the
explanation all of them show.
"""

import ast
import dataclasses
import inspect
import math
import textwrap
from dataclasses import dataclass
from functools import cache
from typing import Any

from alexnet_core.errors import ExplorerError

CHOICES: dict[str, tuple[str, ...]] = {
    "optimizer": ("sgd", "adamw", "muon"),
    "schedule": ("one_cycle", "triangle", "step", "plateau", "constant"),
    "learn": ("everything", "last_layers", "head"),
    "balance": ("none", "loss", "sampling"),
    "device": ("auto", "cpu", "cuda", "mps"),
    "precision": ("auto", "fp32", "bf16", "fp16"),
    "memory_format": ("auto", "channels_last", "contiguous"),
    "compile": ("auto", "on", "off"),
    "views": ("one", "mirrored", "ten"),
}
"""The values of the settings that are words."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The settings of a run. A number that is 0 where that makes no sense is chosen from the data by `settle`."""

    model: str = "alexnet_mini"
    """The network to train."""
    recipe: str = "quick"
    """A named set of the settings below; whatever is given beside it wins."""
    start_from: str = ""
    """Begin with what another network has learned: imagenet for ImageNet's weights of this network, the name of a run,
    or a file with a network; empty begins with nothing."""
    learn: str = "everything"
    """When training starts from another network, which layers learn: everything; last_layers, the last third of them
    (with copy_layers those that were not copied); or the head, the last layer alone, from answers of the others that
    are computed once."""
    layer_lr: float = 1.0
    """When training starts from another network: the learning rate of each layer as a share of that of the layer after
    it, so that the first layers, which fit all pictures, change least; 1 lets all learn at one pace."""
    copy_layers: int = 0
    """When training starts from another network: how many of its first layers are copied, while the others begin anew;
    0 copies all, but the last one only where the classes are the same."""
    epochs: int = 0
    """Passes over the training pictures; 0 chooses from how many there are."""
    batch_size: int = 0
    """Pictures a step, over all devices together; 0 chooses from how many there are."""
    optimizer: str = "sgd"
    """How weights follow the gradient: sgd with momentum, as in the paper; adamw, which scales each weight's step; or
    muon, which lets all directions of a convolution learn at one pace (a learning rate near 0.1, a momentum near
    0.6)."""
    lr: float = 0.05
    """The largest learning rate: how far a step goes."""
    bias_lr: float = 1.0
    """How many times the learning rate the biases of normalisations take: they decide when a unit answers at all, and
    may move much further than weights (Jordan 2024, arXiv:2404.00498, section 3.4)."""
    momentum: float = 0.9
    """How much of the last step is kept in the next one."""
    weight_decay: float = 5e-4
    """How strongly weights are pulled towards zero at each step."""
    schedule: str = "one_cycle"
    """How the learning rate moves: one_cycle up in a line and down along a curve, triangle up and down in lines, step
    divides by 10 twice, plateau divides by 10 when the validation loss stalls, constant stays."""
    label_smoothing: float = 0.0
    """The share of certainty taken from the true class and spread over all."""
    dropout: float = 0.5
    """The probability with which a unit of the linear layers is switched off during a step."""
    batch_norm: bool = True
    """Normalise each feature map over the batch; only alexnet_mini can be had with and without."""
    whiten: bool = False
    """Start the first filters as the directions in which small patches of the training pictures vary, so that no step
    is spent on finding them."""
    identity: bool = False
    """Start each further convolution so that it hands on the maps it takes, as far as it has filters for them, so that
    what the first filters see reaches the last layer from the first step."""
    freeze_first: bool = False
    """Keep the first filters, and the normalisation behind them, as they begin, and let all others learn: what does not
    learn takes no time, and filters that whiten computed are good enough for a short training (Jordan 2024,
    arXiv:2404.00498, section 3.2)."""
    averaging: float = 0.0
    """Use the running mean of the weights in their place: the share of the mean that is kept at each step; 0 uses the
    weights themselves."""
    translate: float = 0.125
    """Shift the picture by up to this share of its side."""
    reflect: bool = True
    """Mirror half of the pictures left to right, and the other half in the next epoch; off for pictures that are not
    theirs when mirrored, such as digits."""
    colour: float = 0.1
    """Strength of the paper's colour change along the principal axes of the colours (section 4.1)."""
    rotate: float = 0.0
    """Turn the picture by up to this many degrees."""
    scale: float = 0.0
    """Enlarge or shrink the picture by up to this share."""
    views: str = "one"
    """From how much of each picture the test at the end takes its answer: from one view; mirrored, the mean of the
    picture and its mirror image; or ten, these from the middle and from four corners (section 4.1 of the paper). A
    recipe's ten are one where pictures are not mirrored."""
    erase: float = 0.0
    """Cover a rectangle with the mean colour in this share of the pictures (random erasing, Zhong et al. 2020): no
    single part is enough then to know a thing by."""
    balance: str = "none"
    """What is done where classes have unequal numbers of pictures: none; loss counts a mistake in a rare class for
    more; sampling shows all classes equally often, so the pictures of rare ones again and again."""
    shuffle_labels: bool = False
    """Give the training pictures each other's classes by chance: nothing can be learned but by heart. A control for
    explanations, which should look unlike those of a network that has understood something."""
    seed: int = 0
    """The number from which all chance is drawn: same seed, same settings, same run."""
    device: str = "auto"
    """Where to compute: auto takes a CUDA GPU, else Apple's GPU, else the processor."""
    precision: str = "auto"
    """How numbers are kept while computing, in 32 or 16 bits: auto takes what a few timed steps show to be fastest."""
    threads: int = 0
    """Processor threads; 0 takes as many as a few timed steps show to be fastest."""
    memory_format: str = "auto"
    """How the numbers of a map lie in memory: channels_last, all channels of a pixel together, contiguous, map after
    map, or auto, what a few timed steps show to be fastest."""
    compile: str = "auto"
    """Translate the network into a program of its own first, which takes about a minute: auto does so only where train
    --measure has shown that it saves more than that within the run."""

    def __post_init__(self) -> None:
        """Raises ExplorerError for a value that no run can have."""
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ExplorerError(
                    f"{label(name)} {getattr(self, name)!r:.60} is unknown; choose one of: {', '.join(allowed)}."
                )
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            # Written so that nan, which compares false with everything, is refused too.
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ExplorerError(f"{label(name)} must lie between {low:g} and {high:g}, not {value!r:.60}.")

    def steps_per_epoch(self, train_images: int) -> int:
        """Steps of one pass; the pictures left over when it does not divide evenly are others in each epoch."""
        return max(1, train_images // self.batch_size)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainConfig":
        """Read settings back. Raises ExplorerError for a setting that does not exist or has the wrong kind of value."""
        kinds = {field.name: type(field.default) for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - set(kinds))
        if unknown:
            raise ExplorerError(
                f"There is no setting called {unknown[0]!r:.60}; the settings may come from another version."
            )
        converted: dict[str, Any] = {
            name: _as_float(value) if kinds[name] is float and type(value) is int else value
            for name, value in values.items()
        }
        for name, value in converted.items():
            if type(value) is not kinds[name]:
                raise ExplorerError(
                    f"{label(name)} cannot be {value!r:.60}; a value like {getattr(cls, name)!r} is expected."
                )
        return cls(**converted)


def _as_float(value: int) -> float:
    """`value`, or infinity where it has more digits than a float can hold: its bounds then refuse it."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


BOUNDS: dict[str, tuple[float, float]] = {
    "epochs": (0, 10_000),
    "batch_size": (0, 65_536),
    "layer_lr": (0.01, 1),
    "copy_layers": (0, 1000),
    "lr": (1e-7, 100),
    "bias_lr": (1, 1000),
    "momentum": (0, 0.999),
    "weight_decay": (0, 1),
    "label_smoothing": (0, 0.9),
    "dropout": (0, 0.95),
    "averaging": (0, 0.9999),
    "translate": (0, 0.5),
    "colour": (0, 1),
    "rotate": (0, 180),
    "scale": (0, 0.5),
    "erase": (0, 1),
    "seed": (0, 2**31 - 1),
    "threads": (0, 1024),
}
"""The least and the largest value of each number, the same for the form, the command and a file."""


LABELS = {
    "lr": "Learning rate",
    "bias_lr": "Learning rate of biases",
    "layer_lr": "Learning rate of earlier layers",
    "freeze_first": "Freeze the first filters",
    "translate": "Shift (translate)",
    "reflect": "Mirror (reflect)",
    "rotate": "Turn (rotate)",
}
"""Of fields whose names are abbreviations, or are called by a plainer word where their pictures are shown."""


def label(name: str) -> str:
    """A field's name as people read it."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


@cache
def explanations() -> dict[str, str]:
    """The sentence under each field of TrainConfig, by field name; read from this file's own text."""
    body = ast.parse(textwrap.dedent(inspect.getsource(TrainConfig))).body[0]
    assert isinstance(body, ast.ClassDef)
    texts: dict[str, str] = {}
    for node, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(after, ast.Expr):
            assert isinstance(after.value, ast.Constant)
            texts[node.target.id] = " ".join(str(after.value.value).split())
    return texts
