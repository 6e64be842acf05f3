"""How attribution maps become pictures on the page Predict and explain: which values, which colours, which scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from PIL import Image

from alexnet_core.insight import colours
from alexnet_core.insight.attribution import ATTRIBUTIONS, Attribution
from app import answers
from app.answers import Asked
from app.store import Store

SHOWN = {
    "own": "As the method means it",
    "signed": "For and against",
    "positive": "Only for",
    "negative": "Only against",
    "absolute": "Only how strong",
}
CHANNELS: dict[str, int | None] = {"All together": None, "Red": 0, "Green": 1, "Blue": 2}
"""By name: to Streamlit an option that is None is nothing chosen."""
OPACITY = 70
"""Percent at first: the map is clear, and the picture can still be made out."""


@dataclass(frozen=True)
class Look:
    """How maps are drawn."""

    show: str = "own"
    """One of `colours.SHOWN`."""
    channel: int | None = None
    """Red, green or blue alone."""
    one_scale: bool = False
    """The same value has the same colour on every map."""
    opacity: float = OPACITY / 100

    def reading(self, answer: Attribution) -> colours.Reading:
        """The numbers that are shown."""
        return colours.read(answer.values, ATTRIBUTIONS[answer.method].signed, self.show, self.channel)

    def scale(self, answers: Sequence[Attribution]) -> float | None:
        """The value with the full colour where all maps share one; None where each has its own."""
        if not (self.one_scale and answers):
            return None
        return max(colours.full_scale(self.reading(answer).flat) for answer in answers)

    def legend(self, answer: Attribution) -> str:
        """What the colours mean."""
        if not self.reading(answer).around_zero:
            return "Yellow: strong. Violet: weak."
        if not ATTRIBUTIONS[answer.method].signed:
            signs = {"positive": "Orange: above zero.", "negative": "Blue: below zero."}
            return (
                f"{signs.get(self.show, 'Orange: above zero, blue: below.')} The sign is not for or against the class."
            )
        return {
            "positive": "Orange speaks for the class.",
            "negative": "Blue speaks against the class.",
        }.get(self.show, "Orange speaks for the class, blue against.")


def choose() -> Look:
    """The controls, folded into one button."""
    with st.popover("Colours and scale", icon=":material/palette:", help="How the maps below are drawn."):
        share = st.slider(
            "Opacity of the maps",
            0,
            100,
            OPACITY,
            5,
            format="%d %%",
            key="opacity",
            help="0 % shows the picture alone, 100 % the map alone.",
            persist_state="session",
        )
        show = st.selectbox(
            "Show",
            list(SHOWN),
            format_func=SHOWN.__getitem__,
            key="shown_values",
            help="Some methods have signs that mean for and against the class, others only say how strong. Any of them "
            "can be read the other way.",
            persist_state="session",
        )
        channel = st.selectbox(
            "Colour of the picture",
            list(CHANNELS),
            key="shown_channel",
            help="Many methods have a value for each colour of each pixel: look at one of the three alone. Maps with "
            "one value a pixel stay as they are.",
            persist_state="session",
        )
        one_scale = st.toggle(
            "One scale for all maps",
            key="one_scale",
            help="The same number gets the same colour on every map. Fair between classes, layers and moments; numbers "
            "of different methods have different units.",
            persist_state="session",
        )
    return Look(show, CHANNELS[channel], one_scale, share / 100)


def drawn(asked: Asked, answer: Attribution, look: Look, scale: float | None) -> bytes:
    """The full map over its picture as a PNG file, at the size of the screen."""
    key = (asked.key, look, scale)
    return _drawings().get(key, lambda: answers.png(painted(asked, answer, look, scale)))


def painted(asked: Asked, answer: Attribution, look: Look, scale: float | None = None) -> Image.Image:
    """A map, coarse or full, over its picture."""
    ground = answers.square(asked.shared.network.preprocessing, asked.picture)
    return colours.paint(ground, look.reading(answer), look.opacity, scale)


@st.cache_resource
def _drawings() -> Store:
    """About 0.3 MB each."""
    return Store(100)
