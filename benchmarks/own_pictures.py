"""How long the page Your pictures takes to open with many pictures: `python -m benchmarks.own_pictures [--runs 10]`.

From a click on the page's name in the menu to the page drawn with its thumbnails loaded, in a real Chromium, for a data
set of 50,000 pictures in ten classes: once after something in it has changed, so that its journal is read anew, and
once as it was. The photographs themselves are not there, for the page reads only the journal and thumbnails. Asked of
two cores: one second. Needs Playwright for Python and a Chromium on the path.

And how many photographs of 12 megapixels a second are added, with the most memory that takes.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from alexnet_core.data import album, collecting, journal
from alexnet_core.data.album import Album
from benchmarks.app import URL, launched, served
from benchmarks.report import machine, spread, write

PICTURES, CLASSES, LINE = 50_000, 10, 64
ASKED_S = 1.0
LIMIT_MS = 120_000
PHOTOGRAPH = (4_000, 3_000)
OPENED = """() => new Promise(done => {
    const start = performance.now();
    const drawn = () => [...document.querySelectorAll('h1')].some(h => h.textContent.startsWith('Your pictures'))
        && document.querySelectorAll('[data-testid=stCheckbox]').length >= 36
        && document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'
        && [...document.images].every(image => image.complete && image.naturalWidth > 0);
    const look = () => drawn() ? done(performance.now() - start) : requestAnimationFrame(look);
    [...document.querySelectorAll('a')].find(a => a.href.endsWith('/your_pictures')).click();
    look();
})"""
"""Milliseconds from the click to the page with its pictures."""


def main() -> None:
    """Measure, print, keep the result as own_pictures.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10, help="openings of the page of each kind")
    parser.add_argument("--photographs", type=int, default=60, help="how many of 12 megapixels are added")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        _add(Album(Path(asked.child[0])), Path(asked.child[1]))
        return
    about = machine() | {"streamlit": version("streamlit")}
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        os.environ["ALEXNET_HOME"] = home
        added = _measured_adding(Path(home), asked.photographs)
        made = make(PICTURES, CLASSES)
        browser = launched(playwright)
        about["chromium"] = browser.version
        with served():
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(LIMIT_MS)
            opened = {
                "changed": [_opened(page, made, True) for _ in range(asked.runs + 1)],
                "known": [_opened(page, made, False) for _ in range(asked.runs + 1)],
            }
        browser.close()
    about["load_at_end"] = round(os.getloadavg()[0], 2)
    result = {
        "command": "python -m benchmarks.own_pictures",
        "machine": about,
        "asked_s": ASKED_S,
        "pictures": PICTURES,
        "opened_s": {name: spread(times[1:], 2) for name, times in opened.items()},
        "adding": added,
    }
    for name, row in result["opened_s"].items():
        print(f"opened, {name:<8} {row['median']} s ({row['least']} to {row['largest']}), {row['runs']} runs")
    print(f"added: {added['per_s']} photographs of 12 megapixels a second, peak {added['peak_mb']} MB more")
    write("own_pictures", result)


def make(pictures: int, classes: int) -> Album:
    """A data set of so many pictures, by its journal and thumbnails alone."""
    made = album.create("Fifty thousand")
    chance = np.random.default_rng(0)
    lines = [
        {"do": "class", "action": "x", "class": number, "name": f"class {number}"} for number in range(1, classes + 1)
    ]
    for first in range(0, pictures, LINE):
        names = [f"IMG {number:05d}.jpg" for number in range(first, min(first + LINE, pictures))]
        keys = [hashlib.sha256(name.encode()).hexdigest() for name in names]
        line = {"do": "add", "action": "x", "class": 1 + first * classes // pictures, "split": "", "from": "a folder"}
        lines.append(line | {"pictures": dict(zip(keys, names, strict=True)), "broken": []})
        for key in keys:
            colours = chance.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            made.draw_thumbnail(key, Image.fromarray(colours).resize((album.THUMBNAIL, album.THUMBNAIL)))
    with made.journal_path.open("ab") as file:
        file.writelines(map(journal.line_bytes, lines))
    return made


def _opened(page: Page, made: Album, changed: bool) -> float:
    """Seconds from the click to the page."""
    page.goto(URL)
    page.get_by_role("heading", name="AlexNet Explorer").wait_for()
    page.wait_for_timeout(3_000)  # the rest of the page is drawn
    page.get_by_role("button", name="Your data", exact=True).click()
    page.get_by_role("menuitem", name="Your pictures").wait_for()
    if changed:
        os.utime(made.journal_path)  # another version to whoever remembers it
    return page.evaluate(OPENED) / 1000


def _measured_adding(home: Path, photographs: int) -> dict[str, float]:
    folder, chance = home / "photographs", np.random.default_rng(0)
    for number in range(photographs):
        colours = chance.integers(0, 256, (375, 500, 3), dtype=np.uint8)
        path = folder / f"class {number % 2}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(colours).resize(PHOTOGRAPH, Image.Resampling.BICUBIC).save(path, quality=92)
    size = sum(path.stat().st_size for path in folder.rglob("*.jpg")) / photographs
    made = album.create("Photographs")
    command = [sys.executable, "-m", "benchmarks.own_pictures", "--child", str(made.path), str(folder)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return {
        "photographs": photographs,
        "mean_mb": round(size / 1e6, 1),
        "per_s": round(photographs / float(said[0]), 1),
        "peak_mb": float(said[1]),
    }


def _add(made: Album, folder: Path) -> None:
    """Prints the seconds, and the largest number of MB that the process held more than before."""
    process = psutil.Process()
    before, most = process.memory_info().rss, 0

    def progress(done: int, total: int, stage: str) -> None:
        nonlocal most
        most = max(most, process.memory_info().rss - before)

    started = time.perf_counter()
    collecting.add_source(made, folder, progress=progress)
    print(time.perf_counter() - started, round(most / 1e6, 1))


if __name__ == "__main__":
    main()
