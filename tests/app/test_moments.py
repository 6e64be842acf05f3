"""The drawings of one moment, the moving picture, and the charts of neighbours: told by their pixels and data."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from app.figures.by_depth import shares_by_depth
from app.figures.class_marks import MOST, mark
from app.figures.embedding import Point, plane
from app.figures.framed import FRAME, framed
from app.figures.history import BEFORE_FIRST, Series, course
from app.figures.ink import DARK, LIGHT
from app.figures.moments import SIDE, gif, matrix, panel, scatter
from app.figures.palette import ACCENT, VERMILLION
from app.figures.timeline import timeline

HOSTILE = "<b>cat</b>"


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def has(picture: Image.Image, colour: str) -> bool:
    return bool((np.asarray(picture) == rgb(colour)).all(axis=-1).any())


def test_thirty_classes_have_a_mark_each():
    assert len({mark(number) for number in range(MOST)}) == MOST
    assert mark(None) not in {mark(number) for number in range(MOST)}


@pytest.mark.parametrize("paper", [LIGHT, DARK])
def test_points_stand_where_they_are_on_the_plane(paper):
    places = np.array([[0.0, 0.0], [1.0, 1.0], [5.0, -5.0]])
    bounds = (np.zeros(2), np.ones(2))
    drawn = np.asarray(scatter(places, np.array([0, 1, 2]), ["a", "b", "c"], np.array([0.5, 0.5]), bounds, paper))
    assert tuple(drawn[SIDE - 14, 14]) == rgb(mark(0)[0])
    assert tuple(drawn[14, SIDE - 14]) == rgb(mark(1)[0])
    assert tuple(drawn[SIDE - 14, SIDE - 14]) == rgb(mark(2)[0])  # beyond the plane: at its edge
    assert (drawn[SIDE // 2 - 30 : SIDE // 2 + 30, SIDE // 2 - 30 : SIDE // 2 + 30] == rgb(paper.ink)).all(-1).any()


def test_a_cell_of_the_matrix_is_as_strong_as_its_share():
    drawn = np.asarray(matrix(np.array([[3, 0], [2, 2]]), ["a" * 40, HOSTILE], LIGHT))
    left = drawn.shape[1] - SIDE
    corner = [
        [drawn[row * SIDE // 2 + 8, left + column * SIDE // 2 + 8].astype(int) for column in (0, 1)] for row in (0, 1)
    ]
    assert tuple(corner[0][0]) == rgb(ACCENT)
    assert corner[0][1].sum() > corner[1][0].sum() > corner[0][0].sum()
    assert tuple(corner[1][0]) == tuple(corner[1][1])


def test_many_classes_have_no_names():
    drawn = matrix(np.eye(40, dtype=int), [str(number) for number in range(40)], DARK)
    assert drawn.size == (SIDE, SIDE)


def test_the_cursor_moves_and_the_drawing_stays():
    line = timeline([Series(HOSTILE, [0, 1, 10, 100], [4, 3, 2, 1])], "Loss", 100, LIGHT)
    assert not has(line.sheet, VERMILLION)
    columns = []
    for step in (0, 1, 10, 100):
        red = (np.asarray(line.at(step)) == rgb(VERMILLION)).all(axis=-1)
        columns.append(float(np.flatnonzero(red.any(axis=0)).mean()))
    assert columns == sorted(columns)
    assert columns[2] - columns[1] == pytest.approx(columns[3] - columns[2], abs=1.5)  # logarithmic
    assert not has(line.sheet, VERMILLION)


def test_lines_without_values_and_a_single_step_are_drawn():
    assert timeline([Series("a", [], []), Series("b", [1], [0.0])], "Loss", 1, DARK).at(1).width > 0


def test_a_gif_moves_in_its_colours():
    frames = [panel([Image.new("RGB", (40, 40), colour)], ["A"], f"Step {colour}", LIGHT) for colour in ("red", "blue")]
    with Image.open(BytesIO(gif(frames))) as moving:
        assert moving.n_frames == 2
        assert moving.info["loop"] == 0
        middle = (moving.width // 2, moving.height // 2)
        assert moving.convert("RGB").getpixel(middle) == (255, 0, 0)
        moving.seek(1)
        assert moving.convert("RGB").getpixel(middle) == (0, 0, 255)


def test_a_frame_is_there_or_not():
    tile = np.zeros((8, 8, 3), np.uint8)
    plain, marked = framed(tile, 92, False), framed(tile, 92, True)
    assert plain.size == marked.size
    assert marked.getpixel((1, 1)) == rgb(ACCENT)
    assert plain.getpixel((1, 1)) != rgb(ACCENT)
    assert marked.getpixel((FRAME + 1, FRAME + 1)) == (0, 0, 0)


def test_shares_are_bars_with_numbers_and_chance_is_a_line():
    fig = shares_by_depth(["Pixels", HOSTILE], [0.1, 0.9], 0.25)
    assert list(fig.data[0].x) == [0.1, 0.9]
    assert HOSTILE not in str(fig.data[0].y)
    assert fig.layout.shapes[0].x0 == 0.25


def test_each_class_is_a_series_and_a_point_gives_its_row_back():
    points = [Point(7, "a.png", 1), Point(9, HOSTILE, 0), Point(4, "c.png", 1)]
    tiles = np.zeros((3, 8, 8, 3), np.uint8)
    fig = plane(np.arange(6.0).reshape(3, 2), points, [HOSTILE, "dog"], np.array([9.0, -3.0]), tiles)
    assert [list(series.customdata) for series in fig.data[:2]] == [[9], [7, 4]]
    assert HOSTILE not in str(fig.to_dict())
    low, high = fig.layout.xaxis.range
    assert low < 0
    assert high > 9
    assert len(fig.layout.images) == 1
    assert not plane(np.zeros((1, 2)), points[:1], ["a", "b"], np.zeros(2)).layout.images


def test_the_chart_to_read_off_begins_before_the_first_step():
    fig = course([Series("a", [0, 5], [1, 0.5])], "Loss", 5)
    assert list(fig.data[0].x) == [BEFORE_FIRST, 5]
    assert fig.layout.xaxis.type == "log"
