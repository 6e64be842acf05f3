"""The page Units: a passport for any unit, with the crops that are always there and with a data set of one's own."""

import pytest
from test_pages import HOSTILE, sound, texts

from alexnet_core.errors import ExplorerError
from app.inside import growing, units
from app.sentences import plain


@pytest.fixture
def few_pictures(monkeypatch):
    """Not the whole thousand of crops: what is shown does not depend on how many there are."""
    monkeypatch.setattr(units, "MOST_PICTURES", 40)


def test_a_passport_of_a_unit_with_a_map(run, open_page, few_pictures):
    app = open_page("units", run=run.id, layer="features.0")
    assert sound(app)
    assert "colourfulness" in texts(app)
    assert "Guided backpropagation" in texts(app)
    assert HOSTILE not in texts(app)


def test_a_passport_of_a_unit_without_one(run, open_page, few_pictures):
    app = open_page("units", run=run.id, layer="classifier.6")
    assert sound(app)
    assert "It answers to the present picture" in texts(app)
    assert "colourfulness" not in texts(app)


def test_another_unit_is_another_passport(run, open_page, few_pictures):
    app = open_page("units", run=run.id, layer="features.0")
    before = texts(app)
    app.number_input[0].set_value(int(app.number_input[0].value + 1) % 24).run()
    assert sound(app)
    assert texts(app) != before


@pytest.mark.parametrize("goal", ["centre", "class", "difference"])
def test_every_goal_can_be_chosen(run, open_page, few_pictures, goal):
    app = open_page("units", run=run.id, layer="features.4")
    app.segmented_control(key="goal-True").set_value(goal).run()
    assert sound(app)
    assert any(button.key == "grow" for button in app.button)


def test_a_picture_grows_and_is_kept(run, open_page, few_pictures):
    app = open_page("units", run=run.id, layer="features.0")
    app.slider(key="grow-steps").set_value(32).run()
    app.button(key="grow").click().run()
    assert sound(app)
    assert "After 32 of 32 steps" in texts(app)
    assert not any(button.key in ("grow", "stop-growing") for button in app.button)
    app.slider(key="grow-steps").set_value(64).run()
    assert "of 32 steps" not in texts(app)


def test_a_picture_that_was_interrupted_grows_on(run, open_page, few_pictures, monkeypatch):
    begun = []
    grow, draw = growing.visualise, growing.draw
    monkeypatch.setattr(growing, "visualise", lambda *asked: begun.append(asked) or grow(*asked))
    app = open_page("units", run=run.id, layer="features.0")
    app.slider(key="grow-steps").set_value(64).run()

    def left(*_):
        raise ZeroDivisionError  # in the place of a click elsewhere, which ends the page's run in the same way

    monkeypatch.setattr(growing, "draw", left)
    app.button(key="grow").click().run()
    assert app.exception
    monkeypatch.setattr(growing, "draw", draw)
    app.run()
    assert sound(app)
    assert "After 64 of 64 steps" in texts(app)
    assert len(begun) == 1


def test_what_cannot_grow_says_so_once(run, open_page, few_pictures, monkeypatch):
    def broken(*_):
        raise ExplorerError("The picture has grown beyond what can be computed.")
        yield

    monkeypatch.setattr(growing, "visualise", broken)
    app = open_page("units", run=run.id, layer="features.0")
    app.button(key="grow").click().run()
    assert "beyond what can be computed" in app.error[0].value
    app.run()
    assert sound(app)
    assert any(button.key == "grow" for button in app.button)


def test_a_picture_whose_growing_failed_does_not_pass_for_grown(run, open_page, few_pictures, monkeypatch):
    grow = growing.visualise

    def broken(*asked):
        yield next(grow(*asked))
        raise MemoryError

    monkeypatch.setattr(growing, "visualise", broken)
    app = open_page("units", run=run.id, layer="features.0")
    app.button(key="grow").click().run()
    assert app.exception
    app.run()
    assert sound(app)
    assert any(button.key == "grow" for button in app.button)


def test_with_classes_there_is_selectivity(run, open_page, labelled):
    app = open_page("units", run=run.id, layer="features.1")
    assert sound(app)
    labels = [metric.label for metric in app.metric]
    assert labels == ["Above zero", "Strongest answer", "Selectivity", "Favourite class"]
    assert HOSTILE not in texts(app)


def test_what_is_to_be_excited_outlasts_a_look_at_another_page(run, open_page, few_pictures):
    app = open_page("units", run=run.id, layer="features.0")
    app.segmented_control(key="goal-True").set_value("class").run()
    app.selectbox(key="grown_class").set_value(2).run()
    app.slider(key="grow-steps").set_value(64).run()
    app.switch_page("views/runs.py").run()
    app.switch_page("views/units.py").run()
    assert sound(app)
    assert app.segmented_control(key="goal-True").value == "class"
    assert app.selectbox(key="grown_class").value == 2
    assert app.slider(key="grow-steps").value == 64


def test_where_no_way_back_can_be_drawn_that_is_said(run, open_page, few_pictures, monkeypatch):
    monkeypatch.setattr("app.answers.why_not", lambda shared, method: "It computes its ReLUs elsewhere.")
    app = open_page("units", run=run.id, layer="features.0")
    assert sound(app)
    assert plain("It computes its ReLUs elsewhere.") in texts(app)
    assert "Guided backpropagation" not in texts(app)
