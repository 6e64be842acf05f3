"""The form for a new run that begins with what another network has learned."""

import pytest
import streamlit as st
import torch

from alexnet_core.data.sources import prepare
from alexnet_core.errors import ExplorerError
from alexnet_core.models.weights import load_network
from alexnet_core.runs import launcher, trash
from alexnet_core.runs.settings_file import Request, to_link
from alexnet_core.training.recipes import TRANSFER
from app.training import beside


def texts(app):
    return " ".join(element.value for element in (*app.markdown, *app.caption, *app.info))


def button(app, label):
    return next(one for one in app.button if one.label == label)


@pytest.fixture
def started(monkeypatch, run):
    """No process is started; the settings of what would be are listed."""
    asked = []

    def start(settings, data, title="", processes=1):
        asked.append(settings)
        return run

    monkeypatch.setattr(launcher, "start", start)
    return asked


@pytest.fixture
def form(run, open_page):
    """The form, starting from the run's network, with the pictures' side that this has learned from."""
    app = open_page("train", run="new")
    app.selectbox(key="new_start").set_value(run.id).run()
    return app


def test_nothing_is_the_beginning_until_a_network_is_chosen(run, open_page):
    app = open_page("train", run="new")
    assert app.selectbox(key="new_start").value == ""
    assert not set(TRANSFER) & set(app.selectbox(key="new_recipe").options)
    assert "Take" not in [one.label for one in app.button]


def test_a_damaged_beginning_is_a_sentence(run, open_page):
    app = open_page("train", run="new")
    run.network_path.write_bytes(b"no network")
    st.cache_resource.clear()
    app.selectbox(key="new_start").set_value(run.id).run()
    assert not app.exception
    assert "is damaged" in app.error[0].value


def test_a_beginning_that_another_window_deleted_is_none(run, open_page):
    app = open_page("train", run="new")
    trash.delete(run)
    app.selectbox(key="new_start").set_value(run.id).run()
    assert not app.exception
    assert app.selectbox(key="new_start").value == ""


def test_three_ways_stand_side_by_side_with_their_costs(form, run):
    assert not form.exception
    assert form.number_input(key="new_size-digits").value == 32  # that of the network
    said = texts(form)
    assert said.count("multiply-adds") == 3
    assert said.count("of the weights") == 2
    assert "**All** weights" in said
    assert [one.label for one in form.button].count("Take") == 2
    # The classes of the network come from a stranger.
    assert "<b>" not in said.replace(r"\<b\>", "")


def test_the_chosen_way_is_what_starts(form, started, run):
    form.button(key="way-last_layers").click().run()
    button(form, "Start training").click().run()
    assert not form.exception
    settings = started[0]
    assert (settings.start_from, settings.learn, settings.recipe) == (run.id, "last_layers", "last_layers")
    assert settings.model == load_network(run.network_path).name


def test_graphics_cards_are_not_asked_for_where_a_head_learns_alone(form, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    form.run()
    assert not any(field.label == "Graphics cards" for field in form.number_input)
    form.button(key="way-last_layers").click().run()
    assert any(field.label == "Graphics cards" for field in form.number_input)


def test_times_are_told_when_asked_for(form, estimates):
    assert not any(settings.start_from for settings in estimates)
    button(form, "Estimate the times").click().run()
    assert not form.exception
    assert texts(form).count("about **42 s**") == 3
    assert {settings.learn for settings in estimates} >= set(TRANSFER)


def test_the_times_are_those_of_three_ways_also_with_settings_that_came(run, open_page, estimates):
    came = launcher.settled({"start_from": run.id, "learn": "head", "epochs": 33}, prepare("digits", image_size=32))
    link = to_link(Request(came.as_dict(), "digits", "Digits", 32))
    app = open_page("train", run="new", settings=link)
    button(app, "Estimate the times").click().run()
    assert not app.exception
    timed = {settings.recipe: settings for settings in estimates if settings.start_from}
    assert {name: settings.learn for name, settings in timed.items()} == {name: name for name in TRANSFER}
    assert timed["head"].epochs == 33
    assert timed["everything"].epochs == TRANSFER["everything"].settings["epochs"]


@pytest.mark.parametrize("learn", ["last_layers", "everything"])
def test_a_run_of_another_recipe_is_repeated_by_the_way_that_it_went(run, open_page, started, learn):
    asked = {"start_from": run.id, "recipe": "quick", "learn": learn, "copy_layers": 3, "epochs": 5, "seed": 4}
    came = launcher.settled(asked, prepare("digits", image_size=32))
    app = open_page("train", run="new", settings=to_link(Request(came.as_dict(), "digits", "Digits", 32)))
    assert "Filled in like a run of" in texts(app)
    button(app, "Start training").click().run()
    assert not app.exception
    assert started[0].as_dict() == came.as_dict() | {"recipe": learn}


def test_from_scratch_beside_it_starts_two_runs_of_equal_length(form, started, run):
    form.button(key="start_both").click().run()
    assert not form.exception
    transfer, scratch = started
    assert (transfer.start_from, scratch.start_from) == (run.id, "")
    assert (transfer.epochs, transfer.model, transfer.seed) == (scratch.epochs, scratch.model, scratch.seed)
    assert scratch.recipe == "quick"


def test_equal_time_counts_epochs(monkeypatch, digits_64):
    def seconds(settings, *_):
        return 30.0 if settings.start_from else 5.0 + 2.0 * settings.epochs  # five seconds for the test at the end

    monkeypatch.setattr(beside.estimates, "seconds", seconds)
    settings = launcher.settled({"start_from": "a-run"}, digits_64)
    assert beside.from_scratch(settings, digits_64, "time").epochs == 15
    assert beside.from_scratch(settings, digits_64, "epochs").epochs == settings.epochs


@pytest.fixture
def digits_64(home):
    from alexnet_core.data.sources import prepare

    return prepare("digits", image_size=32)


def test_another_size_is_told_before_the_start(form, started):
    form.number_input(key="new_size-digits").set_value(48).run()
    assert "has learned from pictures of 32 × 32" in texts(form)
    button(form, "Start training").click().run()
    assert "looks at pictures of 32 x 32 pixels" in form.error[0].value
    assert not started


def test_imagenet_without_a_connection_is_one_sentence(run, open_page, started, monkeypatch):
    def no_connection(*_, **__):
        raise ExplorerError("The ImageNet weights could not be fetched (no route).")

    monkeypatch.setattr("app.fetching.imagenet_file", no_connection)
    app = open_page("train", run="new")
    app.selectbox(key="new_start").set_value("imagenet").run()
    app.number_input(key="new_size-digits").set_value(32).run()
    assert "fetched once" in texts(app)
    button(app, "Start training").click().run()
    assert not app.exception
    assert "could not be fetched" in app.error[0].value
    assert not started
