"""The README's tables of measurements, made from results/: `python -m benchmarks.table` writes them into the README.

Each kind of machine has its own results. A row shows those of the machine with most whole ones, and beside it what
the others found.
"""

from collections.abc import Callable
from string import ascii_uppercase
from typing import Any

from benchmarks import report
from benchmarks.report import RESULTS
from benchmarks.tables.endurance import HEAD as ENDURANCE_HEAD
from benchmarks.tables.endurance import endurance_rows
from benchmarks.tables.family import family_rows, staircase_rows
from benchmarks.tables.looking import explain_rows, neighbour_rows, time_machine_rows, twelve_rows, unit_rows
from benchmarks.tables.row import Row
from benchmarks.tables.training import big_network_rows, gpu_rows, peer_rows, prepare_rows, record_rows
from benchmarks.tables.using import (
    app_rows,
    doctor_rows,
    own_picture_rows,
    runs_rows,
    start_rows,
    train_rows,
    transfer_rows,
)

README = RESULTS.parents[1] / "README.md"
NONE_YET = "not yet measured"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

SECTIONS: dict[str, tuple[tuple[tuple[str, ...], Callable[..., list[Row]]], ...]] = {
    "Using it": (
        (("train",), train_rows),
        (("app",), app_rows),
        (("start",), start_rows),
        (("runs",), runs_rows),
        (("own_pictures",), own_picture_rows),
        (("doctor",), doctor_rows),
        (("transfer",), transfer_rows),
    ),
    "Looking inside and explaining": (
        (("explain",), explain_rows),
        (("units",), unit_rows),
        (("neighbours",), neighbour_rows),
        (("time_machine",), time_machine_rows),
        (("twelve",), twelve_rows),
    ),
    "Training": (
        (("records",), record_rows),
        (("peers",), peer_rows),
        (("big_network",), big_network_rows),
        (("prepare",), prepare_rows),
        (("big_network_gpu", "records"), gpu_rows),
    ),
    "The family": ((("family",), family_rows), (("staircase",), staircase_rows)),
}
"""The tables: of which results they are made, and how."""

HEAD = ["| What | Asked | Measured: median (least to largest) | Runs | On | Elsewhere |", "|---|---|---|---|---|---|"]


def main() -> None:
    """Put the tables between its two marks."""
    text = README.read_text("utf-8")
    README.write_text(text[: text.index(BEGIN) + len(BEGIN)] + "\n" + table() + text[text.index(END) :], "utf-8")


def table() -> str:
    """The tables as Markdown. Machines are letters, explained at the end; what has no result yet says so."""
    machines = report.kinds_with_results()
    letters = dict(zip(machines, ascii_uppercase, strict=False))
    lines: list[str] = []
    for title, parts in SECTIONS.items():
        lines += [f"**{title}**", "", *HEAD]
        for names, rows in parts:
            found = {letter: [report.result(name, kind) for name in names] for kind, letter in letters.items()}
            measured = {letter: rows(*results) for letter, results in found.items() if any(results)}
            # Without a GPU there are records, and none of a GPU's.
            measured = {letter: made for letter, made in measured.items() if any(one.figure for one in made)}
            lines += drawn(measured or {"": rows(*[None] * len(names))})
        lines.append("")
    return "\n".join([*lines, *_endurance(letters), *(_machine(kind, letter) for kind, letter in letters.items()), ""])


def drawn(measured: dict[str, list[Row]]) -> list[str]:
    """Lines of the rows that each machine has, by its letter; the first machine that has a figure is the one shown."""
    together: dict[tuple[str, int], dict[str, Row]] = {}
    for letter, found in measured.items():
        # “… another unit of that layer” comes several times, each time below another row.
        seen: dict[str, int] = {}
        for one in found:
            seen[one.what] = seen.get(one.what, 0) + 1
            together.setdefault((one.what, seen[one.what]), {})[letter] = one
    lines = []
    for by_letter in together.values():
        letter = next((letter for letter, one in by_letter.items() if one.figure), "")
        shown = by_letter[letter] if letter else next(iter(by_letter.values()))
        others = [
            f"{other}: {one.figure}{remarks(one)}" for other, one in by_letter.items() if one.figure and other != letter
        ]
        lines.append(_line(shown, letter, others))
    return lines


def _line(one: Row, letter: str, others: list[str]) -> str:
    figure, runs = (f"{one.figure}{one.beside}{remarks(one)}", f"{one.runs}") if one.figure else (NONE_YET, "")
    return f"| {one.what} | {one.asked} | {figure} | {runs} | {letter} | {'; '.join(others)} |"


def remarks(one: Row) -> str:
    """What stands beside a figure also where it stands alone: its mark, and a word where it is not what was asked."""
    return f"{one.mark}{'' if one.met else ' (missed)'}"


def _endurance(letters: dict[str, str]) -> list[str]:
    kind = next((kind for kind in letters if report.result("endurance", kind)), None)
    found = None if kind is None else report.result("endurance", kind)
    lines = ["**Nothing is lost**", "", *ENDURANCE_HEAD, *endurance_rows(found), ""]
    return lines if kind is None else [*lines, f"On machine {letters[kind]}.", ""]


def _machine(kind: str, letter: str) -> str:
    """The machine in words."""
    machines: list[dict[str, Any]] = [found["machine"] for found in report.results_of(kind)]
    days = sorted({machine["date"] for machine in machines})
    versions = ", ".join(sorted({machine["torch"] for machine in machines}))
    about = machines[0]
    loads = sorted(load for machine in machines if (load := machine.get("load_at_start")) is not None)
    busy = f"; load of the system when they began {loads[0]:g} to {loads[-1]:g}" if loads else ""
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return (
        f"* Machine {letter}: {about['processor']}, {about['instructions']}, {about['cores']} cores, "
        f"{about['gpu'] or 'no GPU'}; torch {versions}; {when}{busy}."
    )


if __name__ == "__main__":
    main()
