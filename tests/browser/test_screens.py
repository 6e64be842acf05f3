"""Every page in light and dark, wide and narrow: screenshots for people, and what a machine can check of them."""

import re
import time
from collections.abc import Callable

import pytest
from conftest import PATIENCE, WIDE
from hands import settle, stands
from playwright.sync_api import Browser, Page, expect
from served import ROOT, Served

from alexnet_core.runs.directory import RunDirectory

SCREENSHOTS = ROOT / "test-output" / "screenshots"
"""Ignored by git; kept as output of the continuous integration."""
SHAPES = {"wide": WIDE, "narrow": {"width": 390, "height": 844}}
FOLLOWS = 5.0
"""Seconds in which the charts of a page must have followed its window."""


def _home(page: Page) -> None:
    """The bundled network's filters and an explained picture, without a click."""
    expect(page.get_by_role("img", name="48 filters of the first layer")).to_be_visible()
    expect(page.get_by_role("img", name="coloured by how much each region speaks for")).to_be_visible()
    expect(page.get_by_role("button", name="Train a network")).to_be_visible()


def _architecture(page: Page) -> None:
    expect(page.get_by_role("heading", name="All layers")).to_be_visible()


def _new_run(page: Page) -> None:
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
    expect(page.get_by_role("figure", name="Training pictures of each")).to_be_visible()


def _finished_run(page: Page) -> None:
    stands(page, "Finished")
    expect(page.get_by_role("figure", name="Confusion matrix")).to_be_visible()


def _look_inside(page: Page) -> None:
    expect(page.get_by_role("img", name=re.compile(r"^Map \d+ of layer"))).to_be_visible()


def _units(page: Page) -> None:
    expect(page.get_by_role("img", name="patches to which unit")).to_have_count(2)
    expect(page.get_by_role("button", name="Grow a picture")).to_be_visible()


def _lesions(page: Page) -> None:
    expect(page.get_by_role("figure", name="Probabilities before and after")).to_be_visible()


def _explain(page: Page) -> None:
    expect(page.get_by_role("img", name="the picture coloured by").nth(1)).to_be_visible()
    expect(page.get_by_role("button", name="Download PNG").first).to_be_visible()


def _titled(title: str) -> Callable[[Page], None]:
    """The page with that title and a picture on it."""

    def is_there(page: Page) -> None:
        expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
        expect(page.get_by_role("main").get_by_role("img").first).to_be_visible()

    return is_there


SCREENS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "home": ("/", _home),
    "architecture": ("/architecture", _architecture),
    "new-run": ("/train?run=new", _new_run),
    "finished-run": ("/train?run={run}", _finished_run),
    "look-inside": ("/look_inside?run={run}", _look_inside),
    "units": ("/units?run={run}", _units),
    "lesions": ("/lesions?run={run}", _lesions),
    "neighbours": ("/neighbours?run={run}", _titled("Neighbours")),
    "time-machine": ("/time_machine?run={run}", _titled("Time machine")),
    "explain": ("/explain?run={run}", _explain),
    "break-it": ("/break_it?run={run}", _titled("Break it")),
    "how-sure": ("/how_sure?run={run}", _titled("How sure is it")),
}


@pytest.mark.parametrize(("scheme", "shapes"), [("light", ("wide", "narrow")), ("dark", ("narrow", "wide"))])
def test_every_page_stands_in_its_window(
    chromium: Browser, app: Served, finished: RunDirectory, scheme: str, shapes: tuple[str, str]
) -> None:
    """Each page is opened in either shape, and once it is there its window takes the other one."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    context = chromium.new_context(viewport=SHAPES[shapes[0]], color_scheme=scheme, base_url=app.url)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    mistakes = []
    for name, (address, is_there) in SCREENS.items():
        page.set_viewport_size(SHAPES[shapes[0]])
        page.goto(address.format(run=finished.id))
        for shape in shapes:
            size = SHAPES[shape]
            page.set_viewport_size(size)
            is_there(page)
            settle(page)
            mistakes += [f"{name}, {shape}: {mistake}" for mistake in _mistakes(page)]
            # The page scrolls inside its window: for a picture of the whole, the window grows to the page.
            height = page.get_by_role("main").evaluate("main => main.scrollHeight")
            page.set_viewport_size({"width": size["width"], "height": height})
            settle(page)
            page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{shape}.png", animations="disabled")
    context.close()
    assert not mistakes


def _mistakes(page: Page) -> list[str]:
    """What one would not show to anybody."""
    found = []
    wide = (
        """main => Math.max(document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth)"""
    )
    end = time.monotonic() + FOLLOWS
    while (over := page.get_by_role("main").evaluate(wide)) > 0 and time.monotonic() < end:
        page.wait_for_timeout(100)
    if over > 0:
        found.append(f"{over} pixels wider than the window")
    nameless = page.evaluate("[...document.images].filter(image => !image.alt.trim()).length")
    if nameless:
        found.append(f"{nameless} pictures without an alternative text")
    if "Traceback" in page.locator("body").inner_text():
        found.append("a stack trace")
    return found
