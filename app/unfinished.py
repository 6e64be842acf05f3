"""Long work in steps, which goes on where it was: a click elsewhere on a page interrupts what the page computes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

import streamlit as st

MOST = 2
"""Works that are kept until someone asks for them again, up to 200 MB each."""

Step = TypeVar("Step")


@st.cache_resource
def _works() -> OrderedDict[Hashable, Iterator[Any]]:
    return OrderedDict()


def going_on(key: Hashable, begin: Callable[[], Iterator[Step]]) -> Iterator[Step]:
    """The steps of the work called `key` from the one after which it was left, else those of a work that `begin` gives.
    Of one that has ended or failed nothing is kept. Two may not go through the steps of one work at the same time.

    Work on a shared network has its lock in the key: a network that was loaded anew has another one, and the work goes
    on with the network it began with."""
    works = _works()
    work: Iterator[Step] = works.pop(key, None) or begin()
    for step in work:
        works[key] = work  # while the caller has the step it may be interrupted
        while len(works) > MOST:
            works.popitem(last=False)
        yield step
        works.pop(key, None)


def offer_stop(asked: set[Any], question: Hashable, key: str, done: str) -> None:
    """A button that takes back the wish to have `question` answered. What was `done` has to be kept by who answers."""
    st.button(
        "Stop",
        key=key,
        icon=":material/stop:",
        on_click=asked.discard,
        args=(question,),
        help=f"What was {done} is kept: asked again, it goes on from there.",
    )
