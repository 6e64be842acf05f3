"""A training run from a click to its end, through all that happens to a browser and a server meanwhile."""

import re

import psutil
import pytest
from hands import EPOCH, choose, go_to, grows, press, settle, stands, wait_until
from playwright.sync_api import BrowserContext, Page, expect
from served import Served, environment

from alexnet_core.runs import launcher
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.states import RunState
from app import run_words

FILTERS = re.compile(r"^The \d+ filters of the first layer")
OWN_RUN = re.compile(r"run=(\d{8}-[^&]+)")


def start_long_training(page: Page) -> None:
    """By the form: 150 epochs, more than any test waits for. A curve has some 500 points whatever the length, so of a
    longer run one waits the longer for each."""
    page.goto("/train?run=new")
    page.get_by_text("Settings", exact=True).click()
    page.get_by_role("spinbutton", name="Epochs").fill("150")
    page.get_by_role("spinbutton", name="Epochs").press("Enter")
    expect(page.get_by_text("150 epochs, each a pass over")).to_be_visible()
    press(page, "Start training")
    stands(page, "Training")


def test_a_run_goes_on_whatever_happens_to_its_page(context: BrowserContext, app: Served) -> None:
    page = context.new_page()
    start_long_training(page)
    expect(page).to_have_url(OWN_RUN)
    run = RunDirectory(app.home / "runs" / OWN_RUN.search(page.url)[1])
    grows(page)
    expect(page.get_by_role("img", name=FILTERS)).to_be_visible()

    go_to(page, "Architecture")
    go_to(page, "Train")
    expect(page.get_by_text(EPOCH)).to_be_visible()
    grows(page)
    page.reload()
    expect(page.get_by_text(EPOCH)).to_be_visible()
    grows(page)

    second = context.new_page()
    second.goto("/train")  # without the run's name: a live run is what one came to see
    stands(second, "Training")
    expect(second).to_have_url(re.compile(f"run={run.id}"))
    press(second, "Pause")
    stands(second, "Paused")
    stands(page, "Paused")
    press(page, "Resume")
    stands(page, "Training")
    stands(second, "Training")
    second.close()

    app.kill()
    steps = len(run.events())
    wait_until(lambda: len(run.events()) > steps + 2)
    app.start()
    page.reload()
    stands(page, "Training")
    grows(page)

    press(page, "Stop")
    stands(page, "Stopped")
    assert run.state().status == "stopped"
    steps = len(run.events())
    press(page, "Resume")
    stands(page, "Training")
    wait_until(lambda: len(run.events()) > steps)

    go_to(page, "Look inside")
    page.goto(f"/look_inside?run={run.id}")
    expect(page.get_by_role("heading", name="First filters")).to_be_visible()
    expect(page.get_by_role("img", name=FILTERS)).to_be_visible()
    expect(
        page.get_by_role("img", name=re.compile(r"maps of layer features\.\d+, the strongest first"))
    ).to_be_visible()

    go_to(page, "Train")
    press(page, "Stop")
    stands(page, "Stopped")


def test_an_interrupted_run_goes_on_exactly_at_one_click(
    page: Page, app: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_long_training(page)
    run = RunDirectory(app.home / "runs" / OWN_RUN.search(page.url)[1])
    grows(page)
    press(page, "Pause")  # which saves
    stands(page, "Paused")
    paused_at = len(run.events())
    assert paused_at > 1
    psutil.Process(run.state().pid).kill()
    stands(page, "Interrupted")
    # Word for word: a run that another test left interrupted puts the same sentence into the notice above.
    expect(page.get_by_text(run_words.lost_at_most(), exact=True)).to_be_visible()

    # Whatever the tests before this one have left interrupted is not to go on.
    for other in {path.parent for path in (app.home / "runs").glob("*/config.json")} - {run.path}:
        if RunDirectory(other).state().status == "interrupted":
            RunDirectory(other).write_state(RunState("stopped"))
    go_to(page, "Home")
    press(page, "Go on")
    expect(page).to_have_url(re.compile(f"run={run.id}"))
    stands(page, "Training")
    wait_until(lambda: len(run.events()) > paused_at + 5)
    app.end_runs()
    assert "Going on from step" in (run.path / "log.txt").read_text()

    whole = RunDirectory.create(run.config().settings, run.config().data, app.home / "runs" / "uninterrupted")
    for name, value in environment(app.home).items():
        monkeypatch.setenv(name, value)
    whole.write_state(RunState("stopped"))
    launcher.resume(whole)
    wait_until(lambda: len(whole.events()) > paused_at + 5)
    app.end_runs()
    pairs = list(zip(run.events(), whole.events(), strict=False))
    assert len(pairs) > paused_at + 5
    assert all(one == other for one, other in pairs)


def test_two_clicks_lead_from_the_first_screen_to_a_running_training(page: Page) -> None:
    page.goto("/")
    press(page, "Train a network")
    press(page, "Start training")
    stands(page, "Training")


def test_a_finished_run_shows_what_it_takes_for_what(page: Page, finished: RunDirectory) -> None:
    page.goto(f"/train?run={finished.id}")
    stands(page, "Finished")
    matrix = page.get_by_role("figure", name=re.compile("^Confusion matrix"))
    expect(matrix).to_be_visible()
    choose(page, "Really", "3")
    choose(page, "Taken for", "3")
    expect(page.get_by_role("img", name="Pictures of 3 taken for 3.")).to_be_visible()
    settle(page)
    # The centre of the cell (7, 7), where Plotly itself has it.
    place = matrix.locator(".js-plotly-plot").evaluate(
        """plot => {
            const {xaxis, yaxis} = plot._fullLayout;
            return {x: xaxis._offset + xaxis.l2p(7), y: yaxis._offset + yaxis.l2p(7)};
        }"""
    )
    matrix.locator(".js-plotly-plot").click(position=place)
    expect(page.get_by_role("img", name="Pictures of 7 taken for 7.")).to_be_visible()


def test_a_run_that_is_not_there_is_mentioned_in_a_sentence(page: Page) -> None:
    page.goto("/train?run=no-such-run")
    expect(page.get_by_text("no-such-run is not here any more.")).to_be_visible()
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
