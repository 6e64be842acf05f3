"""What a person does again and again, by the names that a person reads."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

POINTS = """() => Math.max(-1, ...[...document.querySelectorAll('.js-plotly-plot')]
    .flatMap(plot => plot.data ?? []).filter(line => line.name === 'train').map(line => line.x.length))"""
"""How many points the longest training curve on the page has; -1 without one."""

MENUS = {
    "Your pictures": "Your data",
    "Look inside": "Inside the network",
    "Time machine": "Inside the network",
    "Break it": "Explanations",
}
"""The menu that a page's name stands in, of those that the journeys open."""


def choose(page: Page, label: str, option: str) -> None:
    """Choose `option` in the list called `label`."""
    box = page.get_by_role("combobox", name=label, exact=True)
    settle(page)
    box.scroll_into_view_if_needed()
    # Scrolling closes an open list, and is told a frame late: open it after that.
    page.evaluate(FRAMES)
    box.press("ArrowDown")
    page.get_by_role("option", name=option, exact=True).click()


def go_to(page: Page, title: str) -> None:
    """Change the page by the links and menus at its top, and wait for the new one."""
    if title in MENUS:
        press(page, MENUS[title])
    page.get_by_role("menuitem" if title in MENUS else "link", name=title, exact=True).click()
    heading = "AlexNet Explorer" if title == "Home" else title
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()


def stands(page: Page, word: str) -> None:
    """Wait until the run on the page says that it is `word`."""
    badge = page.get_by_role("paragraph").filter(has=page.get_by_role("img"), has_text=re.compile(rf"{word}\s*$"))
    expect(badge).to_be_visible()


def press(page: Page, name: str) -> None:
    """Press a button."""
    page.get_by_role("button", name=name, exact=True).click()


def grows(page: Page) -> None:
    """Wait until the page has a training curve, and then until it has more points."""
    page.wait_for_function(f"({POINTS})() > 0")
    page.wait_for_function(f"({POINTS})() > {page.evaluate(POINTS)}")


FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""What a click brings about stands in the document two frames later."""


def settle(page: Page) -> None:
    """Wait until the page is drawn: nothing runs, nothing fades, each picture has arrived."""
    page.evaluate(FRAMES)
    page.wait_for_function(
        """() => {
            const app = document.querySelector('[data-testid=stApp]');
            return app?.dataset.testScriptState === 'notRunning'
                && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')
                && [...document.images].every(image => image.complete && image.naturalWidth > 0);
        }"""
    )


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something outside the browser."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "It did not happen in time."
        time.sleep(0.1)


EPOCH = re.compile(r"Epoch \d+ of \d+")
