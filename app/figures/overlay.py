"""Curves of several runs on one pair of axes: the raw values always, smoothed ones beside them where asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from app.figures.curves import MOST_POINTS
from app.figures.palette import TEXT, plain, titled_figure

MOST = 8
"""Runs: as many as there are colours that can be told apart."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "triangle-down")
SIGNS = ("●", "■", "◆", "▲", "✕", "✚", "★", "▼")
"""The symbols as letters, for the text beside the figure."""
MARKED = 12
"""Markers along a line: a sign to find it by, not a value each."""
HEIGHT = 430
LONGEST_NAME = 34
"""Letters of a name in the legend; on a telephone a longer one leaves no room for the curves."""


@dataclass(frozen=True)
class Course:
    """One run's values along the axis."""

    name: str
    at: Sequence[float]
    values: Sequence[float]
    place: int
    """Which colour, dash and sign: the run's place among those compared, from 0."""


def overlay(
    courses: Sequence[Course], title: str, along: str, percent: bool = False, smoothing: float = 0.0
) -> go.Figure:
    """Each run with a colour, a dash and a sign of its own. With `smoothing`, the share of the running mean that is
    kept at each point, the raw line stays as a thin pale one beside the smoothed one."""
    fig = titled_figure(
        HEIGHT,
        title,
        legend={"orientation": "h", "yanchor": "top", "y": -0.2, "xanchor": "left", "x": 0, "font": TEXT},
        hovermode="closest",
    )
    number = "%{y:.1%}" if percent else "%{y:.3g}"
    for course in courses:
        name = plain(course.name if len(course.name) <= LONGEST_NAME else course.name[: LONGEST_NAME - 1] + "…")
        colour, dash, symbol = marks(course.place)
        hover = f"{name}<br>{number} at {along} %{{x:.4g}}<extra></extra>"
        places = _thinned(len(course.values))
        at = [course.at[place] for place in places]
        raw = [course.values[place] for place in places]
        marker = {"size": 9, "symbol": symbol, "maxdisplayed": MARKED, "color": colour}
        clear = {"width": 2.5, "color": colour, "dash": dash}
        if smoothing:
            even = smoothed(course.values, smoothing)
            fig.add_scatter(
                x=at, y=raw, name=f"{name}, raw", mode="lines", showlegend=False, opacity=0.4,
                line={"width": 1, "color": colour}, hovertemplate=hover, legendgroup=str(course.place),
            )  # fmt: skip
            raw = [even[place] for place in places]
        fig.add_scatter(
            x=at, y=raw, name=name, mode="lines+markers", marker=marker, line=clear, hovertemplate=hover,
            legendgroup=str(course.place), cliponaxis=False,
        )  # fmt: skip
    fig.update_xaxes(title={"text": along, "standoff": 4}, rangemode="tozero", zeroline=False)
    fig.update_yaxes(tickformat=".0%" if percent else None, rangemode="normal" if percent else "tozero")
    return fig


def marks(place: int) -> tuple[str, str, str]:
    """(colour, dash, symbol) of the run at `place`. The colours are the theme's, which Streamlit puts in place of these
    values: Okabe and Ito's, lighter in the dark."""
    return f"#00000{place % MOST + 1}", DASHES[place % len(DASHES)], SYMBOLS[place % MOST]


def smoothed(values: Sequence[float], kept: float) -> list[float]:
    """The running mean of which the share `kept` stays at each point, without the pull to zero at the beginning (as in
    Adam, Kingma and Ba 2014, section 3)."""
    mean, weight, result = 0.0, 0.0, []
    for value in values:
        mean = kept * mean + (1 - kept) * value
        weight = kept * weight + (1 - kept)
        result.append(mean / weight)
    return result


def _thinned(count: int) -> list[int]:
    """Every so many-th place, the last one always."""
    step = -(-count // MOST_POINTS) or 1
    return list(range(count - 1, -1, -step))[::-1]
