"""The page Data doctor: planted defects shown with what to do, every action undone, doubted labels after a training."""

from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from alexnet_core import places
from alexnet_core.data import corrections
from alexnet_core.data.album import create, find
from alexnet_core.data.collecting import add_pictures, add_source
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepare
from alexnet_core.errors import ExplorerError
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen, save_network
from alexnet_core.runs import launcher
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.states import RunState
from alexnet_core.training.config import TrainConfig
from app.doctor import patients
from app.training.preview_panel import CHANGES
from tests.data.test_doctor import jpeg, scene
from tests.pictures import encoded, make_folder

NAME = "a <b>*bold*<"
"""A class name that would show in bold, were it not escaped."""


@pytest.fixture
def album(home, tmp_path):
    """Two classes of ten, one picture in both, one saved again, one broken file."""
    st.cache_resource.clear()
    files = {f"{name}/{n}.png": encoded(scene(50 * k + n)) for k, name in enumerate((NAME, "b")) for n in range(10)}
    files["b/twice.jpg"] = jpeg(scene(51), 60)
    files["b/of the other class.jpg"] = jpeg(scene(3), 60)
    files["b/cut off.png"] = files["b/0.png"][:900]
    made = create("Planted")
    add_source(made, make_folder(tmp_path / "pictures", files))
    return made


def buttons(app):
    return {button.label: button for button in app.button}


def said(app):
    return "\n".join(str(one.value) for kind in (app.markdown, app.caption, app.warning, app.subheader) for one in kind)


def prepared_of(album) -> PreparedSet:
    return prepare(album.id, as_it_came=True)


def test_planted_defects_are_shown_and_every_action_can_be_undone(album, open_page):
    app = open_page("doctor", data=album.id)
    assert not app.exception
    assert not app.error
    assert {"The same picture in two classes", "The same picture more than once"} <= {
        one.value for one in app.subheader
    }
    assert NAME not in said(app)
    assert "cut off" in said(app)

    relabel = next(label for label in buttons(app) if label.startswith("All are"))
    buttons(app)[relabel].click().run()
    assert not app.exception
    assert corrections.of(prepared_of(album)).changes == 1
    assert "The same picture in two classes" not in {one.value for one in app.subheader}
    buttons(app)["Undo the last"].click().run()
    assert corrections.of(prepared_of(album)).actions == ()
    assert "The same picture in two classes" in {one.value for one in app.subheader}


def test_a_click_never_undoes_what_another_window_corrected_meanwhile(album, open_page):
    app = open_page("doctor", data=album.id)
    next(button for label, button in buttons(app).items() if label.startswith("All are")).click().run()
    prepared = prepared_of(album)
    both = corrections.of(prepared).then("drop", {prepared.files("train")[0]: ""})
    corrections.keep(prepared, both)
    buttons(app)["Undo the last"].click().run()
    assert corrections.of(prepared) == both
    buttons(app)["Undo the last"].click().run()
    assert corrections.of(prepared) == both.undone()


def test_pictures_that_another_window_adds_during_the_preparation_are_none_of_this_set(album, open_page, monkeypatch):
    def prepared_meanwhile(source, **settings):
        prepared = prepare(source, **settings)
        add_pictures(album, "b", ["copy.jpg", "again.jpg"], [jpeg(scene(52), 60), jpeg(scene(52), 80)].__getitem__)
        monkeypatch.setattr(patients, "prepare", prepare)
        return prepared

    before = prepared_of(album)
    monkeypatch.setattr(patients, "prepare", prepared_meanwhile)
    app = open_page("doctor", data=album.id)
    assert not app.exception
    assert not app.error
    assert not (before.directory / "findings.json").exists()  # as it is by now, it would be of other pictures
    app.run()
    assert not app.exception
    assert (prepared_of(album).directory / "findings.json").exists()
    assert "copy.jpg" in said(app).replace("\\", "")


def test_corrections_can_be_carried_out_in_the_collection_itself(album, open_page):
    app = open_page("doctor", data=album.id)
    next(button for label, button in buttons(app).items() if label.startswith("Leave them all out")).click().run()
    before = len(find(album.id).contents().pictures)
    buttons(app)["Carry out in Your pictures"].click().run()
    assert not app.exception
    assert len(find(album.id).contents().pictures) == before - 2
    assert corrections.of(prepared_of(album)).changes == 0
    assert "The same picture in two classes" not in {one.value for one in app.subheader}


def test_a_correction_for_a_class_that_was_renamed_meanwhile_is_not_lost(album, open_page):
    prepared = prepared_of(album)
    wrong = {prepared.files("train")[0]: "b"}
    corrections.keep(prepared, corrections.Corrections().then("relabel", wrong))
    album.rename_class(album.contents().class_called("b"), "c")
    app = open_page("doctor", data=album.id)
    buttons(app)["Carry out in Your pictures"].click().run()
    assert not app.exception
    assert corrections.of(prepared_of(album)).relabelled == wrong


@pytest.mark.parametrize("change", ["translate", "reflect", "colour", "rotate", "scale", "erase"])
def test_every_change_by_chance_is_shown_on_the_own_pictures(album, open_page, change):
    app = open_page("doctor", data=album.id)
    app.segmented_control(key="doctor_change").set_value(change).run()
    assert not app.exception
    assert len(app.slider) == (change != "reflect")


