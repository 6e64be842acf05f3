"""A test of a map in the honesty panel: take away, or put back, the pixels in the order in which it ranks them."""

import streamlit as st

from alexnet_core.insight.attribution import ATTRIBUTIONS
from alexnet_core.insight.deletion import Curves
from app.answers import Asked
from app.explaining import findings, honesty_checks
from app.figures.palette import NO_TOOLBAR
from app.figures.two_orders import two_orders
from app.sentences import plain
from app.words import percent


def pixels_away(asked: Asked, key: str) -> None:
    """Deletion and insertion curves of the map, beside random orders and, where one wants, the other methods."""
    bar = st.empty()
    own = honesty_checks.own_curves(asked)
    chance = honesty_checks.chance_curves(asked, lambda share: bar.progress(share, "Trying random orders"))
    others: dict[str, Curves] = {}
    if st.toggle(
        "Beside the other methods",
        key=f"rivals-{key}",
        help="All methods that answer at once on this network, and those that have answered already: their areas in "
        "the table, the curves of the first five.",
    ):
        others = honesty_checks.rival_curves(asked, lambda share: bar.progress(share, "Asking the other methods"))
    bar.empty()
    _compared(own, chance)
    title = ATTRIBUTIONS[asked.method].title
    goes, comes = st.columns(2, gap="large")
    for column, name, across in (
        (goes, "deletion", "pixels replaced by the mean colour"),
        (comes, "insertion", "pixels put back into a blurred picture"),
    ):
        with column:
            st.markdown(f"**{name.capitalize()}**")
            st.plotly_chart(
                two_orders(
                    own.deletion.shares,
                    (title, getattr(own, name).probabilities),
                    [getattr(one, name).probabilities for one in chance],
                    [
                        (ATTRIBUTIONS[other].title, getattr(one, name).probabilities)
                        for other, one in list(others.items())[:5]
                    ],
                    across,
                ),
                config=NO_TOOLBAR,
                key=f"{name}-{key}",
                alt=f"{name.capitalize()}: the area under the curve of {title} is {getattr(own, name).area:.3f}.",
            )
    _areas(title, own, chance, others)
    start, end = (float(own.insertion.probabilities[place]) for place in (0, -1))
    if start > end / 2:
        st.caption(
            f"The blurred picture alone already gets {percent(start)}: colours in the large are enough for it, "
            "and insertion has little left to show."
        )
    if asked.against is not None:
        classes = asked.shared.network.classes
        st.caption(
            f"The probability is that of {plain(classes[asked.target])} if there were only it and "
            f"{plain(classes[asked.against])}: what the map was asked about."
        )
    st.caption(
        "The pixels go, or come, in the order in which the map ranks them. If it marks what carries the answer, the "
        "probability falls at once when they go and rises at once when they come: a small area on the left, a large "
        "one on the right. Grey: five random orders. A picture with holes is like nothing the network ever saw, so "
        "part of any fall is mere surprise. *Petsiuk et al. 2018, arXiv:1806.07421*"
    )


def _compared(own: Curves, chance: list[Curves]) -> None:
    count = findings.directions(own, chance)
    show, icon = ((st.warning, "warning"), (st.info, "help"), (st.info, "check_circle"))[count]
    show(findings.BETTER[count], icon=f":material/{icon}:")


def _areas(title: str, own: Curves, chance: list[Curves], others: dict[str, Curves]) -> None:
    deletion, insertion = honesty_checks.areas(chance)
    rows = {title: own} | {ATTRIBUTIONS[name].title: one for name, one in others.items()}
    table = {"Order": list(rows), "Deletion": [f"{one.deletion.area:.3f}" for one in rows.values()]}
    table["Insertion"] = [f"{one.insertion.area:.3f}" for one in rows.values()]
    table["Order"].append(f"Random, {len(chance)} times")
    for name, values in (("Deletion", deletion), ("Insertion", insertion)):
        table[name].append(f"{values.mean():.3f} ({values.min():.3f} to {values.max():.3f})")
    st.table(table, border="horizontal")
