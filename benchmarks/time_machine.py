"""How long a step of the time machine takes: `python -m benchmarks.time_machine [--steps 30]`.

From the key that moves the slider to the new moment on the screen, in a real Chromium: its sentence, and its filters
loaded. Once for a bundled run, whose snapshots hold the first layer, and once for a small network that learned
scikit-learn's digits a minute ago, whose snapshots are whole. Before the first step a run's film is made; that time is
told, too. Asked of two cores: a step within 150 ms. Needs Playwright for Python and a Chromium on the path.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version

from playwright.sync_api import Page, sync_playwright

from alexnet_core.places import runs_home
from benchmarks.app import ROOT, URL, launched, served
from benchmarks.report import machine, spread, write

BUNDLED = "alexnet-narrow-imagenette"
ASKED_MS = 150
LIMIT_MS = 600_000
WATCH = """() => {
    const said = () => [...document.querySelectorAll('p')].find(p => p.textContent.startsWith('Step '))?.textContent;
    const shown = () => document.images[0];
    const [before, source] = [said(), shown().src];
    window.moved = new Promise(done => document.addEventListener('keydown', () => {
        const start = performance.now();
        const look = () => said() !== before && shown().src !== source && shown().complete
            ? done(performance.now() - start) : requestAnimationFrame(look);
        look();
    }, {once: true, capture: true}));
}"""
"""Resolves `moved` with the milliseconds from the next key to the new moment."""


def main() -> None:
    """Measure both runs, print the table, keep the result as time_machine.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=30, help="steps of the slider in each run")
    asked = parser.parse_args()
    about = machine() | {"streamlit": version("streamlit")}
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        os.environ["ALEXNET_HOME"] = home
        command = [sys.executable, "-m", "alexnet_core", "train", "--data", "digits", "--threads", "1"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        (digits,) = (path.name for path in runs_home().iterdir())
        browser = launched(playwright)
        about["chromium"] = browser.version
        rows = {}
        with served():
            for name, run in (("first layers", BUNDLED), ("whole snapshots", digits)):
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.set_default_timeout(LIMIT_MS)
                rows[name] = _steps(page, run, asked.steps)
                page.close()
        browser.close()
    about["load_at_end"] = round(os.getloadavg()[0], 2)
    print(f"{'ms':<24}{'median':>9}{'least':>9}{'largest':>9}{'runs':>6}{'asked':>8}{'film, s':>10}")
    for name, row in rows.items():
        print(
            f"{name:<24}{row['median']:>9}{row['least']:>9}{row['largest']:>9}{row['runs']:>6}{ASKED_MS:>8}"
            f"{row['film_s']:>10}"
        )
    print(f"Load of the machine: {about['load_at_start']} at the start, {about['load_at_end']} at the end.")
    result = {"command": "python -m benchmarks.time_machine", "machine": about, "asked_ms": ASKED_MS}
    write("time_machine", result | {"step": rows})


def _steps(page: Page, run: str, steps: int) -> dict[str, float | int]:
    """The spread of `steps` keys, after two that are not counted, and the seconds until the page could be used."""
    started = time.perf_counter()
    page.goto(f"{URL}/time_machine?run={run}")
    slider = page.get_by_role("slider")
    slider.wait_for()
    film_s = time.perf_counter() - started
    page.wait_for_timeout(2_000)  # the rest of the page is drawn
    times = []
    for number in range(steps + 2):
        slider.focus()
        page.evaluate(WATCH)
        page.keyboard.press("ArrowLeft" if number // 20 % 2 == 0 else "ArrowRight")
        times.append(page.evaluate("window.moved"))
        page.wait_for_timeout(400)
    return spread(times[2:]) | {"film_s": round(film_s, 1)}


if __name__ == "__main__":
    main()
