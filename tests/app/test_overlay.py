"""Curves over each other, and the order and the differences of runs, as plain functions."""

from dataclasses import replace

import pytest

from alexnet_core.runs.directory import RunConfig, RunDirectory
from alexnet_core.runs.imports import IMPORTED
from alexnet_core.runs.listing import Summary
from alexnet_core.runs.notes import Notes
from alexnet_core.runs.states import RunState
from alexnet_core.training.config import TrainConfig
from app.figures.curves import MOST_POINTS
from app.figures.overlay import MOST, SIGNS, Course, marks, overlay, smoothed
from app.runs.differences import differences
from app.runs.order import ORDERS, found, ordered

HOSTILE = "<b>*cat*</b>"


def test_each_run_has_a_colour_and_a_second_sign_of_its_own():
    every = [marks(place) for place in range(MOST)]
    assert len({colour for colour, _, _ in every}) == MOST
    assert len({symbol for _, _, symbol in every}) == MOST == len(SIGNS) == len(set(SIGNS))


def test_the_raw_line_is_always_there():
    courses = [Course(HOSTILE, [1, 2, 3], [0.5, 0.7, 0.6], 0), Course("b" * 99, [1, 2], [0.4, 0.5], 3)]
    raw = overlay(courses, "Top-1", "epoch", percent=True)
    assert [list(line.y) for line in raw.data] == [[0.5, 0.7, 0.6], [0.4, 0.5]]
    assert raw.data[0].name == "&lt;b&gt;*cat*&lt;/b&gt;"
    assert len(raw.data[1].name) < 40
    both = overlay(courses, "Top-1", "epoch", percent=True, smoothing=0.9)
    assert [list(both.data[place].y) for place in (0, 2)] == [[0.5, 0.7, 0.6], [0.4, 0.5]]
    assert all(both.data[place].visible is None for place in range(4))
    assert list(both.data[1].y) == smoothed([0.5, 0.7, 0.6], 0.9)
    assert both.data[0].line.color == both.data[1].line.color != both.data[3].line.color


def test_long_courses_are_thinned_and_end_where_they_end():
    values = list(range(10 * MOST_POINTS + 7))
    (line,) = overlay([Course("a", values, values, 0)], "x", "step").data
    assert len(line.y) <= MOST_POINTS
    assert line.y[-1] == values[-1]


def test_smoothing_neither_moves_a_constant_nor_starts_at_zero():
    assert smoothed([2.0] * 50, 0.9) == pytest.approx([2.0] * 50)
    assert smoothed([5.0, 1.0], 0.9)[0] == pytest.approx(5.0)
    assert smoothed([0.0, 1.0], 0.5) == pytest.approx([0.0, 2 / 3])


def one(tmp_path, name, created, top1=None, seconds=None, note="", **settings):
    config = RunConfig(TrainConfig(**settings), replace(IMPORTED, title=f"Data of {name}"), created)
    run = RunDirectory(tmp_path / name)
    return Summary(run, config, RunState("finished"), Notes(name.upper(), note), 3, top1, None, seconds)


def test_orders_and_searches(tmp_path):
    first = one(tmp_path, "aaa", "2026-01-01", 0.5, 10, "Too HIGH a rate", model="resnet18")
    second = one(tmp_path, "bbb", "2026-01-02", None, None)
    third = one(tmp_path, "ccc", "2026-01-03", 0.9, 5)
    every = [second, third, first]
    assert [each.id for each in ordered(every, "newest")] == ["ccc", "bbb", "aaa"]
    assert [each.id for each in ordered(every, "accuracy")] == ["ccc", "aaa", "bbb"]
    assert [each.id for each in ordered(every, "longest")] == ["aaa", "ccc", "bbb"]
    assert all(len(ordered(every, order)) == 3 for order in ORDERS)
    assert found(every, "") == every
    assert found(every, " high RESNET-18") == [first]
    assert found(every, "data finished") == every
    assert found(every, "high bbb") == []


def test_only_what_differs_is_named(tmp_path):
    pair = [one(tmp_path, "a", "1", 0.5, lr=0.1), one(tmp_path, "b", "2", None, lr=0.05, reflect=False)]
    table = differences(pair)
    assert table["Learning rate"] == ["0.1", "0.05"]
    assert table["Mirror (reflect)"] == ["on", "off"]
    assert table["Validation top-1"] == ["50.0 %", "–"]
    assert "Epochs" not in table
    assert "Program version" not in table
    assert len(table) == 6
    assert differences([]) == {"Validation top-1": [], "Test top-1": [], "Trained for": []}
