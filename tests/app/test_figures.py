"""Figures by their data: what is drawn, where, and that a stranger's names stay letters."""

import numpy as np
import pytest

from app.figures.architecture import Block, drawing
from app.figures.balance import class_balance
from app.figures.confusion import confusion
from app.figures.curves import MOST_POINTS, Line, curves, thinned
from app.figures.mosaic import GAP, GROUND, LABEL, mosaic


def test_mosaic_keeps_every_value_a_square():
    tiles = np.zeros((5, 2, 2, 3), np.uint8)
    tiles[4, 0, 1] = (200, 10, 20)
    sheet = mosaic(tiles, columns=3, tile_side=8)
    assert sheet.size == (3 * (8 + GAP) + GAP, 2 * (8 + GAP) + GAP)
    x, y = GAP + (8 + GAP), GAP + (8 + GAP)  # the fifth tile: second row, second column
    assert {sheet.getpixel((x + 4 + dx, y + dy)) for dx in range(4) for dy in range(4)} == {(200, 10, 20)}
    assert sheet.getpixel((0, 0)) == GROUND
    assert sheet.getpixel((GAP + 2 * (8 + GAP) + 1, y)) == GROUND  # no sixth tile


def test_mosaic_with_labels_is_higher():
    tiles = np.zeros((2, 4, 4), np.uint8)
    plain, labelled = mosaic(tiles, 2, 8), mosaic(tiles, 2, 8, ["1", "2"])
    assert labelled.height - plain.height == LABEL


def test_blocks_are_to_scale():
    blocks = [
        Block("", "Picture", "picture", 3, 100),
        Block("a", "Convolution 1", "convolution", 8, 50),
        Block("b", "Convolution 2", "convolution", 16, 25),
        Block("c", "Linear 1", "linear", 40, None),
    ]
    fig = drawing(blocks, chosen="b")
    fronts = [trace for trace in fig.data[:-1] if trace.fillcolor.endswith("0.95)")]
    heights = [max(trace.y) - min(trace.y) for trace in fronts]
    assert heights[0] == pytest.approx(2 * heights[1]) == pytest.approx(4 * heights[2])
    assert list(fig.data[-1].customdata) == ["", "a", "b", "c"]
    assert "<b>" in fig.data[-1].text[2]


def test_curves_keep_the_last_point_and_stay_light():
    line = Line([i / 100 for i in range(5000)], list(range(5000)))
    thin = thinned(line)
    assert len(thin.values) <= MOST_POINTS
    assert thin.values[-1] == 4999
    fig = curves(line, Line([1.0], [0.5]), "Loss", 50)
    assert [trace.name for trace in fig.data] == ["validation", "train"]
    assert fig.data[1].line.dash == "dot"
    assert fig.data[0].marker.symbol == "diamond"


def test_an_empty_curve_is_empty():
    assert thinned(Line([], [])).values == []


def test_confusion_counts_and_clicks():
    counts = np.array([[3, 1], [0, 4]])
    fig = confusion(counts, ["<b>cat</b>", "dog"], (0, 1))
    assert fig.data[0].z[0].tolist() == [0.75, 0.25]
    assert [list(pair) for pair in fig.data[1].customdata] == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert fig.layout.xaxis.ticktext[0] == "&lt;b&gt;cat&lt;/b&gt;"
    assert "1 of 4 pictures of &lt;b&gt;cat" in fig.data[1].hovertext[1]


def test_confusion_of_many_classes_has_markers_where_pictures_are():
    counts = np.diag(np.full(1000, 50))
    counts[3, 7] = 9
    fig = confusion(counts, [f"class {number}" for number in range(1000)], (3, 7))
    pairs = [tuple(pair) for pair in fig.data[1].customdata]
    assert len(pairs) == 1001
    assert pairs[-1] == (3, 7)
    assert "9 of 59 pictures of class 3" in fig.data[1].hovertext[-1]
    full = confusion(np.ones((60, 60), int), [str(number) for number in range(60)], (0, 0))
    assert len(full.data[1].customdata) == 2_500


def test_balance_shows_every_count():
    fig = class_balance(["a", "b"], [10, 1200])
    assert list(fig.data[0].y) == [10, 1200]
    assert list(fig.data[0].text) == ["10", "1,200"]
