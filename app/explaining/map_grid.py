"""The maps of the page Predict and explain, side by side: each on a card, the slow ones when they are asked for."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from alexnet_core.errors import ExplorerError
from alexnet_core.insight.attribution import ATTRIBUTIONS, Attribution
from app import answers
from app.explaining import map_look, method_settings
from app.explaining.compare import Question
from app.explaining.map_look import Look
from app.sentences import plain

COMPUTE = "Takes some seconds, or minutes with a large network. What was computed once is kept."
NARROWEST = 150
"""Pixels of a card: two beside each other on a telephone."""


@dataclass(frozen=True)
class Answered:
    """A map of the grid."""

    question: Question
    answer: Attribution
    png: bytes
    """As shown."""


@dataclass(frozen=True)
class _Card:
    question: Question
    above: DeltaGenerator
    """Where the picture is."""
    below: DeltaGenerator
    """Where the button, the progress or the download is."""


def show(questions: Sequence[Question], look: Look, way: str, beside: DeltaGenerator) -> list[Answered]:
    """The grid: the maps that could be computed. Where several wait to be asked for, `beside` gets a button for all."""
    wanted: set[tuple[Hashable, ...]] = st.session_state.setdefault("asked", set())
    grid = st.grid(3 if len(questions) in (3, 5, 6) else 4, min_column_width=NARROWEST, border=True)
    cards, left_out = [], []
    for place, question in enumerate(questions):
        with grid.cell():
            card = _card(question, look, way)
            asked = card.question.asked
            if answers.why_not(asked.shared, asked.method) is not None:
                continue
            if ATTRIBUTIONS[asked.method].slow and asked.key not in wanted and answers.known(asked) is None:
                left_out.append(asked.key)
                card.below.button(
                    "Compute",
                    key=f"compute-{asked.method}-{place}",
                    on_click=wanted.add,
                    args=(asked.key,),
                    width="stretch",
                    help=COMPUTE,
                )
                continue
            cards.append(card)
    if len(left_out) > 1:
        beside.button(
            f"Compute the {len(left_out)} that wait",
            on_click=wanted.update,
            args=(left_out,),
            help=COMPUTE,
            icon=":material/play_arrow:",
        )
    # All cards stand before the first map is computed: nothing jumps while one waits.
    computed = [(card, answer) for card in cards if (answer := _computed(card, look, wanted)) is not None]
    scale = look.scale([answer for _, answer in computed])
    return [_finished(card, answer, look, scale) for card, answer in computed]


def _card(question: Question, look: Look, way: str) -> _Card:
    """The card with what is known already: the map, else the picture, else why there will be no map."""
    method = ATTRIBUTIONS[question.asked.method]
    st.markdown(f"**{plain(question.label)}**", help=f"{method.computes} {method.paper}")
    above, below = st.empty(), st.empty()
    reason = answers.why_not(question.asked.shared, question.asked.method)
    if reason is not None:
        below.info(plain(reason), icon=":material/block:")
    if way == "methods":
        if method.settings and reason is None:
            with st.popover("Settings", icon=":material/tune:", width="stretch", help="How this map is computed."):
                settings = method_settings.ask(question.asked.shared, question.asked.method)
            question = question.labelled(question.label, settings=settings)
        with st.expander("What it says", icon=":material/balance:", type="compact"):
            st.caption(f"**Can say:** {method.says}\n\n**Cannot say:** {method.silent_on}")
    card = _Card(question, above, below)
    known = answers.known(question.asked)
    if known is not None:
        _draw(card, map_look.drawn(question.asked, known, look, None), known)
    else:
        ground = answers.square(question.network.preprocessing, question.asked.picture)
        above.image(ground, width="stretch", alt="The picture, not explained yet.")
    return card


def _computed(card: _Card, look: Look, wanted: set[tuple[Hashable, ...]]) -> Attribution | None:
    """The map, with its progress on the card and, of slow ones, a button to stop; None where it cannot be computed."""
    asked = card.question.asked
    known = answers.known(asked)
    if known is not None:
        return known
    method = ATTRIBUTIONS[asked.method]
    with card.below.container():
        bar = st.progress(0.0, f"Computing {method.title}")
        if method.slow:
            st.button(
                "Stop",
                key=f"stop-{hash(asked.key)}",
                icon=":material/stop:",
                on_click=wanted.discard,
                args=(asked.key,),
                help="Gives up this map; the others stay.",
                width="stretch",
            )
    watching = answers.Watching(
        progress=lambda share: bar.progress(share, f"Computing {method.title}"),
        waiting=lambda sentence: bar.progress(0.0, sentence),
        sketch=lambda coarse: _draw(card, map_look.painted(asked, coarse, look), coarse),
    )
    try:
        answer = answers.explained(asked, watching)
    except ExplorerError as error:
        card.below.error(plain(str(error)), icon=":material/error:")
        return None
    _draw(card, map_look.drawn(asked, answer, look, None), answer)
    return answer


def _finished(card: _Card, answer: Attribution, look: Look, scale: float | None) -> Answered:
    """The card with its map, in the scale of all, and what can be done with it."""
    png = map_look.drawn(card.question.asked, answer, look, scale)
    if scale is not None:
        _draw(card, png, answer)
    with card.below.container():
        st.caption(look.legend(answer))
        st.download_button(
            "Download PNG",
            png,
            file_name=f"{answer.method}.png",
            mime="image/png",
            key=f"download-{hash((card.question.label, card.question.asked.key))}",
            icon=":material/download:",
            help="The picture with this map, as shown.",
            on_click="ignore",
            width="stretch",
        )
    return Answered(card.question, answer, png)


def _draw(card: _Card, shown: bytes | Image.Image, answer: Attribution) -> None:
    card.above.image(
        shown,
        width="stretch",
        alt=f"{ATTRIBUTIONS[answer.method].title}: the picture coloured by how its places speak for "
        f"{card.question.asked.target_name}.",
    )
