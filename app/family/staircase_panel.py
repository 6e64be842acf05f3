"""The staircase on the page The family: AlexNet mini and its successors trained alike, as a chart over the minutes."""

import streamlit as st

from alexnet_core.data.sources import available, prepare
from alexnet_core.devices import threads_beside_pages
from alexnet_core.runs import staircase, stairs
from alexnet_core.runs.climbed import Climbed
from alexnet_core.runs.staircase import Staircase, list_staircases
from alexnet_core.runs.stairs import OVERHEAD, STAIRS, Budget
from app.datasets import offers, size_for
from app.family.ascents import ascents, rows
from app.figures.climbing import accuracy_over_minutes
from app.figures.palette import NO_TOOLBAR
from app.sentences import plain, sentences_for_people
from app.words import amount, duration, progress

TICK = 3.0
"""Seconds between two looks at a staircase that is being climbed."""
SIZE = 32
"""Pixels of the pictures, where they are prepared for this: with larger ones a minute is too short."""
MINUTES = (0.5, 1.0, 2.0, 5.0, 10.0)


def show() -> None:
    """The newest staircase with its chart, and the form for another one."""
    st.markdown(
        "Six small networks of about the same multiply-adds, AlexNet of 2012 and five with an idea that it did not "
        "have, learn from the same pictures with the same recipe, for the same time or the same arithmetic. Each does "
        "so with several seeds, for a single run may be lucky."
    )
    found = list_staircases()
    if found:
        chosen = _choose(found)
        going_on = chosen.going_on()
        # The timer lives in the browser; without a time it is off.
        st.fragment(_course, run_every=TICK if going_on else None)(chosen, going_on)
    with st.expander("Start a new staircase", icon=":material/stairs:", expanded=not found):
        _form()


def _choose(found: list[Staircase]) -> Staircase:
    by_id = {one.id: one for one in found}
    if len(found) == 1:
        return found[0]
    name = st.selectbox(
        "Staircase",
        list(by_id),
        format_func=lambda name: _title(by_id[name]),
        key="staircase",
        help="The newest comes first. Their runs are also on the page Runs.",
        persist_state="session",
    )
    return by_id[name]


def _title(one: Staircase) -> str:
    asked = one.asked()
    return f"{asked.data.title}, {_budget(asked.budget)}, {asked.created[:16].replace('T', ' ')}"


def _budget(budget: Budget) -> str:
    each = duration(60 * budget.minutes) if budget.minutes else f"{amount(budget.multiply_adds)} multiply-adds"
    return f"{each} a run"


def _course(chosen: Staircase, was_going_on: bool) -> None:
    with sentences_for_people():
        asked, results, going_on = chosen.asked(), chosen.results(), chosen.going_on()
        if was_going_on and not going_on:
            st.rerun(scope="app")
        _standing(chosen, results, going_on, len(asked.turns()))
        lines = ascents(results)
        if lines:
            st.plotly_chart(
                accuracy_over_minutes(lines),
                key=f"staircase-{chosen.id}",
                config=NO_TOOLBAR,
                alt="Validation accuracy of each network over the minutes of its training, mean of the seeds.",
            )
            st.caption(
                f"On {plain(asked.data.title)}, {_budget(asked.budget)}. Lines: the mean of the seeds at the end of "
                "each epoch; bars: the least and the largest. Epochs are whole, so the times are equal to within one."
            )
            st.dataframe(
                rows(results),
                hide_index=True,
                column_config={
                    "Minutes": st.column_config.NumberColumn(
                        format="%.2f", help="Of training; the median of the seeds."
                    ),
                    "Top-1": st.column_config.NumberColumn(
                        format="%.1f %%",
                        help="Right of the pictures not trained on, at the end; the median of the seeds.",
                    ),
                    "Least": st.column_config.NumberColumn(format="%.1f %%", help="Of the seeds."),
                    "Largest": st.column_config.NumberColumn(format="%.1f %%", help="Of the seeds."),
                    "Points gained": st.column_config.NumberColumn(
                        format="%+.1f", help="Above AlexNet without batch normalisation, in percentage points."
                    ),
                },
                alt="Each network's epochs, minutes and accuracy at the end, with least and largest of the seeds.",
            )
        if results and st.button(
            "Lay the curves over each other",
            icon=":material/stacked_line_chart:",
            help="Opens these runs on the page Runs.",
        ):
            st.switch_page("views/runs.py", query_params={"compare": ",".join(one.run_id for one in results)})


def _standing(chosen: Staircase, results: list[Climbed], going_on: bool, many: int) -> None:
    done = sum(one.status == "finished" for one in results)
    row = st.container(horizontal=True, vertical_alignment="center")
    if going_on:
        now = next((one for one in results if one.status in ("running", "queued", "paused")), None)
        what = "Choosing the epochs" if now is None else f"{STAIRS[now.stair].title}, seed {now.seed}"
        row.progress(done / many, f"{done} of {many} runs are through. Now: {what}.")
        if chosen.stopping():
            row.caption("Stopping after this step.")
        elif row.button("Stop", icon=":material/stop:", help="Saves; it can go on later.", key="stop_staircase"):
            chosen.stop()
            st.rerun(scope="app")
    elif done < many:
        row.markdown(f"{done} of {many} runs are through.", width="content")
        if row.button("Go on", type="primary", icon=":material/play_arrow:", help="Finished runs stay, others go on."):
            staircase.launch(chosen)
            st.rerun(scope="app")
        if chosen.last_words():
            st.caption(plain(chosen.last_words()))


def _form() -> None:
    sets = offers(available())
    left, middle, right = st.columns(3)
    source = left.selectbox(
        "Pictures",
        list(sets),
        format_func=sets.__getitem__,
        key="staircase_data",
        help=f"Taken at {SIZE} pixels, those of a folder or zip as they were prepared. Photographs such as CIFAR-10's "
        "tell the ideas apart; digits are too easy.",
        persist_state="session",
    )
    minutes = middle.select_slider(
        "Minutes for each run",
        MINUTES,
        value=1.0,
        key="staircase_minutes",
        help="The epochs of each network are chosen from timed steps, so that its training takes about so long here.",
        persist_state="session",
    )
    seeds = right.number_input(
        "Seeds",
        1,
        staircase.MOST_SEEDS,
        3,
        key="staircase_seeds",
        help="Runs of each network.",
        persist_state="session",
    )
    budget = Budget(minutes=float(minutes))
    expected = stairs.expected_minutes(budget, seeds) or 0.0
    st.caption(
        f"{seeds * len(STAIRS)} runs, one after another, about {duration(60 * expected)} in all, with "
        f"{OVERHEAD:.0f} seconds for the start and the test of each. They go on without this page."
    )
    if st.button(
        "Start the staircase", type="primary", icon=":material/stairs:", help="Prepares the pictures where needed."
    ):
        bar = st.progress(0.0, "Preparing the pictures")
        data = prepare(source, image_size=size_for(source, SIZE), progress=lambda *at: bar.progress(*progress(*at)))
        staircase.launch(Staircase.create(data, budget, int(seeds), threads=threads_beside_pages()))
        st.rerun(scope="app")
