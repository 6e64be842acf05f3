"""The README's table of measurements, made from results/: `python -m benchmarks.table` writes it into the README."""

import json
from typing import Any

from benchmarks.report import RESULTS

README = RESULTS.parents[1] / "README.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def main() -> None:
    """Put the table between its two marks."""
    text = README.read_text("utf-8")
    README.write_text(text[: text.index(BEGIN) + len(BEGIN)] + "\n" + table() + text[text.index(END) :], "utf-8")


def table() -> str:
    """The table as Markdown, with the machine it was measured on."""
    train, explain, app = (result(name) for name in ("train", "explain", "app"))
    rows = ["| What | Asked | Measured: median (least to largest) | Runs |", "|---|---|---|---|"]
    titles = {"digits": "Digits, `quick`", "fashion_mnist": "Fashion-MNIST, `quick`"}
    for name, title in titles.items():
        task = train["tasks"][name]
        asked, seconds, top1 = task["asked"], task["seconds"], task["test_top1"]
        rows.append(row(f"{title}: from return to the last event", f"{asked['seconds']} s", seconds, " s", 0))
        percent = {key: value if key == "runs" else 100 * value for key, value in top1.items()}
        rows.append(row("… test top-1 of these runs", f"at least {asked['top1']:.0%}", percent, " %", 1))
    clicks = app["click_ms"]
    for state, words in (("training", "while a run trains"), ("paused", "while it is paused")):
        asked = f"{app['asked']['click_ms']} ms (95th percentile)" if state == "training" else ""
        extra = f"; 95th percentile {clicks[state]['p95']:.0f} ms"
        rows.append(row(f"Click to new text, {words}", asked, clicks[state], " ms", 0, extra))
    rows.append(row("Server to first useful page", f"{app['asked']['first_page_s']} s", app["first_page_s"], " s", 1))
    for name, milliseconds in explain["ms"].items():
        asked = f"{explain['asked_ms'][name]:,} ms" if name in explain["asked_ms"] else ""
        title = name.replace("_", " ").capitalize()
        rows.append(row(f"{title}, `alexnet` at 224 pixels", asked, milliseconds, " ms", 0))
    machine = train["machine"]
    where = f"{machine['processor']}, {machine['cores']} cores, no GPU; torch {machine['torch']}, {machine['date']}"
    return "\n".join([*rows, "", f"On one machine: {where}. Not yet measured on a GPU.", ""])


def result(name: str) -> dict[str, Any]:
    """What results/<name>.json holds."""
    return json.loads((RESULTS / f"{name}.json").read_text("utf-8"))


def row(what: str, asked: str, spread: dict[str, float], unit: str, digits: int, extra: str = "") -> str:
    """One line of the table."""
    median, least, largest = (f"{spread[key]:,.{digits}f}" for key in ("median", "least", "largest"))
    return f"| {what} | {asked} | {median}{unit} ({least} to {largest}){extra} | {spread['runs']} |"


if __name__ == "__main__":
    main()
