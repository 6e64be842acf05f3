"""The honesty panel beside a map: five tests of how far to believe it, each computed when it is chosen."""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import numpy as np
import streamlit as st

from alexnet_core.insight.attribution import ATTRIBUTIONS
from alexnet_core.insight.faithfulness import RADIUS, SQUARES
from alexnet_core.insight.scrambling import Step, Verdict, halfway, verdict
from app.answers import Asked
from app.explaining import honesty_checks
from app.explaining.pixels_away import pixels_away
from app.figures.likeness import likeness
from app.figures.mosaic import mosaic
from app.sentences import plain
from app.session import Picture, SharedNetwork

NO_TOOLBAR = {"displayModeBar": False}
TILE = 150
"""Pixels of a map in the row of scrambled ones."""
STEADY, SHAKY = 0.15, 0.5
"""Relative change of a map among pictures that look the same: below the first it hardly moves, above the second half of
it is another map."""
GOOD, POOR = 0.35, 0.75
"""Share of the answer's changes that a map leaves unexplained: below the first it foretells most, above the second next
to nothing."""
APART, ALIKE = 0.3, 0.8
"""Rank correlation of the maps of two classes: below the first they differ, above the second the map hardly depends on
the class."""


def honesty_panel(
    shared: SharedNetwork,
    picture: Picture,
    method: str,
    target: int,
    key: str,
    against: int | None = None,
    settings: tuple[tuple[str, Any], ...] = (),
) -> None:
    """Draw the tests of one map into the container at hand; `key` keeps the widgets of several panels apart."""
    asked = Asked(shared, picture, method, target, against, settings)
    tests: dict[str, tuple[str, Callable[[Asked, str], None]]] = {
        "scramble": ("Scramble the network", _scramble),
        "pixels": ("Take its pixels away", _pixels),
        "faithful": ("Does it foretell, does it stay", _faithful),
        "runner_up": ("The runner-up", _runner_up),
        "shuffled": ("Learned nonsense", _shuffled),
    }
    chosen = st.segmented_control(
        "How far to believe it",
        list(tests),
        default="scramble",
        required=True,
        format_func=lambda name: tests[name][0],
        key=f"honesty-{key}",
        help="A map always looks as if it meant something. Each of these asks whether it does.",
    )
    tests[chosen][1](asked, key)


def _wanted(asked: Asked, test: str, key: str, label: str) -> bool:
    """Whether to compute: at once for a quick method, after a press of the button for a slow one."""
    wanted: set[object] = st.session_state.setdefault("honesty_wanted", set())
    question = (test, *asked.key)
    if ATTRIBUTIONS[asked.method].slow and question not in wanted:
        if not st.button(
            label,
            key=f"{test}-{key}",
            icon=":material/play_arrow:",
            help="This method is slow, and is asked several times; that may take a minute. The result is kept.",
        ):
            return False
        wanted.add(question)
    return True


# -- scrambling ----------------------------------------------------------------------------------------------------


VERDICTS: dict[Verdict, tuple[str, str]] = {
    "notices": (
        ":material/check_circle:",
        "The map **notices**: with the upper half of the network scrambled it is another one. So it depends on what "
        "the network learned.",
    ),
    "hardly notices": (
        ":material/warning:",
        "The map **hardly notices**: with the upper half of the network scrambled, where nothing it learned about "
        "classes is left, it looks much the same. It shows the picture's edges more than the network's reasons.",
    ),
    "cannot tell": (
        ":material/help:",
        "**Cannot tell**: the map neither stays nor changes clearly, or nothing comes through the scrambled network.",
    ),
}


def _likeness_there(draws: Sequence[float]) -> str:
    if not draws:
        return ""
    return (
        f"Structural similarity there: {fmean(draws):.2f} of 1, the mean of {len(draws)} draws "
        f"({min(draws):.2f} to {max(draws):.2f})."
    )


def _scramble(asked: Asked, key: str) -> None:
    if not _wanted(asked, "scramble", key, "Scramble the network"):
        return
    bar = st.empty()
    steps = honesty_checks.scrambled(asked, lambda share: bar.progress(share, "Scrambling, layer by layer"))
    bar.empty()
    icon, words = VERDICTS[verdict(steps)]
    (st.warning if "hardly" in words else st.info)(f"{words} {_likeness_there(halfway(steps).draws)}", icon=icon)
    names = ["trained", *(f"{place}" for place in range(1, len(steps)))]
    maps = [honesty_checks.drawn(asked, step.explained).resize((TILE, TILE)) for step in steps]
    st.image(
        mosaic(np.stack([np.asarray(one) for one in maps]), 5, TILE, names),
        width="stretch",
        alt=f"The map of the trained network and after each of {len(steps) - 1} steps of scrambling.",
    )
    st.caption(f"Each step draws more layers anew, from the top: {_order(steps)}. Each map has its own scale.")
    st.plotly_chart(
        likeness(names, [step.rank_correlation for step in steps], [step.similarity for step in steps]),
        config=NO_TOOLBAR,
        key=f"likeness-{key}",
        alt="How alike the map stays to the one of the trained network, step by step.",
    )
    st.caption(
        "Structural similarity compares brightness, contrast and structure in small windows; rank correlation asks "
        "whether the pixels stay in the same order, whatever their sign. 1 is the same map, 0 an unrelated one. "
        "*Adebayo et al. 2018, arXiv:1810.03292; Wang et al. 2004*"
    )


