"""The page The family: drawings, chart and table for all, one picture through what is here, the staircase."""

import numpy as np
import pytest
import streamlit as st
import torch

from alexnet_core.models import MODELS, latencies_file
from alexnet_core.models.family import IDEAS
from alexnet_core.models.measuring import Measured, Spread
from alexnet_core.runs.climbed import Climbed
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.staircase import Asked, Staircase
from alexnet_core.runs.stairs import Budget
from alexnet_core.runs.states import RunState
from alexnet_core.training.config import TrainConfig
from app import session
from app.family import numbers, overview, speed
from app.family.ascents import ascents, rows
from app.figures.climbing import accuracy_over_minutes
from app.figures.idea_drawings import DRAWINGS, drawing
from app.sentences import plain
from tests.pictures import png

TABS = {"ideas": "The ideas", "picture": "One picture through all", "numbers": "The numbers", "stairs": "The staircase"}


@pytest.fixture
def on_tab(open_page):
    """Opens the page with one of its tabs in front; in a test no one can click on a tab."""

    def opened(tab: str):
        app = open_page("family")
        app.session_state["family_tabs"] = next(one.label for one in app.tabs if TABS[tab] in one.label)
        return app.run()

    return opened


def test_every_idea_is_drawn_and_no_two_drawings_are_alike():
    assert list(DRAWINGS) == list(IDEAS)
    drawn = [np.asarray(drawing(key)) for key in IDEAS]
    for picture in drawn:
        assert 0.05 < (picture[..., 3] > 0).mean() < 0.9
        # Nothing is cut off at the left or right edge.
        assert picture[:, [0, -1], 3].max() == 0
    assert len({picture.tobytes() for picture in drawn}) == len(IDEAS)


def test_the_chart_has_each_network_with_published_weights():
    dots = [name for trace in overview.chart().data for name in trace.text]
    assert sorted(dots) == sorted(entry.title for entry in MODELS.values() if entry.imagenet_weights)


def test_the_timeline_has_a_line_for_each_parent():
    lines = [trace for trace in overview.timeline().data if trace.mode == "lines"]
    assert len(lines) == sum(len(idea.parents) for idea in IDEAS.values())


def test_the_page_opens_with_the_ideas(home, open_page):
    app = open_page("family")
    assert not app.exception
    assert not app.error
    assert len(app.get("plotly_chart")) == 2
    assert any("What it answers" in text.value for text in app.markdown)


def test_one_picture_through_all(run, on_tab):
    app = on_tab("picture")
    assert not app.exception
    assert not app.error
    assert any("three most probable" in caption.value for caption in app.caption)


def test_the_name_of_a_file_stands_under_its_picture_letter_for_letter(run, on_tab):
    app = on_tab("picture")
    app.session_state["source"] = "upload"
    app.session_state["brought"] = session.brought(png(), "*a* [b](c).png")
    app.run()
    assert not app.exception
    captions = [one.caption for image in app.get("image") for one in image.proto.imgs]
    assert plain("*a* [b](c).png") in captions


def test_a_damaged_network_says_so_on_its_card_and_the_others_answer(run, on_tab):
    # Made later, so it comes first in the list.
    damaged = RunDirectory.create(
        TrainConfig(), DataIdentity("gone", "toys", "Toys", "0"), run.path.parent / "99-damaged"
    )
    damaged.network_path.write_bytes(b"no network")
    damaged.write_state(RunState("finished"))
    app = on_tab("picture")
    assert not app.exception
    assert ["is damaged" in error.value for error in app.error] == [True]
    assert any("three most probable" in caption.value for caption in app.caption)


def test_without_any_network_the_page_says_how_to_get_one(home, on_tab):
    app = on_tab("picture")
    assert not app.exception
    assert any("No network is here yet" in info.value for info in app.info)


def test_the_table_tells_what_is_published_what_is_here_and_what_was_measured(run, on_tab, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    spread = Spread(2.0, 1.0, 3.0, 5)
    latencies_file.write(torch.device("cpu"), [Measured("alexnet", spread, spread)])
    found = {row["Network"]: row for row in numbers._rows()}
    assert len(found) == len(MODELS)
    assert found["AlexNet"]["ImageNet top-1"] == pytest.approx(0.56522)
    assert found["AlexNet"]["Spread, ms"] == "1.0 to 3.0"
    assert found["AlexNet mini"]["ImageNet top-1"] is None
    assert (found["AlexNet mini"]["Best here"], found["AlexNet mini"]["On"]) == (0.5, "Toys")
    app = on_tab("numbers")
    assert not app.exception
    assert any(button.label == "Measure again" for button in app.button)
    assert any("the median of 5 rounds" in caption.value for caption in app.caption)


def test_a_measurement_is_kept_for_the_next_start(home, on_tab, monkeypatch):
    spread = Spread(2.0, 1.0, 3.0, 1)
    monkeypatch.setattr(speed, "measure", lambda names, *_: [Measured(name, spread, spread) for name in names])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    app = on_tab("numbers")
    next(button for button in app.button if button.label == "Measure on this machine").click().run()
    assert not app.exception
    st.cache_resource.clear()  # as a new start of the program
    assert set(speed.known()) == set(MODELS)
    assert any("one round" in caption.value for caption in on_tab("numbers").caption)


CLIMBED = [
    Climbed("alexnet", 0, "run-a", "finished", (0.5, 1.0), (0.4, 0.6), 0.58),
    Climbed("alexnet", 1, "run-b", "finished", (0.5, 1.2), (0.5, 0.7), 0.66),
    Climbed("resnet", 0, "run-c", "running", (0.6,), (0.5,), None),
]


def test_the_staircase_shows_means_and_spread():
    first, second = ascents(CLIMBED)
    assert first.mean == pytest.approx([0.45, 0.65])
    assert first.minutes == pytest.approx([0.5, 1.1])
    assert (first.least, first.largest) == ([0.4, 0.6], [0.5, 0.7])
    assert second.repetitions == 1
    line = accuracy_over_minutes([first, second]).data[0]
    assert line.error_y.array == pytest.approx([0.05, 0.05])
    (row,) = rows(CLIMBED)
    assert [row["Top-1"], row["Least"], row["Largest"], row["Runs"]] == pytest.approx([62, 58, 66, 2])


def test_a_staircase_that_stopped_can_go_on(home, on_tab, monkeypatch):
    identity = DataIdentity("gone", "toys", "Toys", "0" * 64)
    made = Staircase(home / "staircases" / "20260101-000000-abcd")
    (made.path / "control").mkdir(parents=True)
    made._write(Asked(identity, Budget(minutes=1), 2, {}, "2026-01-01T00:00:00"))
    monkeypatch.setattr(Staircase, "results", lambda self: CLIMBED)
    (made.path / "log.txt").write_text("1 of 12\nalexnet: The data set is gone.\n")
    launched = []
    monkeypatch.setattr("alexnet_core.runs.staircase.launch", launched.append)
    app = on_tab("stairs")
    assert not app.exception
    assert any("The data set is gone" in caption.value for caption in app.caption)
    next(button for button in app.button if button.label == "Go on").click().run()
    assert [one.id for one in launched] == [made.id]
