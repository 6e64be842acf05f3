"""What stands side by side, and the lines of Python that repeat it."""

import runpy
import shutil
import subprocess
import sys

import numpy as np
import pytest

from alexnet_core.data.sources import prepare
from alexnet_core.insight.attribution import ATTRIBUTIONS, attribute
from alexnet_core.insight.prediction import ClassProbability
from alexnet_core.models.weights import save_network
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.states import RunState
from app import answers, session
from app.answers import Asked
from app.explaining import compare
from app.explaining.compare import MOST, Question, methods_at_first, spread
from app.explaining.method_settings import LAST
from app.explaining.repeat import script
from tests.app.conftest import CLASSES
from tests.pictures import class_files, make_folder

SLOW = [name for name, method in ATTRIBUTIONS.items() if method.slow]


@pytest.fixture
def question(run):
    """One method asked of the finished run about a sample."""
    shared = session.load(run.id)
    name = next(iter(ATTRIBUTIONS))
    return Question("One", run.id, Asked(shared, session.sample("ship"), name, 1))


def test_the_first_maps_are_fast_and_of_many_groups():
    first = methods_at_first()
    assert len(first) == min(len(ATTRIBUTIONS), compare.FIRST)
    fast = {method.group for method in ATTRIBUTIONS.values() if not method.slow}
    assert {ATTRIBUTIONS[name].group for name in first} >= fast if len(fast) <= compare.FIRST else True
    assert [ATTRIBUTIONS[name].slow for name in first] == sorted(ATTRIBUTIONS[name].slow for name in first)


def test_spread_keeps_the_ends():
    assert spread(range(40)) == [0, 13, 26, 39]
    assert spread([1, 2]) == [1, 2]


def repeated(question, folder, monkeypatch):
    """The map that the lines compute. They run in this process: to load PyTorch once more takes seconds."""
    (folder / "again.py").write_text(script(question))
    monkeypatch.chdir(folder)
    runpy.run_path("again.py")
    return np.load("map.npy")


@pytest.mark.parametrize("step", [None, 10])
def test_the_lines_repeat_the_map(question, tmp_path, monkeypatch, step):
    if step is not None:
        shared = compare.at_moment(question.choice, step)
        question = Question("Step", question.choice, Asked(shared, *_rest(question)), step)
    asked = question.asked
    expected = attribute(asked.shared.network, asked.picture.image, asked.method, asked.target, against=asked.against)
    np.testing.assert_allclose(repeated(question, tmp_path, monkeypatch), expected.values, rtol=1e-4, atol=1e-7)
    assert len(script(question).splitlines()) <= 12


