"""The honesty panel beside a map: five tests of how far to believe it, each computed when it is chosen."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from alexnet_core.insight.attribution import ATTRIBUTIONS
from alexnet_core.insight.faithfulness import RADIUS, SQUARES
from alexnet_core.insight.scrambling import Step, Verdict, verdict
from app.answers import Asked
from app.explaining import findings, honesty_checks
from app.explaining.pixels_away import pixels_away
from app.figures.likeness import likeness
from app.figures.palette import NO_TOOLBAR
from app.sentences import plain
from app.session import Picture, SharedNetwork


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


ICONS: dict[Verdict, str] = {
    "notices": ":material/check_circle:",
    "hardly notices": ":material/warning:",
    "cannot tell": ":material/help:",
}


def _scramble(asked: Asked, key: str) -> None:
    if not _wanted(asked, "scramble", key, "Scramble the network"):
        return
    bar = st.empty()
    steps = honesty_checks.scrambled(
        asked,
        lambda share: bar.progress(share, "Scrambling, layer by layer"),
        lambda: bar.progress(0.0, "Waiting: one network is scrambled at a time, and someone asked before you."),
    )
    bar.empty()
    said = verdict(steps)
    (st.warning if said == "hardly notices" else st.info)(findings.scrambled(steps), icon=ICONS[said])
    st.image(honesty_checks.cascade_drawn(asked, steps), width="stretch", alt=findings.what_the_cascade_shows(steps))
    st.caption(f"Each step draws more layers anew, from the top: {_order(steps)}. Each map has its own scale.")
    alike = [step.rank_correlation for step in steps], [step.similarity for step in steps]
    st.plotly_chart(
        likeness(honesty_checks.step_names(steps), *alike),
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
            st.markdown(findings.level(unexplained.unexplained, findings.GOOD, findings.POOR, findings.FORETELLS))
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
        st.markdown(findings.level(change, findings.STEADY, findings.SHAKY, findings.STAYS))
        st.caption(
            f"The picture is changed by at most {RADIUS} of 255 a colour value, which nobody sees, and the map is "
            "computed again. A map that changes much tells of the noise as well."
        )
    st.caption("*Yeh et al. 2019, arXiv:1901.09392; both numbers computed by Captum.*")


# -- beside another map --------------------------------------------------------------------------------------------


def _runner_up(asked: Asked, key: str) -> None:
    if not _wanted(asked, "runner_up", key, "Explain the runner-up"):
        return
    with st.spinner("Explaining the runner-up"):
        other = honesty_checks.runner_up(asked)
    if other is None:
        st.info("There is no third class to ask about.", icon=":material/help:")
        return
    own, name = (plain(question.target_name) for question in (asked, other.asked))
    _side_by_side(asked, other, f"Why {name}")
    _say_alike(other.correlation, lambda correlation: findings.runner_up(correlation, own, name))


def _say_alike(correlation: float | None, words: Callable[[float], str]) -> None:
    """How alike two maps are, and what that means."""
    if correlation is None:
        st.info(findings.SAME_EVERYWHERE, icon=":material/help:")
    else:
        st.markdown(f"Rank correlation **{correlation:.2f}**. {words(correlation)}")


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
        lambda correlation: findings.level(correlation, findings.APART, findings.ALIKE, findings.NONSENSE),
    )


def _side_by_side(asked: Asked, other: honesty_checks.Beside, caption: str) -> None:
    own = honesty_checks.own_map(asked)
    for column, question, explained, text in zip(
        st.columns(2, gap="medium", wrap=False),
        (asked, other.asked),
        (own, other.explained),
        (f"Why {plain(asked.target_name)}", caption),
        strict=True,
    ):
        column.image(
            honesty_checks.drawn(asked, explained),
            caption=text,
            width="stretch",
            alt=f"The picture coloured by how its places speak for {question.target_name}.",
        )
