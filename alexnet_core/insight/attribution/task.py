"""What a method of attribution is: its entry in the table, its settings, and the task it is given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite, prod

import numpy as np
import torch
from torch import nn

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.operations import operations
from alexnet_core.models import Network
from alexnet_core.precision import fastest

Facts = dict[str, float | int | str]
Value = float | int | str
Progress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1."""


@dataclass(frozen=True)
class Setting:
    """Something about a method that one may choose."""

    name: str
    title: str
    """For the screen."""
    help: str
    """One or two sentences for people."""
    default: Value | None
    """Its type is the setting's type. None: text that depends on the network, the last one of `choices_of`."""
    choices: tuple[str, ...] | None = None
    """Of a text: what it can be."""
    least: float | None = None
    most: float | None = None
    """Of a number: its bounds, both possible."""
    choices_of: Callable[[Network], tuple[str, ...]] | None = None
    """Of a text that depends on the network: what it can be. Hold the network's lock."""

    def checked(self, network: Network, value: object) -> Value | None:
        """`value` as the setting's type. Raises ExplorerError where it is none of the choices or out of bounds."""
        if value is None and self.default is None:
            return None
        if isinstance(self.default, int | float):
            return self._number(value)
        choices = self.choices if self.choices_of is None else self.choices_of(network)
        if not isinstance(value, str) or (choices is not None and value not in choices):
            some = ", ".join((choices or ())[:8]) + (", ..." if len(choices or ()) > 8 else "")
            raise ExplorerError(f"{self.title} ({self.name}) cannot be {value!r:.80}; choose one of: {some}.")
        return value

    def _number(self, value: object) -> float | int:
        whole = isinstance(self.default, int)
        try:
            number = float(value)  # type: ignore[arg-type]  # a text from a command, or what a caller gave
        except (TypeError, ValueError, OverflowError):
            number = float("nan")
        fits = isfinite(number) and (not whole or number == int(number)) and not isinstance(value, bool)
        least, most = self.least, self.most
        if not fits or (least is not None and number < least) or (most is not None and number > most):
            kind = "a whole number" if whole else "a number"
            raise ExplorerError(
                f"{self.title} ({self.name}) must be {kind} from {least:.10g} to {most:.10g}, not {value!r:.80}."
            )
        return int(number) if whole else number


class Score(nn.Module):
    """The number that is explained: images (N, 3, S, S) -> (N, 1), the target's logit, less that of a second class."""

    def __init__(self, model: nn.Module, target: int, against: int | None) -> None:
        super().__init__()
        self.model, self.target, self.against = model, target, against
        self.training = False

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The score of each picture."""
        return self.of(self.model(images))

    def of(self, logits: torch.Tensor) -> torch.Tensor:
        """logits (N, K) -> (N, 1)."""
        score = logits[:, self.target, None]
        return score if self.against is None else score - logits[:, self.against, None]


MAPS_AT_ONCE = 512 * 2**20
"""Bytes that all maps of the pictures in one pass may take, for the way back needs nearly all of them. A picture of 224
pixels has 4 MB of them in `alexnet` and, by its layer table, 110 MB in VGG-16: twenty-five would take 2.8 GB."""


@dataclass(frozen=True)
class Task:
    """What a method is asked to explain."""

    network: Network
    image: torch.Tensor
    """The preprocessed picture, (1, 3, S, S), on the network's device; its own copy, which a method may change."""
    target: int
    progress: Progress
    against: int | None = None
    settings: dict[str, Value | None] = field(default_factory=dict)
    """Every setting of the method, checked."""
    references: torch.Tensor | None = None
    """Pictures of the data set, uint8 (n, S, S, 3), on the CPU: prepared only once some of them are chosen, for two
    hundred of 224 pixels would take 120 MB. None where none are at hand."""

    @property
    def score(self) -> Score:
        """The network, reduced to the number that is explained; Captum's target of it is 0."""
        return Score(self.network.model, self.target, self.against)

    def number(self, name: str) -> int:
        """The whole number that was set as `name`."""
        value = self.settings[name]
        assert isinstance(value, int)
        return value

    def real(self, name: str) -> float:
        """The number that was set as `name`."""
        value = self.settings[name]
        assert isinstance(value, int | float)
        return float(value)

    def text(self, name: str) -> str:
        """The text that was set as `name`."""
        value = self.settings[name]
        assert isinstance(value, str)
        return value

    @property
    def kind(self) -> torch.dtype:
        """The precision that the setting `precision` stands for."""
        return torch.float32 if self.text("precision") == "fp32" else fastest(self.image.device)

    def at_once(self, most: int) -> int:
        """How many pictures may pass together, and back: at most `most`, fewer where a picture's maps are large."""
        numbers = sum(prod(step.shape) for step in operations(self.network).steps)
        return max(1, min(most, MAPS_AT_ONCE // (4 * max(1, numbers))))

    def chance(self) -> torch.Generator:
        """Random numbers from the setting `seed`, drawn on the processor: the same on every device, and apart from
        the chance that other threads share."""
        return torch.Generator().manual_seed(self.number("seed"))

    def legacy_chance(self) -> np.random.RandomState:
        """NumPy's old generator from the setting `seed`: what Captum draws from, apart from that of other threads."""
        return np.random.RandomState(self.number("seed"))


@dataclass(frozen=True)
class Method:
    """One line of the table of attribution methods."""

    title: str
    computes: str
    """One sentence: what is computed."""
    says: str
    """What the map can say."""
    silent_on: str
    """What the map cannot say: its known weakness."""
    paper: str
    signed: bool
    """Whether the sign of a value means for (+) and against (-) the class. Where it does not, the map is drawn as
    magnitudes."""
    compute: Callable[[Task], tuple[torch.Tensor, Facts]]
    """Task -> values (1, 3 or 1, S, S) and what is worth knowing about them."""
    group: str
    """What it looks at: "gradients", "contributions" (shares that add up), "activations" or "perturbations"."""
    settings: tuple[Setting, ...] = ()
    again: dict[str, Value] = field(default_factory=dict)
    """Settings of its own for tests that compare many maps of many networks: quicker, and as good for that."""
    compares: bool = False
    """Whether it compares with other pictures: the `references` of `attribute`."""
    slow: bool = False
    """Whether it takes more than about half a second on two cores for `alexnet` at 224 pixels."""
    obstacle: Callable[[Network], str | None] = lambda network: None
    """One sentence on why it cannot work on a network; None where it can. Hold the network's lock."""


SEED = Setting(
    "seed", "Seed", "The start of the random numbers; the same seed gives the same map.", 0, least=0, most=2**31 - 1
)
