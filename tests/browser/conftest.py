"""The served app and a real Chromium, one of each for all browser tests, and a new page for each test."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import ROOT, Served, environment

from alexnet_core.runs.directory import RunDirectory

try:
    from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
except ImportError:  # the app itself does without it
    Browser = BrowserContext = Page = object
    sync_playwright = None

PATIENCE = 30_000
"""Milliseconds until an expected thing counts as missing: a slow machine is not a mistake."""
WIDE = {"width": 1440, "height": 900}
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here are browser tests; without a browser they are skipped, or fail where one is required."""
    missing = "Playwright is not installed" if sync_playwright is None else None
    missing = missing or (None if _chromium() else "there is no Chromium on this machine")
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker("browser")
            if missing and os.environ.get("REQUIRE_BROWSER") != "1":
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home folder for the served app and all that is done in it."""
    return tmp_path_factory.mktemp("browser") / "home"


@pytest.fixture(scope="session")
def app(home: Path) -> Iterator[Served]:
    """The served app. At the end its log must hold no mistake that reached nobody."""
    home.mkdir()
    served = Served(home)
    served.start()
    try:
        yield served
    finally:
        served.end_runs()
        served.stop()
    log = served.log.read_text()
    assert "Traceback" not in log, log
    assert "Uncaught" not in log, log


@pytest.fixture(scope="session")
def finished(home: Path, app: Served) -> RunDirectory:
    """A short run on digits, trained to its end by the command line: the same run directory as from a click. Its
    pictures have 32 pixels, half as many as a click would take: a quarter of the work, here and on each page."""
    path = home / "runs" / "short"
    command = [sys.executable, "-m", "alexnet_core", "train", "--data", "digits", "--size", "32", "--epochs", "2"]
    command += ["--out", str(path), "--threads", "1"]
    subprocess.run(command, cwd=ROOT, env=environment(home), check=True, capture_output=True)
    return RunDirectory(path)


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """The system's own browser; nothing is downloaded."""
    if sync_playwright is None or _chromium() is None:
        pytest.fail("REQUIRE_BROWSER=1, but Playwright or Chromium is missing")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: "Browser", app: Served) -> Iterator["BrowserContext"]:
    """A person at a wide screen; two pages of it are two tabs. No page of it may end on a stack trace, and no run
    goes on into the next test."""
    context = chromium.new_context(viewport=WIDE, base_url=app.url, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    broken: list[str] = []
    context.on("weberror", lambda error: broken.append(str(error.error)))
    yield context
    app.end_runs()
    for page in context.pages:
        assert "Traceback" not in page.locator("body").inner_text()
    assert not broken
    context.close()


@pytest.fixture
def page(context: "BrowserContext") -> "Page":
    """An empty tab."""
    return context.new_page()