def test_the_strength_of_a_distortion_is_none_of_a_change(album, open_page):
    app = open_page("doctor", data=album.id)
    app.session_state["strength-scale"] = 5  # the place of a level, as the page Break it keeps it for the session
    app.segmented_control(key="doctor_change").set_value("scale").run()
    assert not app.exception
    assert app.slider[0].value == CHANGES["scale"].first


def test_without_a_training_the_page_says_what_to_do(album, open_page):
    app = open_page("doctor", data=album.id)
    assert "Train a network on them" in buttons(app)


@pytest.fixture
def judge(album):
    """A finished run that has learned from the set."""
    prepared = prepared_of(album)
    run = RunDirectory.create(TrainConfig(epochs=1, batch_size=4), DataIdentity.of(prepared))
    network = Network("alexnet_mini", frozen(build("alexnet_mini", 2, 64)), prepared.classes, prepared.preprocessing)
    save_network(run.network_path, network)
    run.write_state(RunState("finished"))
    return run


def test_a_finished_run_doubts_labels_and_is_trained_again(album, judge, open_page, monkeypatch):
    prepared = prepared_of(album)
    first = []  # what an untrained network says is left to chance; here the labels of three pictures are doubted

    def doubting_three(features, labels, classes):
        if not first:
            first.append(np.eye(classes)[labels])
            first[0][:3] = first[0][:3, ::-1]
        return first[0]

    monkeypatch.setattr("app.doctor.suspects.held_out", doubting_three)
    started = []
    monkeypatch.setattr(launcher, "start", lambda settings, data, **more: started.append((settings, data)) or judge)

    app = open_page("doctor", data=album.id)
    buttons(app)["Look for suspicious labels"].click().run()
    assert not app.exception
    assert "suspicious, not wrong" in said(app)
    assert sum(button.label == "Keep the label" for button in app.button) == 3
    next(button for button in app.button if button.label == "Keep the label").click().run()
    assert sum(button.label == "Keep the label" for button in app.button) == 2
    next(button for button in app.button if button.label.startswith("It is")).click().run()
    assert corrections.of(prepared).changes == 1
    buttons(app)["Train again with the corrections"].click().run()
    ((settings, data),) = started
    assert settings == judge.config().settings
    assert data.original == prepared.identity


@pytest.mark.usefixtures("judge")
def test_looking_for_suspicious_labels_can_be_stopped(album, open_page, monkeypatch):
    def left(shared, patient, progress):
        progress(0.1)
        raise ZeroDivisionError  # in the place of a click elsewhere, which ends the page's run in the same way

    monkeypatch.setattr("app.doctor.suspects.doubted", left)
    app = open_page("doctor", data=album.id)
    buttons(app)["Look for suspicious labels"].click().run()
    assert app.exception
    app.button(key="stop_looking").click().run()
    assert not app.exception
    assert "Look for suspicious labels" in buttons(app)


@pytest.mark.usefixtures("judge")
def test_what_cannot_be_looked_through_says_so_once(album, open_page, monkeypatch):
    def broken(*_):
        raise ExplorerError("The network's features are not finite numbers.")

    monkeypatch.setattr("app.doctor.suspects.doubted", broken)
    app = open_page("doctor", data=album.id)
    buttons(app)["Look for suspicious labels"].click().run()
    assert "not finite" in app.error[0].value
    app.run()
    assert not app.error
    assert "Look for suspicious labels" in buttons(app)


@pytest.mark.parametrize("start", ["", "imagenet"])
def test_an_imbalance_is_offered_a_balance_that_the_form_takes_over(home, tmp_path, open_page, start):
    files = {f"a/{n}.png": encoded(scene(n)) for n in range(20)} | {
        f"b/{n}.png": encoded(scene(60 + n)) for n in range(6)
    }
    made = create("Uneven")
    add_source(made, make_folder(tmp_path / "pictures", files))
    app = open_page("doctor", data=made.id)
    app.session_state["new_start"] = start  # as it was left on the page Train
    buttons(app)["Train, classes equally often"].click().run()
    assert not app.exception
    assert app.title[0].value == "Train"
    assert app.selectbox(key="new_data").value == made.id
    assert next(box for box in app.selectbox if box.label == "Balance").value == "sampling"


def test_what_is_corrected_in_one_window_holds_for_the_next_run_from_another(home, open_page, monkeypatch):
    started = []
    monkeypatch.setattr(
        launcher, "start", lambda settings, data, **more: started.append(data) or RunDirectory(data.directory)
    )
    form = open_page("train")  # the digits are prepared unasked
    original = prepare("digits", as_it_came=True)
    changed = corrections.of(original).then("drop", {original.files("train")[0]: ""})
    corrections.keep(original, changed)
    form.run()
    buttons(form)["Start training"].click().run()
    (data,) = started
    assert data.original == original.identity
    assert data.count("train") == original.count("train") - 1


def test_corrections_lie_in_the_home_folder_only(album, open_page):
    app = open_page("doctor", data=album.id)
    next(button for label, button in buttons(app).items() if label.startswith("Leave out")).click().run()
    assert [Path(path).suffix for path in places.corrections_home().iterdir()] == [".json"]


def test_what_was_found_is_kept_for_the_next_start(album, open_page, monkeypatch):
    open_page("doctor", data=album.id)
    st.cache_resource.clear()  # as a new start of the program
    monkeypatch.setattr("app.doctor.patients.examine", lambda *_: pytest.fail("It was examined again."))
    app = open_page("doctor", data=album.id)
    assert not app.exception
    assert "The same picture in two classes" in {one.value for one in app.subheader}
    assert "cut off" in said(app)
