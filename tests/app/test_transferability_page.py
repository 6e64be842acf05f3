"""The page Transferability: the drawing and the form at first, then the experiment with its chart."""

import json
import os

import pytest

from alexnet_core.data.sources import prepare
from alexnet_core.errors import ExplorerError
from alexnet_core.places import runs_home
from alexnet_core.runs import transferability
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.processes import start_of
from alexnet_core.runs.states import RunState
from alexnet_core.training.events import Finished
from alexnet_core.training.recipes import settle
from app.figures.transferability import accuracy, plan
from tests.pictures import class_files, make_folder

KINDS = transferability.KINDS


def texts(app):
    return " ".join(element.value for element in (*app.markdown, *app.caption, *app.title, *app.info))


@pytest.fixture
def started(monkeypatch):
    """No process is started; what was asked for is listed."""
    asked = []
    monkeypatch.setattr(transferability, "start", asked.append)
    return asked


def test_at_first_it_shows_the_idea_and_the_form(home, open_page):
    app = open_page("transferability")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    assert "Yosinski" in texts(app)
    assert [button.label for button in app.button] == ["Train 30 networks"]
    for field in (*app.number_input, *app.selectbox, *app.multiselect, *app.button):
        assert field.help, field.label


def test_the_button_starts_what_the_form_says(home, open_page, started):
    app = open_page("transferability")
    app.multiselect[0].set_value([2, 5]).run()
    button = app.button[0]
    assert button.label == "Train 10 networks"
    button.click().run()
    assert not app.exception
    assert [asked.layers for asked in started] == [(2, 5)]
    assert (started[0].title, started[0].most) == ("Digits", 50)


def test_pictures_that_lie_prepared_in_another_size_are_taken_as_they_are(home, tmp_path, open_page, started):
    data = prepare(make_folder(tmp_path / "pets", class_files("abcd")), image_size=40)
    app = open_page("transferability")
    app.selectbox(key="transfer_data").set_value(str(data.directory)).run()
    assert "pictures of 40 × 40 pixels" in texts(app)
    app.button[0].click().run()
    assert not app.exception
    assert not app.error
    assert [asked.data for asked in started] == [str(data.directory.resolve())]


def test_an_experiment_shows_what_it_found_and_goes_on(home, open_page, started):
    asked = transferability.experiment(prepare("digits", image_size=32), layers=[1], epochs=1, most=5)
    transferability.save(asked)
    data = transferability.halves(asked)
    for part in transferability.parts(asked)[:3]:
        settings = settle(part.settings, train_images=25, image_size=32, mirrors=False)
        run = RunDirectory.create(settings, DataIdentity.of(data[part.half]), runs_home() / part.run_id)
        run.append_event(Finished(step=1, epoch=1, test_loss=1.0, test_top1=0.75, test_top5=1.0))
        run.write_state(RunState("finished"))
    app = open_page("transferability")
    assert not app.exception
    assert transferability.finished(asked) == 3
    assert next(button for button in app.button if button.label == "Go on").click().run() is not None
    assert started == [asked]


def test_experiments_that_differ_in_what_the_form_does_not_ask_can_be_told_apart(home, open_page):
    for size, changes in ((32, {}), (32, {"seed": 1}), (32, {"model": "alexnet_sprint"}), (40, {})):
        data = prepare("digits", image_size=size)
        transferability.save(transferability.experiment(data, layers=[1], epochs=1, most=5, **changes))
    app = open_page("transferability")
    titles = app.selectbox(key="experiment").options
    assert len(set(titles)) == len(titles) == 5
    assert any(title.endswith(", seed 1") for title in titles)


def test_a_new_one_can_be_started_beside_another(home, open_page, started):
    known = transferability.experiment(prepare("digits", image_size=32), layers=[1], epochs=1, most=5)
    transferability.save(known)
    app = open_page("transferability", experiment="new")
    app.multiselect[0].set_value([2]).run()
    transferability.save(transferability.experiment(prepare("digits", image_size=32), layers=[2], epochs=12, most=50))
    next(button for button in app.button if button.label == "Train 6 networks").click().run()
    assert not app.exception
    assert [asked.layers for asked in started] == [(2,)]
    assert app.query_params["experiment"] == started[0].key


def test_what_has_just_begun_is_not_offered_again_and_what_ended_says_why(home, open_page):
    asked = transferability.experiment(prepare("digits", image_size=32), layers=[1], epochs=1, most=5)
    noted = transferability.save(asked).with_suffix(".process")
    noted.write_text(json.dumps([os.getpid(), start_of(os.getpid())]))
    app = open_page("transferability")
    assert "begins in a few seconds" in texts(app)
    assert not [button.label for button in app.button]
    with pytest.raises(ExplorerError, match="already going on"):
        transferability.start(asked)
    noted.write_text("[1, 0")
    noted.with_suffix(".log").write_text("Digits, 10 classes\nalexnet: The data set is gone.\n")
    app = open_page("transferability")
    assert [button.label for button in app.button] == ["Go on"]
    assert "The data set is gone" in texts(app)


def test_the_chart_has_a_line_for_each_kind_with_a_second_sign():
    fig = accuracy({"anb": {3: 0.5, 1: 0.8}, "bnb-tuned": {1: 0.9}}, KINDS, 0.85, 7)
    base, tuned, frozen = fig.data
    assert (list(base.y), base.line.dash) == ([0.85, 0.85], "dash")
    assert (list(frozen.x), list(frozen.y)) == ([1, 3], [0.8, 0.5])
    assert frozen.line.dash != tuned.line.dash
    assert frozen.marker.symbol != tuned.marker.symbol
    low, high = fig.layout.yaxis.range
    assert low < 0.5
    assert high <= 1.01


def test_small_differences_do_not_look_large():
    fig = accuracy({"anb": {1: 0.99, 2: 0.985}}, KINDS, None, 7)
    low, high = fig.layout.yaxis.range
    assert high - low >= 0.0999


def test_the_drawing_marks_what_is_frozen():
    fig = plan(8, 3, [("a", "A"), ("b", "B"), *KINDS.items()])
    assert len(fig.layout.shapes) == 6 * 8
    assert sum(note.text == "frozen" for note in fig.layout.annotations) == 2 * 3
