"""The three doors of the home page."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Door:
    """A way from the home page into the program."""

    title: str
    text: str
    button: str
    help: str
    icon: str
    page: str
    kind: Literal["primary", "secondary"] = "secondary"


DOORS = (
    Door(
        "Train",
        "Choose pictures, press Start, and watch the curves fall and the filters form. The first run takes a "
        "minute or two.",
        "Train a network",
        "Opens the page Train with everything filled in.",
        ":material/model_training:",
        "views/train.py",
        "primary",
    ),
    Door(
        "Look inside",
        "See the filters a network has learned, and what every layer answers to a picture of yours.",
        "Look inside a network",
        "Opens the page Look inside.",
        ":material/search:",
        "views/look_inside.py",
    ),
    Door(
        "Explain a picture",
        "Upload a photograph, see what the network says, and ask in many ways why it says so.",
        "Explain a picture",
        "Opens the page Predict and explain.",
        ":material/image_search:",
        "views/explain.py",
    ),
)
