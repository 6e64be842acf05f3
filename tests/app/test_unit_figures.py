"""The charts and marks of the pages for filters, units and lesions, read from what they hold."""

import numpy as np
from PIL import Image

from app.figures.bars import MOST, bars, dumbbells
from app.figures.colour_split import colour_split
from app.figures.marked import framed, number_grids


def test_bars_keep_their_order_and_say_their_numbers():
    fig = bars(["<b>cat</b>", "dog"], [0.5, -0.25], "fall", ".2f", chosen="dog")
    (trace,) = fig.data
    assert list(trace.x) == [0.5, -0.25]
    assert list(trace.text) == ["0.50", "-0.25"]
    assert list(fig.layout.yaxis.ticktext) == ["&lt;b&gt;cat&lt;/b&gt;", "dog"]
    assert trace.marker.color[0] != trace.marker.color[1]
    assert trace.marker.pattern.shape[0] != trace.marker.pattern.shape[1]
    assert fig.layout.xaxis.range[0] < -0.25


def test_no_more_rows_than_can_be_read():
    fig = bars([str(n) for n in range(99)], [1.0] * 99, "x")
    assert len(fig.data[0].x) == MOST
    assert len(dumbbells([str(n) for n in range(99)], [0.5] * 99, [0.6] * 99, "x").data) == MOST + 2


def test_before_and_after_differ_by_more_than_colour():
    fig = dumbbells(["cat"], [0.9], [0.1], "accuracy")
    line, before, after = fig.data
    assert list(line.x) == [0.9, 0.1]
    assert (before.x[0], after.x[0]) == (0.9, 0.1)
    assert before.marker.symbol != after.marker.symbol
    assert (before.name, after.name) == ("before", "after")


def test_the_two_groups_of_filters_lie_on_either_side_of_the_threshold():
    grey, coloured = colour_split([0.1, 0.2, 0.9], 0.5).data
    assert list(grey.x) == [0.1, 0.2]
    assert list(coloured.x) == [0.9]
    assert grey.marker.pattern.shape != coloured.marker.pattern.shape


def test_a_frame_lies_round_its_box_and_nowhere_else():
    black = Image.new("RGB", (640, 640))
    marked = np.asarray(framed(black, (16, 8, 32, 24), 64)).any(axis=2)
    rows, columns = np.flatnonzero(marked.any(1)), np.flatnonzero(marked.any(0))
    assert (columns[0], columns[-1]) == (160 - 4, 320 + 3)
    assert (rows[0], rows[-1]) == (80 - 4, 240 + 3)
    assert not marked[120:200, 200:280].any()
    assert not np.asarray(black).any()


def test_tables_of_numbers_show_them_where_there_is_room():
    small, large = number_grids([np.eye(3), -2 * np.eye(11)], ["a", "b"]).data
    assert np.array_equal(small.z, np.eye(3))
    assert small.texttemplate
    assert not large.texttemplate
    assert (large.zmin, large.zmax) == (-2, 2)
