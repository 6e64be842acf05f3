"""The film of a training to take home: animated pictures that play anywhere."""

from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from app.figures import moments
from app.figures.ink import LIGHT, Paper
from app.inside.run_history import History
from app.inside.time_machine import Drawn, drawn_filters


def filters_gif(past: History) -> bytes:
    """The filters growing, with the step under them."""
    frames = [
        moments.panel([drawn_filters(filters)], ["First filters"], f"Step {step:,}", LIGHT)
        for step, filters in zip(past.steps, past.filters, strict=True)
    ]
    return moments.gif(frames)


def panel_gif(past: History, drawn: Sequence[Drawn], paper: Paper) -> bytes:
    """All drawings side by side and the curves below them, moving together."""
    frames = []
    for step, one in zip(past.steps, drawn, strict=True):
        pictures = {
            "First filters": one.filters,
            "Maps": one.maps,
            "Why": one.why,
            "Last hidden layer": one.plane,
            "Taken for": one.matrix,
        }
        opened = {title: Image.open(BytesIO(data)) for title, data in pictures.items() if data is not None}
        charts = [Image.open(BytesIO(data)) for data in one.courses]
        says = f"  It says {one.says}" if one.says else ""
        frames.append(moments.panel(list(opened.values()), list(opened), past.at(step) + says, paper, charts))
    return moments.gif(frames)
