"""From a click to the first event, and the memory of a training: `python -m benchmarks.start [--runs 5]`.

In a real Chromium on the page Train: from the click on “Start training” to the first line of the run's metrics.jsonl,
for digits and for CIFAR-10, both prepared; asked: at most 5 s. Then one training of each by the command, its memory
looked at twice a second in the system's own account (smaps, so Linux alone), apart into what the process wrote itself
(anonymous), and the program's files and libraries (shared between processes, and the system's to drop). Pictures are
read, not mapped; mapped ones would be told apart. Asked of `alexnet_mini`: at most 1.3 GB, data aside: without the
training and validation pictures, which the training keeps in memory.
"""

import argparse
import os
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from alexnet_core import places
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.data.sources import prepare
from alexnet_core.runs import launcher
from alexnet_core.runs.directory import RunDirectory
from benchmarks import cifar
from benchmarks.app import URL, launched, served
from benchmarks.report import machine, spread, write
from benchmarks.watching import appended, watch

ASKED = {"first_event_s": 5, "memory_gb": 1.3}
LIMIT_SECONDS = 120
LOOK_SECONDS = 0.5


def main() -> None:
    """Measure both, print the table, keep the result as start.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="clicks for each data set")
    parser.add_argument("--zip", type=Path, default=cifar.ZIP, help="CIFAR-10, a zip of class folders")
    parser.add_argument("--trial", action="store_true", help="write nothing")
    asked = parser.parse_args()
    result: dict[str, Any] = {"command": "python -m benchmarks.start", "machine": machine(), "asked": ASKED}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        os.environ["ALEXNET_HOME"] = folder
        sets = {"digits": prepare("digits"), "CIFAR-10": PreparedSet.open(cifar.prepared(asked.zip, home)[0])}
        browser = launched(playwright)
        result["first_event_s"] = {}
        with served():
            for name, data in sets.items():
                seconds = [from_click(browser, data) for _ in range(asked.runs)]
                result["first_event_s"][name] = spread(seconds, 2) | {"each": [round(s, 2) for s in seconds]}
                print(f"click to first event, {name:<10}{spread(seconds, 2)}  asked: {ASKED['first_event_s']} s")
        browser.close()
        if Path("/proc/self/smaps").exists():
            result["memory_mb"] = {}
            for name, data in sets.items():
                result["memory_mb"][name] = found = memory_of_a_run(data, home)
                print(
                    f"memory in MB, {name:<10}{found}  asked: {1000 * ASKED['memory_gb']:,.0f} data aside", flush=True
                )
    if not asked.trial:
        write("start", result)


def from_click(browser: Browser, data: PreparedSet) -> float:
    """Seconds from the click to the first event of the run that it starts; the run is ended then."""
    page = browser.new_page(viewport={"width": 1440, "height": 1600})
    page.goto(f"{URL}/train?run=new")
    pictures = page.get_by_role("combobox", name="Pictures", exact=True)
    pictures.wait_for(timeout=60_000)
    option = re.compile("^" + re.escape(data.title))
    pictures.press("ArrowDown")
    page.get_by_role("option", name=option).click()
    page.get_by_text(re.compile("^Some of the training pictures of")).filter(has_text=data.title).wait_for()
    still = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
    page.wait_for_timeout(500)
    page.wait_for_function(still, timeout=60_000)  # the outlook below the button, too, is computed by then
    before = set(places.runs_home().glob("*"))
    start = time.monotonic()
    page.get_by_role("button", name="Start training", exact=True).click()
    while time.monotonic() - start < LIMIT_SECONDS:
        for path in set(places.runs_home().glob("*")) - before:
            if next(appended(path / "metrics.jsonl")):
                seconds = time.monotonic() - start
                launcher.end(RunDirectory(path))
                page.close()
                return seconds
        time.sleep(0.01)
    raise SystemExit(f"No run wrote an event within {LIMIT_SECONDS} s after the click.")


class Memory:
    """The most that a process had at one time, data aside, looked at every now and then."""

    def __init__(self, data: Path) -> None:
        self.data, self.looked, self.most = data, 0.0, dict.fromkeys(("anonymous", "program", "mapped_pictures"), 0.0)

    def look(self, process: int) -> None:
        """One look, where the last is long enough ago."""
        if time.monotonic() - self.looked > LOOK_SECONDS:
            self.looked = time.monotonic()
            try:
                text = Path(f"/proc/{process}/smaps").read_text()
            except (FileNotFoundError, ProcessLookupError):
                return  # it has just ended
            found = parts(text, self.data)
            if found["anonymous"] + found["program"] > self.most["anonymous"] + self.most["program"]:
                self.most = found


def parts(smaps: str, data: Path) -> dict[str, float]:
    """MB in memory, from the text of /proc/PID/smaps: anonymous (written by the process), mapped pictures (files below
    `data`), and the program (other files)."""
    sums = dict.fromkeys(("anonymous", "program", "mapped_pictures"), 0.0)
    kind, resident = "program", 0.0
    for line in smaps.splitlines():
        key, *values = line.split(maxsplit=5)
        if re.fullmatch("[0-9a-f]+-[0-9a-f]+", key):
            kind = "mapped_pictures" if len(values) == 5 and values[4].startswith(f"{data}/") else "program"
        elif key == "Rss:":
            resident = int(values[0]) * 1024 / 1e6
        elif key == "Anonymous:":
            own = int(values[0]) * 1024 / 1e6
            sums["anonymous"] += own
            sums[kind] += resident - own
    return sums


def memory_of_a_run(data: PreparedSet, home: Path) -> dict[str, float]:
    """The most of two epochs of `alexnet_mini` by the command, in MB, and the largest figure of its timing.jsonl."""
    memory = Memory(data.directory)
    arguments = ["--data", str(data.directory), "--model", "alexnet_mini", "--epochs", "2"]
    run = watch(arguments, home, memory.look)
    kept = sum(data.count(split) for split in ("train", "val")) * data.image_size**2 * 3 / 1e6
    aside = memory.most["anonymous"] + memory.most["program"] - kept
    found = {**memory.most, "kept_pictures": kept, "data_aside": aside, "timing_jsonl": max(
        line["memory_mb"] for line in run.timings
    )}  # fmt: skip
    return {name: round(value) for name, value in found.items()}


if __name__ == "__main__":
    main()