def test_the_lines_need_nothing_that_the_app_has_loaded(question, tmp_path):
    (tmp_path / "again.py").write_text(script(question))
    done = subprocess.run([sys.executable, "again.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    expected = answers.explained(question.asked)
    np.testing.assert_allclose(np.load(tmp_path / "map.npy"), expected.values, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("method", [name for name, entry in ATTRIBUTIONS.items() if entry.compares])
def test_pictures_of_the_data_set_are_compared_with_where_they_are_here(question, tmp_path, monkeypatch, method):
    asked = question.labelled("One", method=method).asked
    assert asked.references is None  # the pictures that this run learned from are not here
    without = answers.explained(asked)
    prepared = prepare(make_folder(tmp_path / "pets", class_files(images=20)), image_size=32)
    monkeypatch.setattr(answers, "own_set", lambda choice, network: prepared)
    found = answers.explained(asked)
    assert found.facts["compared_with"].endswith("pictures of the data set")
    assert not np.allclose(found.values, without.values)
    again = repeated(question.labelled("One", method=method), tmp_path, monkeypatch)
    np.testing.assert_allclose(again, found.values, rtol=1e-4, atol=1e-6)


def _rest(question):
    asked = question.asked
    return asked.picture, asked.method, asked.target, 0


def test_names_from_strangers_are_literals_in_the_lines(question):
    hostile = session.Picture("f" * 64, "a\nimport os; os.remove('x')\n.png")
    lines = script(question.labelled("", picture=hostile)).splitlines()
    assert sum("os.remove" in line for line in lines) == 1
    assert next(line for line in lines if "os.remove" in line).startswith("picture = decode_file(uploads_home() / ")
    compile("\n".join(lines), "again.py", "exec")


def test_another_network_is_asked_about_its_own_class(question):
    other = RunDirectory.create(RunDirectory.find(question.choice).config().settings, _data(question), title="Other")
    classes = ("dog", "cat", "tree")
    network = question.network
    save_network(other.network_path, type(network)(network.name, network.model, classes, network.preprocessing))
    put = compare._put_to(question, other.id, "Other")  # asks about the class number 1, "dog"
    assert put.asked.target == 0
    assert put.label == "Other: dog"
    own = compare._put_to(question.labelled("", target=2, against=1), other.id, "Other")  # "ship" is not known there
    assert own.asked.against is None
    assert own.label == f"Other: {classes[own.asked.target]}"


def _data(question):
    return RunDirectory.find(question.choice).config().data


def test_each_moment_is_a_network_of_its_own(run):
    moment = compare.at_moment(run.id, 10)
    assert moment is compare.at_moment(run.id, 10)
    assert moment.key != session.load(run.id).key
    assert "step 10" in moment.network.source


WAYS = ["methods", "classes", "layers", "networks", "moments"]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_compare_shows_maps(run, open_page, way):
    app = open_page("explain", run=run.id)
    app.segmented_control(key="compare").set_value(way).run()
    assert not app.exception
    assert not app.error
    assert len(app.multiselect) == 1
    assert app.get("download_button")
    assert app.multiselect[0].proto.max_selections == MOST


def test_one_damaged_network_does_not_hide_the_others(run, open_page):
    broken = RunDirectory.create(run.config().settings, run.config().data, title="Broken")
    broken.network_path.write_bytes(b"no network")
    broken.write_state(RunState("finished"))
    app = open_page("explain", run=run.id)
    app.segmented_control(key="compare").set_value("networks").run()
    assert not app.exception
    assert not app.error
    assert any(warning.value.startswith("Broken") for warning in app.warning)
    assert app.get("download_button")


def test_another_picture_is_explained_for_its_own_classes(run, open_page, monkeypatch):
    said = {"sample-ship": 0, "sample-flower": 2}
    monkeypatch.setattr(
        "app.answers.top",
        lambda shared, picture: [ClassProbability(CLASSES[said[picture.key]], said[picture.key], 0.9)],
    )
    app = open_page("explain", run=run.id)
    app.segmented_control(key="compare").set_value("classes").run()
    assert app.multiselect[0].value == [0]
    app.selectbox(key="sample").set_value("flower").run()
    assert not app.exception
    assert app.multiselect[0].value == [2]


def test_the_network_that_was_chosen_is_among_those_compared(run, open_page):
    for number in range(4):
        other = RunDirectory.create(run.config().settings, run.config().data, title=f"Other {number}")
        shutil.copy(run.network_path, other.network_path)
        other.write_state(RunState("finished"))
    app = open_page("explain", run=run.id)
    app.segmented_control(key="compare").set_value("networks").run()
    for choice in list(session.networks(imagenet=False)):
        app.selectbox(key="run").set_value(choice).run()
        assert not app.exception
        assert choice in app.multiselect[0].value


def test_nothing_chosen_is_a_sentence(run, open_page):
    app = open_page("explain", run=run.id)
    app.multiselect(key="compared_methods").set_value([]).run()
    assert not app.exception
    assert any("at least one" in caption.value for caption in app.caption)


def test_settings_change_the_map(run, open_page):
    name = next(name for name in methods_at_first() if any(one.choices for one in ATTRIBUTIONS[name].settings))
    setting = next(one for one in ATTRIBUTIONS[name].settings if one.choices)
    app = open_page("explain", run=run.id)
    other = next(value for value in setting.choices if value != setting.default)
    app.selectbox(key=f"setting-{name}-{setting.name}").select(other).run()
    assert not app.exception
    assert not app.error


def test_lists_go_on_saying_what_is_chosen_when_something_else_is(run, open_page):
    app = open_page("explain", run=run.id)
    app.selectbox(key="shown_values").select("positive").run()
    assert app.selectbox(key="shown_channel").value == "All together"
    assert app.selectbox(key="setting-grad_cam-layer").value == LAST
    empty = [box.label for box in app.selectbox if box.key and box.value is None]
    assert not empty, empty  # to Streamlit None is nothing chosen
