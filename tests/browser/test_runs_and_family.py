"""Runs found, named, laid over each other, deleted and started again; the family's drawings, its speed here, and one
picture through several networks; the experiment with copied layers."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hands import choose, press, settle
from playwright.sync_api import Locator, Page, expect
from served import Served

from alexnet_core.models import latencies_file
from alexnet_core.models.measuring import measure
from alexnet_core.runs.directory import RunDirectory
from app.figures.idea_drawings import DRAWINGS, in_words

STARTED = re.compile(r"run=(\d{8}-[^&]+)")


@pytest.fixture
def other(finished: RunDirectory) -> Iterator[RunDirectory]:
    """The finished run once more, as if it had been trained with a smaller learning rate."""
    path = finished.path.parent / "other"
    shutil.copytree(finished.path, path)
    said = json.loads((path / "config.json").read_text("utf-8"))
    said["settings"]["lr"] = 0.002
    (path / "config.json").write_text(json.dumps(said | {"title": "A slow learner"}), "utf-8")
    yield RunDirectory(path)
    shutil.rmtree(path, ignore_errors=True)


def boxes(page: Page) -> Locator:
    """The boxes in front of the listed runs."""
    return page.get_by_test_id("stCheckbox")


def open_run(page: Page, run: RunDirectory, tab: str) -> None:
    """The run's row in the list, with one of its tabs in front."""
    page.goto(f"/runs?open={run.id}")
    page.get_by_role("tab", name=tab).click()


def test_runs_are_compared_and_found(page: Page, finished: RunDirectory, other: RunDirectory) -> None:
    page.goto(f"/runs?compare={finished.id},{other.id}")
    expect(page.get_by_role("figure", name="Validation top-1 of 2 runs over the epoch.")).to_be_visible()
    page.get_by_role("radio", name="Time").click()
    expect(page.get_by_role("figure", name="Validation top-1 of 2 runs over the minutes of training.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile(r"^Learning rate .*0\.002$"))).to_be_visible()

    search = page.get_by_role("textbox", name="Search")
    search.fill("slow digits")
    search.press("Enter")
    expect(boxes(page)).to_have_count(1)
    search.fill("")
    search.press("Enter")
    expect(boxes(page).nth(1)).to_be_visible()
    choose(page, "Order", "By name")
    expect(boxes(page).first).to_contain_text("A slow learner")


def test_a_run_is_named_annotated_deleted_and_brought_back(page: Page, other: RunDirectory) -> None:
    open_run(page, other, "Name and note")
    page.get_by_role("textbox", name="Name", exact=True).fill("Too <b>slow</b>")
    page.get_by_role("textbox", name="Note", exact=True).fill("Next time ten times as fast.")
    press(page, "Save")
    expect(boxes(page).filter(has_text="Too <b>slow</b>")).to_be_visible()
    expect(page.get_by_text("Next time ten times as fast.").first).to_be_visible()
    assert other.title() == "Too <b>slow</b>"

    page.get_by_role("tab", name="Delete").click()
    press(page, "Delete")
    expect(page.get_by_text("lies in the trash.")).to_be_visible()
    expect(boxes(page).filter(has_text="Too <b>slow</b>")).to_have_count(0)
    assert not other.path.exists()
    press(page, "Undo")
    expect(boxes(page).filter(has_text="Too <b>slow</b>")).to_be_visible()
    assert other.title() == "Too <b>slow</b>"


def test_a_run_is_started_again_with_one_change(page: Page, app: Served, finished: RunDirectory) -> None:
    open_run(page, finished, "Start again")
    seed = page.get_by_role("spinbutton", name="Seed")
    seed.fill("7")
    seed.press("Enter")
    settle(page)
    press(page, "Start this run")
    expect(page).to_have_url(STARTED)
    started = RunDirectory(app.home / "runs" / STARTED.search(page.url)[1])
    before, now = (run.config().settings.as_dict() for run in (finished, started))
    assert now == before | {"seed": 7}
    assert started.config().data == finished.config().data


def test_settings_travel_as_a_link_and_as_a_file(page: Page, finished: RunDirectory, tmp_path: Path) -> None:
    open_run(page, finished, "Start again")
    link = page.get_by_text(re.compile(r"/train\?settings="))
    expect(link).to_be_visible()
    address = link.inner_text().strip()
    with page.expect_download() as download:
        press(page, "Settings as a file")
    file = tmp_path / "settings.json"
    download.value.save_as(file)

    page.goto(address)
    expect(page.get_by_text("Filled in like a run of AlexNet mini on Digits.")).to_be_visible()
    expect(page.get_by_text("2 epochs, each a pass over")).to_be_visible()
    press(page, "Forget them")
    expect(page.get_by_text("Filled in like")).to_have_count(0)
    settle(page)
    page.get_by_text("Settings from a file", exact=True).click()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("Filled in like a run of AlexNet mini on Digits.")).to_be_visible()
    expect(page.get_by_text("2 epochs, each a pass over")).to_be_visible()


def test_the_family_is_drawn_measured_and_shown_one_picture(
    page: Page, app: Served, finished: RunDirectory, other: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All networks take most of a minute; two of them, measured by this process on the same machine, a moment.
    monkeypatch.setenv("ALEXNET_HOME", str(app.home))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    latencies_file.write(device, measure(["alexnet_sprint", "alexnet_mini"], device, seconds=1.0))
    measured = page.get_by_text(re.compile(r"^Measured at \d\d:\d\d on the "))

    page.goto("/family")
    expect(page.get_by_role("figure", name="Networks as dots")).to_be_visible()
    expect(page.get_by_role("figure", name="Ideas over the years")).to_be_visible()
    for key in DRAWINGS:
        expect(page.get_by_role("img", name=in_words(key), exact=True)).to_be_visible()

    page.get_by_role("tab", name="The numbers").click()
    expect(measured).to_be_visible()
    press(page, "Measure again")
    expect(page.get_by_text("Measuring AlexNet").first).to_be_visible()
    # Streamlit's own bar has a button of that name, too, while a page computes.
    page.get_by_role("main").get_by_role("button", name="Stop", exact=True).click()
    expect(measured).to_be_visible()
    settle(page)  # a click while the page is drawn anew is lost on a slow machine

    page.get_by_role("tab", name="One picture through all").click()
    maps = page.get_by_role("img", name="The picture, coloured by how much each region speaks for")
    expect(maps.nth(1)).to_be_visible()
    expect(page.get_by_text(re.compile(r"three most probable answers"))).to_be_visible()
    (app.home / "latencies.json").unlink()


def test_layers_are_copied_for_other_classes(page: Page) -> None:
    page.goto("/transferability")
    expect(page.get_by_role("figure", name="Six networks of eight layers")).to_be_visible()
    expect(page.get_by_role("button", name="Train 30 networks")).to_be_visible()
    settle(page)
    layers = page.get_by_role("combobox", name="Layers copied")
    layers.focus()
    for _ in range(6):
        layers.press("Backspace")
    epochs = page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("200")  # so many that the first network is still learning when it is stopped
    epochs.press("Enter")
    press(page, "Train 6 networks")
    expect(page.get_by_text("of 6 networks trained")).to_be_visible()
    expect(page.get_by_text(re.compile("^Now: .*base B"))).to_be_visible()
    press(page, "Stop")
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
