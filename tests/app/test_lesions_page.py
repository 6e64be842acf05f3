"""The page Lesions: what falls when units are taken away, and which unit a class needs."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
from test_pages import HOSTILE, sound, texts

from alexnet_core.insight.lesions import Need, Outcome
from alexnet_core.insight.prediction import logits
from app import remembered, session
from app.inside import lesions


def test_without_classes_the_prediction_still_changes(run, open_page):
    app = open_page("lesions", run=run.id)
    assert sound(app)
    assert any("have no classes" in info.value for info in app.info)
    assert not any("Measure all" in button.label for button in app.button)
    assert HOSTILE not in texts(app)


def test_accuracies_and_what_each_class_needs(run, open_page, labelled):
    app = open_page("lesions", run=run.id, layer="features.1")
    assert sound(app)
    assert "Over all classes" in texts(app)
    app.button[0].click().run()
    assert sound(app)
    (table,) = app.dataframe
    assert len(table.value) == 24
    falls = table.value["Probability falls by"].tolist()
    assert falls == sorted(falls, reverse=True)
    assert ("needs unit" in texts(app)) or ("needs no single unit" in texts(app))
    assert HOSTILE not in texts(app)


def test_what_was_measured_for_a_page_that_was_left_is_kept(run, open_page, labelled, monkeypatch):
    shared = session.load(run.id)
    gallery = labelled
    whole = [need.unit for need in lesions.needs(shared, gallery, "features.1", lambda *_: None)]
    remembered._store.clear()
    told = []

    def left(share, words):
        told.append(words)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lesions.needs(shared, gallery, "features.1", left)
    assert "left" in told[0]
    again = []
    found = lesions.needs(shared, gallery, "features.1", lambda share, words: again.append(words))
    assert [need.unit for need in found] == whole
    assert again[0].startswith("Unit 4 of")


@pytest.mark.parametrize(
    ("without", "said"),
    [(0.5, "30.0 percentage points less often"), (0.9, "10.0 percentage points more often"), (0.8, "as often as")],
)
def test_the_finding_says_which_way_the_accuracy_moves(without, said):
    whole = Outcome(np.array([0.8]), np.array([0.7]), 0.8)
    need = Need(0, 1, Outcome(np.array([without]), np.array([0.4]), without))
    assert said in lesions.finding([need], whole, 0, 0, "cats")


def test_a_factor_of_one_changes_nothing(run, open_page, labelled):
    app = open_page("lesions", run=run.id, layer="features.1")
    app.slider(key="factor").set_value(1.0).run()
    assert sound(app)
    caption = next(one.value for one in app.caption if one.value.startswith("Over all classes"))
    before, after = caption.removeprefix("Over all classes ").split(" after")[0].split(" before and ")
    assert before == after


def test_no_unit_chosen_changes_nothing_and_fails_nowhere(run, open_page, labelled):
    app = open_page("lesions", run=run.id, layer="features.1")
    app.multiselect[0].set_value([]).run()
    assert sound(app)


@pytest.mark.parametrize("factor", [0.0, 2.5])
def test_what_is_said_about_the_picture_is_what_the_network_with_the_changed_units_says(lively, open_page, factor):
    network, picture = session.load(lively.id).network, session.sample("ship").image
    hurt = copy.deepcopy(network.model)
    for numbers in (hurt.features[1].weight, hurt.features[1].bias):
        numbers[[3, 5]] *= factor  # of a normalisation before a ReLU: what this one puts out is as many times as large
    before, after = (
        logits(replace(network, model=model), [picture]).softmax(dim=1)[0].numpy() for model in (network.model, hurt)
    )
    assert np.abs(after - before).max() > 0.01
    app = open_page("lesions", run=lively.id, layer="features.2")
    app.multiselect[0].set_value([3, 5])
    app.slider(key="factor").set_value(factor).run()
    assert sound(app)
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
    shown = {line["name"]: line["x"] for line in drawn if "name" in line}
    order = np.argsort(-before)
    assert shown["before"] == pytest.approx(before[order], abs=1e-5)
    assert shown["after"] == pytest.approx(after[order], abs=1e-5)


def test_a_lesion_outlasts_a_look_at_another_page(run, open_page, labelled):
    app = open_page("lesions", run=run.id, layer="features.1")
    app.multiselect[0].set_value([3, 5]).run()
    app.switch_page("views/runs.py").run()
    app.switch_page("views/lesions.py").run()
    assert sound(app)
    assert app.multiselect[0].value == [3, 5]
