"""How long a person waits for the app: `python -m benchmarks.app [--starts 5] [--clicks 80]`.

From starting the server to the first useful page in a real Chromium (Home, its filters drawn), the browser being open
already; and from a click to the new text of the page (another network chosen on the page Architecture), measured in
the page itself, while a run on digits trains and while the same run is paused, in turns. Asked of two cores: at most
5 s, and at most 250 ms for 95 of 100 clicks. Needs Playwright for Python and a Chromium on the path.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from alexnet_core.data.sources import prepare
from alexnet_core.runs import launcher
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.states import Status
from alexnet_core.training.recipes import settle
from benchmarks.report import machine, spread, write

ROOT = Path(__file__).resolve().parents[1]
PORT = 8630
URL = f"http://127.0.0.1:{PORT}"
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
ASKED = {"first_page_s": 5, "click_ms": 250}
ROUNDS = 4
"""Turns between training and pause: what else the machine does falls on both."""
NETWORKS = ("AlexNet", "AlexNet with batch normalisation", "AlexNet mini")
SUMMARY = "[...document.querySelectorAll('p')].find(p => /^[0-9,]+ parameters,/.test(p.textContent))?.textContent"
CLICK = f"""async ([name, expected]) => {{
    const labels = [...document.querySelectorAll('[role=radio]')];
    const button = labels.find(label => label.textContent.trim() === name);
    const start = performance.now();
    button.click();
    while ({SUMMARY} !== expected) await new Promise(requestAnimationFrame);
    return performance.now() - start;
}}"""


def main() -> None:
    """Measure both, print the table, keep the result as app.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=5, help="how often the server is started")
    parser.add_argument("--clicks", type=int, default=80, help="clicks while training, and as many while paused")
    asked = parser.parse_args()
    about = machine() | {"streamlit": version("streamlit")}
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        os.environ["ALEXNET_HOME"] = home
        browser = launched(playwright)
        about["chromium"] = browser.version
        first = [first_page(browser) for _ in range(asked.starts)]
        with served(), training() as run:
            clicks = in_turns(browser.new_page(), run, asked.clicks)
        browser.close()
    rows = {name: click_row(times) for name, times in clicks.items()}
    about["load_at_end"] = round(os.getloadavg()[0], 2)
    page = spread(first, 2)
    print(f"{'':<34}{'median':>9}{'95 %':>9}{'largest':>9}{'runs':>6}{'asked':>9}")
    print(
        f"{'server to first useful page, s':<34}{page['median']:>9.2f}{'':>9}{page['largest']:>9.2f}{page['runs']:>6}"
        f"{ASKED['first_page_s']:>9}"
    )
    for name, row in rows.items():
        print(
            f"{f'click to new text, {name}, ms':<34}{row['median']:>9.0f}{row['p95']:>9.0f}{row['largest']:>9.0f}"
            f"{row['runs']:>6}{ASKED['click_ms']:>9}"
        )
    print(f"Load of the machine: {about['load_at_start']} at the start, {about['load_at_end']} at the end.")
    result = {"command": "python -m benchmarks.app", "machine": about, "asked": ASKED}
    write("app", result | {"first_page_s": page | {"each": [round(s, 2) for s in first]}, "click_ms": rows})


def launched(playwright: Playwright) -> Browser:
    """The system's Chromium where there is one, else Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next(filter(None, map(shutil.which, names)), None)
    return playwright.chromium.launch(executable_path=path, args=SWITCHES)


@contextmanager
def served() -> Iterator[None]:
    """The app as `make app` serves it, from the start of its process until it answers."""
    command = [sys.executable, "-m", "streamlit", "run", "app/Home.py"]
    command += ["--server.headless", "true", "--server.port", str(PORT)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        while not answers():
            if process.poll() is not None:
                raise SystemExit(f"The server ended at once; is port {PORT} taken?")
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


def answers() -> bool:
    """Whether the server is there."""
    try:
        with urllib.request.urlopen(f"{URL}/_stcore/health", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


def first_page(browser: Browser) -> float:
    """Seconds from the start of a server to the filters on Home; a new context has nothing in its cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    start = time.monotonic()
    with served():
        page.goto(URL)
        page.wait_for_function(
            "[...document.images].some(i => i.alt.includes('filters of the first layer') && i.naturalWidth > 0)",
            timeout=60_000,
        )
        seconds = time.monotonic() - start
        context.close()
    return seconds


@contextmanager
def training() -> Iterator[RunDirectory]:
    """A run on digits that lasts longer than all clicks, at the priority the app gives it; stopped at the end."""
    data = prepare("digits")
    settings = settle(
        {"recipe": "quick", "epochs": 5000},
        train_images=data.count("train"),
        image_size=data.image_size,
        mirrors=data.mirrors,
    )
    run = launcher.start(settings, data)
    try:
        yield run
    finally:
        launcher.end(run)


def in_turns(page: Page, run: RunDirectory, count: int) -> dict[str, list[float]]:
    """Milliseconds of `count` clicks while the run trains and as many while it is paused."""
    page.goto(f"{URL}/architecture")
    texts = {}
    for name in NETWORKS:  # once each before anything is timed: later clicks find the layer tables computed
        page.get_by_role("radio", name=name, exact=True).click()
        page.get_by_role("figure", name=f"{name} drawn to scale").wait_for()
        texts[name] = page.evaluate(SUMMARY)
    times: dict[str, list[float]] = {"training": [], "paused": []}
    for turn in range(ROUNDS):
        for state in times:
            if state == "paused":
                run.ask("PAUSE")
            else:
                run.withdraw("PAUSE")
            wait_for(run, "running" if state == "training" else "paused")
            for click in range(count // ROUNDS):
                name = NETWORKS[(turn + click) % len(NETWORKS)]
                if page.evaluate(SUMMARY) == texts[name]:
                    name = NETWORKS[(turn + click + 1) % len(NETWORKS)]
                times[state].append(page.evaluate(CLICK, [name, texts[name]]))
                # A person reads before the next click; the rest of the page, table and drawing, is there by then.
                page.wait_for_timeout(400)
    return times


def wait_for(run: RunDirectory, status: Status) -> None:
    """Wait until the run says so and, where it trains, has taken a step."""
    steps = len(run.events())
    limit = time.monotonic() + 60
    while run.state().status != status or (status == "running" and len(run.events()) <= steps):
        if time.monotonic() > limit:
            raise SystemExit(f"The run is {run.state().status}, not {status}: {run.state().message}")
        time.sleep(0.1)


def click_row(times: list[float]) -> dict[str, float | int]:
    """The spread with the 95th percentile."""
    return spread(times) | {"p95": round(statistics.quantiles(times, n=20)[-1], 1)}


if __name__ == "__main__":
    main()
