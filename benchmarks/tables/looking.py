"""What a person waits for who looks inside and asks for explanations."""

from typing import Any

from alexnet_core.insight.attribution import ATTRIBUTIONS
from benchmarks.tables.row import Row, row


def explain_rows(explain: dict[str, Any] | None) -> list[Row]:
    """What a person waits for an explanation."""
    if explain is None:
        return [Row("Explanations, `alexnet` at 224 pixels")]
    rows = []
    for name, milliseconds in explain["ms"].items():
        asked = f"{explain['asked_ms'][name]:,} ms" if name in explain["asked_ms"] else ""
        title = f"{_called(name)}, `alexnet` at 224 pixels"
        soon = name not in explain["asked_ms"] or milliseconds["median"] <= explain["asked_ms"][name]
        peer = explain.get("captum", {}).get(name)
        beside = "" if peer is None else f"; Captum {peer['ms']['median']:,.0f} ms, {_times(peer)} times as long"
        # Results from when it took points alone are marked by hand.
        mark = " (at points: by the way before its latest change)" if milliseconds.get("earlier_way") else ""
        rows.append(row(title, asked, milliseconds, " ms", 0, beside=beside, met=soon, mark=mark))
    return rows + [_exact(name, explain) for name in EXACT if name in explain.get("found", {})]


MISSING = "integrated_gradients_missing"
SHARES = {
    MISSING: "Integrated gradients, 50 steps: the most that the shares miss of the rise",
    "integrated_gradients_away": "… how far the map is from that of 500 points, as a share of its length",
    "integrated_gradients_points_missing": "Integrated gradients, 50 points, as in Captum: the most that they miss",
    "integrated_gradients_points_away": "… how far the map is from that of 500",
}
"""What is true of two photographs with each of the bundled networks: the worst of four."""

EXACT = {
    "occlusion_fp32_difference": "Occlusion in 32 bits: the largest difference from Captum's",
    **SHARES,
}
"""What is true of the values."""


def _exact(name: str, explain: dict[str, Any]) -> Row:
    found, bounds = explain["found"][name], explain["asked"]
    if name in SHARES:
        asked = f"at most {bounds[name]:.0%}" if name in bounds else ""
        return Row(EXACT[name], asked, f"{found:.2%}", met=found <= bounds.get(name, found))
    return Row(EXACT[name], f"at most {bounds[name]:g}", f"{found:.1e}", met=found <= bounds[name])


def _called(name: str) -> str:
    """What the screen calls a method; a part of one, or one in another precision, is measured, too."""
    for ending, words in ENDINGS.items():
        if name.endswith(ending):
            return _called(name.removesuffix(ending)) + words
    title = ATTRIBUTIONS[name].title if name in ATTRIBUTIONS else name.capitalize()
    return f"{title}, 50 steps" if name == "integrated_gradients" else title


ENDINGS = {
    "_first": ", the first coarse map",
    "_fp32": " in 32 bits",
    "_at_points": " at points, as in Captum",
}


def _times(peer: dict[str, Any]) -> str:
    return f"{peer['times_as_fast']['median']:.1f}"


def unit_rows(units: dict[str, Any] | None) -> list[Row]:
    """Single units over a data set, and pictures made to excite one."""
    if units is None:
        return [Row("A unit's strongest and weakest patches in 10,000 pictures of 64 pixels", "3 s")]
    asked, rows = units["asked_s"], []
    over = units.get("pictures", 10_000)  # results that do not say were measured on the test pictures of CIFAR-10
    for layer, found in units["passport_s"].items():
        what, first, again = f"A unit of `{layer}` over {over:,} pictures, first", found["first"], found["afterwards"]
        rows.append(row(what, "3 s", first, " s", 1, met=first["median"] <= asked["first"]))
        soon = again["median"] <= asked["afterwards"]
        rows.append(row("… another unit of that layer", "100 ms", again, " ms", 0, times=1000, met=soon))
    for name, title in {"first_picture": "first look", "whole_picture": "all steps"}.items():
        found = units["picture_s"][name]
        what = f"A picture made to excite, `alexnet` at 128 pixels, {title}"
        rows.append(row(what, f"{asked[name]:g} s", found, " s", 1, met=found["median"] <= asked[name]))
    return rows


def neighbour_rows(neighbours: dict[str, Any] | None) -> list[Row]:
    """Nearest pictures at all depths."""
    if neighbours is None:
        return [Row("Nearest of 50,000 pictures at every depth", "100 ms")]
    asked, ms = neighbours["asked_ms"], neighbours["ms"]
    what = f"Nearest of {neighbours['pictures']:,} pictures at every depth"
    index = f"; the index: {neighbours['index_s']:.0f} s once, {neighbours['index_mb']:.0f} MB"
    titles = {"all depths are searched": (what, index), "both": ("… with the network's look at the picture", "")}
    return [
        row(title, f"{asked} ms", ms[name], " ms", 0, beside=beside, met=ms[name]["median"] <= asked)
        for name, (title, beside) in titles.items()
    ]


def time_machine_rows(machine: dict[str, Any] | None) -> list[Row]:
    """From the slider to the screen."""
    if machine is None:
        return [Row("A step of the time machine, from slider to screen", "150 ms")]
    asked, rows = machine["asked_ms"], []
    for name, found in machine["step"].items():
        what, prepared = f"A step of the time machine, {name}", f"; prepared in {found['film_s']:.0f} s"
        rows.append(row(what, f"{asked} ms", found, " ms", 0, beside=prepared, met=found["median"] <= asked))
    return rows


def twelve_rows(twelve: dict[str, Any] | None) -> list[Row]:
    """Twelve people at once."""
    if twelve is None:
        return [Row("Twelve people explaining at once: more memory", "400 MB")]
    more, asked, wrong = twelve["more_memory_mb"], twelve["asked_mb"], twelve["wrong_maps"]
    what = "Twelve people explaining at once: wrong maps"
    return [
        Row(what, "0", f"{wrong} of {twelve['maps']}", met=wrong == 0),
        Row("… more memory", f"{asked} MB", f"{more:,.0f} MB", met=more <= asked),
        row("… the wait for one's first map", "", twelve["first_map_s"], " s", 1),
    ]