def _order(steps: list[Step]) -> str:
    """The uppermost layer that each step draws anew."""
    return ", ".join(f"`{name}`" for step in steps[1:] for name in step.layers[:1])


def _pixels(asked: Asked, key: str) -> None:
    if _wanted(asked, "pixels", key, "Take its pixels away"):
        pixels_away(asked, key)


# -- infidelity and sensitivity ------------------------------------------------------------------------------------


def _faithful(asked: Asked, key: str) -> None:
    if not _wanted(asked, "faithful", key, "Measure"):
        return
    with st.spinner("Hiding squares, and asking again about pictures that look the same"):
        unexplained, change = honesty_checks.infidelity(asked), honesty_checks.sensitivity(asked)
    what = "the logit" if asked.against is None else "the difference of the two logits"
    foretells, stays = st.columns(2, gap="large")
    with foretells:
        if unexplained is None:
            st.metric("Changes not foretold", "–", help="The map is zero, or the answer never changes.")
        else:
            st.metric(
                "Changes not foretold",
                f"{100 * unexplained.unexplained:.0f} %",
                help="Infidelity, as a share of what a map of zeros would leave unexplained: 0 % is perfect, 100 % "
                "foretells nothing.",
            )
            st.markdown(_level(unexplained.unexplained, GOOD, POOR, FORETELLS))
        st.caption(
            f"{SQUARES} random squares are hidden, and the change of {what} is compared with what the map lets one "
            "expect, read as shares of the answer or as a slope, whichever suits it better, at its best scale."
        )
    with stays:
        st.metric(
            "Change of the map",
            f"{100 * change:.0f} %",
            help="Sensitivity: the largest change among six pictures that look the same, relative to the map's own "
            "length.",
        )
        st.markdown(_level(change, STEADY, SHAKY, STAYS))
        st.caption(
            f"The picture is changed by at most {RADIUS} of 255 a colour value, which nobody sees, and the map is "
            "computed again. A map that changes much tells of the noise as well."
        )
    st.caption("*Yeh et al. 2019, arXiv:1901.09392; both numbers computed by Captum.*")


FORETELLS = (
    "It foretells **most** of what hiding a part does.",
    "It foretells **some** of what hiding a part does.",
    "It foretells **next to nothing** of what hiding a part does.",
)
STAYS = (
    "It **stays** when the picture hardly changes.",
    "It **moves** although the picture hardly changes.",
    "It becomes **another map** although the picture hardly changes.",
)


def _level(value: float, low: float, high: float, words: tuple[str, str, str]) -> str:
    return words[(value > low) + (value > high)]


# -- beside another map --------------------------------------------------------------------------------------------


def _runner_up(asked: Asked, key: str) -> None:
    if not _wanted(asked, "runner_up", key, "Explain the runner-up"):
        return
    with st.spinner("Explaining the runner-up"):
        other = honesty_checks.runner_up(asked)
    name = plain(other.explained.target_name)
    _side_by_side(asked, other, f"Why {name}")
    _say_alike(
        other.correlation,
        (
            "The two maps **differ**: each says something about its own class.",
            "The two maps are **partly alike**.",
            f"The two maps are **nearly the same**: this one says as much about {name} as about "
            f"{plain(asked.shared.network.classes[asked.target])}. It marks what matters at all, not what "
            "speaks for the class.",
        ),
    )


def _say_alike(correlation: float | None, words: tuple[str, str, str]) -> None:
    """How alike two maps are, and what that means: for maps that differ, are partly alike, are nearly the same."""
    if correlation is None:
        st.info("One of the maps is the same everywhere; they cannot be compared.", icon=":material/help:")
    else:
        st.markdown(f"Rank correlation **{correlation:.2f}**. " + _level(correlation, APART, ALIKE, words))


def _shuffled(asked: Asked, key: str) -> None:
    run = honesty_checks.shuffled_run(asked.shared)
    if run is None:
        st.info(
            "There is no such control yet. Train the same network on the same data with the recipe “By heart”, on the "
            "page Train: it then learns pictures by heart and nothing about classes.",
            icon=":material/shuffle:",
        )
        return
    if not _wanted(asked, "shuffled", key, "Ask the network that learned nonsense"):
        return
    with st.spinner("Asking the network that learned nonsense"):
        other = honesty_checks.of_shuffled(asked, run)
    _side_by_side(asked, other, f"Labels were shuffled: {plain(run.title())}")
    _say_alike(
        other.correlation,
        (
            "The map **differs** from that of a network that learned nothing sensible, as it should.",
            "The map is **partly** that of a network that learned nothing sensible.",
            "The map is **nearly that of a network that learned nothing sensible**: do not read reasons into it.",
        ),
    )


def _side_by_side(asked: Asked, other: honesty_checks.Beside, caption: str) -> None:
    own = honesty_checks.own_map(asked)
    for column, explained, text in zip(
        st.columns(2, gap="medium", wrap=False),
        (own, other.explained),
        (f"Why {plain(own.target_name)}", caption),
        strict=True,
    ):
        column.image(
            honesty_checks.drawn(asked, explained),
            caption=text,
            width="stretch",
            alt=f"The picture coloured by how its places speak for {explained.target_name}.",
        )
