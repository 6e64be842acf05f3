"""One map of the grid in full: the number under the pointer, how far to believe it, and all of it to take home."""

from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO

import numpy as np
import streamlit as st
from PIL import Image

from alexnet_core.insight.attribution import ATTRIBUTIONS
from alexnet_core.insight.prediction import ClassProbability
from app import answers
from app.explaining.honesty_panel import honesty_panel
from app.explaining.map_grid import Answered
from app.explaining.map_look import Look
from app.explaining.repeat import script
from app.explaining.report import facts, report
from app.figures.palette import NO_TOOLBAR
from app.figures.pointer import under_pointer
from app.figures.sheet import sheet
from app.sentences import plain, sentences_for_people
from app.waiting import Line, telling

TABS = (":material/ads_click: Every value", ":material/balance: Can it be believed?", ":material/download: Take home")


@sentences_for_people()  # a fragment: what it does after a click, the router does not see
def show(maps: Sequence[Answered], top: Sequence[ClassProbability], look: Look) -> None:
    """A choice among the maps of the grid, and the chosen one in full."""
    with telling(Line(st.empty())):  # nor does the router tell who waits after a click here
        _one(maps, top, look)


def _one(maps: Sequence[Answered], top: Sequence[ClassProbability], look: Look) -> None:
    place = st.segmented_control(
        "Map",
        range(len(maps)),
        default=0,
        required=True,
        format_func=lambda place: plain(maps[place].question.label),
        help="One map of the grid, in full.",
    )
    one = maps[place]
    values, honesty, home = st.tabs(TABS, on_change="rerun", key="one_map")
    if values.open:
        with values:
            _values(one, look)
    if honesty.open:
        asked = one.question.asked
        with honesty:
            honesty_panel(
                asked.shared, asked.picture, asked.method, asked.target, "one-map", asked.against, asked.settings
            )
    if home.open:
        with home:
            _take_home(one, maps, top, look)


def npy(values: np.ndarray) -> bytes:
    """The values as a .npy file."""
    file = BytesIO()
    np.save(file, values, allow_pickle=False)
    return file.getvalue()


def grid_png(maps: Sequence[Answered]) -> bytes:
    """The grid as one PNG file, with titles that hold without the page."""
    shown = [Image.open(BytesIO(one.png)) for one in maps]
    titles = [_title(one) for one in maps]
    return answers.png(
        sheet(shown, titles, 3, f"{maps[0].question.asked.picture.name}: {maps[0].question.asked.target_name}")
    )


def _title(one: Answered) -> str:
    method = ATTRIBUTIONS[one.answer.method].title
    return method if one.question.label == method else f"{one.question.label}, {method}"


def _values(one: Answered, look: Look) -> None:
    reading = look.reading(one.answer)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.plotly_chart(
            under_pointer(Image.open(BytesIO(one.png)), reading.flat),
            config=NO_TOOLBAR,
            alt=f"{_title(one)}, enlarged; the pointer reads the number of each pixel.",
        )
    with right:
        method = ATTRIBUTIONS[one.answer.method]
        st.markdown(f"**{plain(_title(one))}**")
        st.markdown(f"{method.computes} *{method.paper}*")
        st.caption("Point at a pixel, or tap it, for its number: what the colours show, before it became a colour.")
        st.table({name: plain(value) for name, value in facts(one)}, border="horizontal")


def _take_home(one: Answered, maps: Sequence[Answered], top: Sequence[ClassProbability], look: Look) -> None:
    name = one.answer.method
    with st.container(horizontal=True):
        _download("This map", one.png, f"{name}.png", "image/png", "The picture with this map, as shown.")
        _download(
            "Its values",
            partial(npy, one.answer.values),
            f"{name}.npy",
            "application/octet-stream",
            "The raw numbers, float32, colours x rows x columns, for numpy.load.",
        )
        _download("The whole grid", partial(grid_png, maps), "maps.png", "image/png", "All maps on one sheet.")
        _download(
            "Report",
            partial(report, top, maps, look),
            "report.html",
            "text/html",
            "One file with all maps, settings and numbers, and what the tests of “Can it be believed?” found, if they "
            "were made; it opens in any browser, without a connection.",
        )
    st.caption("These lines compute the same values again, wherever the program is installed:")
    st.code(script(one.question), language="python")


def _download(label: str, data: bytes | Callable[[], str | bytes], file_name: str, mime: str, explanation: str) -> None:
    st.download_button(
        label,
        data,
        file_name=file_name,
        mime=mime,
        icon=":material/download:",
        help=explanation,
        on_click="ignore",
        key=f"take-{file_name}",
    )
