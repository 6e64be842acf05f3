"""How long two hundred runs take to list: `python -m benchmarks.runs [--runs 200] [--rounds 10]`.

Copies of a bundled run's events and timing under two hundred ids in a home of their own. Timed are the list itself
(`runs/listing.summaries`, which reads the small files and the ends of the long ones), the same from all events, and the
page Runs in a real Chromium: from a click on its link to the first row, its server warm. Needs Playwright for Python
and a Chromium on the path.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

from playwright.sync_api import Page, sync_playwright

from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.listing import list_runs, summaries
from alexnet_core.runs.states import RunState
from benchmarks.app import URL, launched, served
from benchmarks.report import machine, spread, write

SOURCE = "alexnet-mini-cifar10"


def main() -> None:
    """Measure all three, print the table, keep the result as runs.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200, help="how many runs there are")
    parser.add_argument("--rounds", type=int, default=10, help="how often each is timed")
    asked = parser.parse_args()
    about = machine() | {"streamlit": version("streamlit")}
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        os.environ["ALEXNET_HOME"] = home
        size = _fill(asked.runs)
        listed = _timed(summaries, asked.rounds)
        parsed = _timed(lambda: [run.events() and run.timings() for run in list_runs()], min(3, asked.rounds))
        browser = launched(playwright)
        about["chromium"] = browser.version
        with served():
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(120_000)
            opened = [_opened(page) for _ in range(asked.rounds + 1)][1:]  # the first one loads the libraries
        browser.close()
    results = {"list_ms": spread(listed), "all_events_ms": spread(parsed), "page_ms": spread(opened)}
    for name, found in results.items():
        print(
            f"{name:<16}{found['median']:>9.1f} ({found['least']:.1f} to {found['largest']:.1f}), {found['runs']} times"
        )
    result = {"command": "python -m benchmarks.runs", "machine": about, "runs": asked.runs, "bytes_each": size}
    write("runs", result | results)


def _fill(count: int) -> int:
    """So many finished runs with the events and timing of a bundled one; the bytes of these of each."""
    source = RunDirectory.find(SOURCE)
    files = {name: (source.path / name).read_bytes() for name in ("metrics.jsonl", "timing.jsonl")}
    for number in range(count):
        settings = replace(source.config().settings, seed=number)
        run = RunDirectory.create(settings, DataIdentity("", "cifar10", "CIFAR-10", "0" * 64), title=f"Run {number}")
        for name, data in files.items():
            (run.path / name).write_bytes(data)
        run.write_state(RunState("finished", "Copied for the benchmark."))
    return sum(map(len, files.values()))


def _timed(work: Callable[[], object], rounds: int) -> list[float]:
    """Milliseconds of each round, after one that is not counted."""
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return times[1:]


def _opened(page: Page) -> float:
    """Milliseconds from the click on the page's link to its first row and the curves."""
    page.goto(f"{URL}/architecture")
    page.get_by_role("heading", name="Architecture", level=1).wait_for()
    page.wait_for_timeout(1500)
    start = time.perf_counter()
    page.get_by_role("link", name="Runs", exact=True).click()
    page.get_by_role("button", name="Details").first.wait_for()
    page.locator(".js-plotly-plot .legend").first.wait_for()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
