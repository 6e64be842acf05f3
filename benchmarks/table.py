"""The README's tables of measurements, made from results/: `python -m benchmarks.table` writes them into the README."""

import json
from collections.abc import Callable
from typing import Any

from benchmarks.report import RESULTS

README = RESULTS.parents[1] / "README.md"
NONE_YET = "not yet measured"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def main() -> None:
    """Put the tables between its two marks."""
    text = README.read_text("utf-8")
    README.write_text(text[: text.index(BEGIN) + len(BEGIN)] + "\n" + table() + text[text.index(END) :], "utf-8")


def table() -> str:
    """The tables as Markdown, each row with a letter for the machine it was measured on; what has no result yet says
    so."""
    letters: dict[str, str] = {}
    lines: list[str] = []
    for title, parts in SECTIONS.items():
        lines += [f"**{title}**", "", *HEAD]
        for names, rows in parts:
            measured = [result(name) for name in names]
            known = next((found for found in measured if found is not None), None)
            letter = "" if known is None else letters.setdefault(where(known), chr(ord("A") + len(letters)))
            lines += [f"{line} {'' if NONE_YET in line else letter} |" for line in rows(*measured)]
        lines.append("")
    endurance = result("endurance")
    lines += ["**Nothing is lost**", "", "| Trial (`make endurance`) | How often | Found |", "|---|---|---|"]
    lines += [*endurance_rows(endurance), ""]
    if endurance is not None:
        lines += [f"On machine {letters.setdefault(where(endurance), chr(ord('A') + len(letters)))}.", ""]
    return "\n".join([*lines, *(f"* Machine {letter}: {machine}." for machine, letter in letters.items()), ""])


def result(name: str) -> dict[str, Any] | None:
    """What results/<name>.json holds; None where it has not been measured."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def train_rows(train: dict[str, Any] | None) -> list[str]:
    """Small trainings from pressing return."""
    if train is None:
        return [unmeasured("From return to the last event, digits and Fashion-MNIST")]
    rows = []
    for name, title in {"digits": "Digits, `quick`", "fashion_mnist": "Fashion-MNIST, `quick`"}.items():
        task = train["tasks"][name]
        asked, seconds, top1 = task["asked"], task["seconds"], task["test_top1"]
        rows.append(row(f"{title}: from return to the last event", f"{asked['seconds']} s", seconds, " s", 0))
        rows.append(row("… test top-1 of these runs", f"at least {asked['top1']:.0%}", scaled(top1, 100), " %", 1))
    return rows


def app_rows(app: dict[str, Any] | None) -> list[str]:
    """What a person waits for at the pages."""
    if app is None:
        return [unmeasured("Click to new text")]
    rows, clicks = [], app["click_ms"]
    for state, words in (("training", "while a run trains"), ("paused", "while it is paused")):
        asked = f"{app['asked']['click_ms']} ms (95th percentile)" if state == "training" else ""
        extra = f"; 95th percentile {clicks[state]['p95']:.0f} ms"
        rows.append(row(f"Click to new text, {words}", asked, clicks[state], " ms", 0, extra))
    rows.append(row("Server to first useful page", f"{app['asked']['first_page_s']} s", app["first_page_s"], " s", 1))
    return rows


def own_picture_rows(own: dict[str, Any] | None) -> list[str]:
    """The page Your pictures with many pictures, and photographs on their way in."""
    if own is None:
        return [unmeasured("The page Your pictures with 50,000 pictures, from click to pictures", "1 s")]
    asked, opened, adding = own["asked_s"], own["opened_s"], own["adding"]
    what = f"The page Your pictures with {own['pictures']:,} pictures, from click to pictures"
    titles = {"known": what, "changed": "… after something in it has changed"}
    rows = [
        row(title, f"{asked:g} s", opened[name], " s", 2, missed(opened[name]["median"] <= asked))
        for name, title in titles.items()
    ]
    told = f"{adding['per_s']} a second; {adding['peak_mb']:.0f} MB of memory at most"
    return [*rows, f"| … adding photographs of 12 megapixels to it | | {told} | 1 |"]


def doctor_rows(doctor: dict[str, Any] | None) -> list[str]:
    """The data doctor over many photographs."""
    if doctor is None:
        return [unmeasured("The data doctor over 10,000 photographs", "30 s")]
    seconds, asked = doctor["seconds"], 30 * doctor["pictures"] / 10_000
    memory = f"; {doctor['peak_mb']['largest']:,.0f} MB of memory at most{missed(seconds['median'] <= asked)}"
    what = f"The data doctor over {doctor['pictures']:,} photographs"
    return [row(what, f"{asked:g} s", seconds, " s", 1, memory)]


def runs_rows(runs: dict[str, Any] | None) -> list[str]:
    """Many runs in a list."""
    if runs is None:
        return [unmeasured("200 runs listed")]
    what = f"{runs['runs']:,} runs of {runs['bytes_each'] / 1e3:,.0f} kB of events and timing: listed"
    beside = f"; from all events {runs['all_events_ms']['median']:,.0f} ms"
    return [
        row(what, "", runs["list_ms"], " ms", 0, beside),
        row("… the page Runs, from click to rows and curves", "", runs["page_ms"], " ms", 0),
    ]


def explain_rows(explain: dict[str, Any] | None) -> list[str]:
    """What a person waits for an explanation."""
    if explain is None:
        return [unmeasured("Explanations, `alexnet` at 224 pixels")]
    rows = []
    for name, milliseconds in explain["ms"].items():
        asked = f"{explain['asked_ms'][name]:,} ms" if name in explain["asked_ms"] else ""
        title = name.replace("_", " ").capitalize()
        late = missed(name not in explain["asked_ms"] or milliseconds["median"] <= explain["asked_ms"][name])
        peer = explain.get("captum", {}).get(name)
        beside = "" if peer is None else f"; Captum {peer['ms']['median']:,.0f} ms, {_times(peer)} times as long"
        rows.append(row(f"{title}, `alexnet` at 224 pixels", asked, milliseconds, " ms", 0, beside + late))
    return rows


def _times(peer: dict[str, Any]) -> str:
    return f"{peer['times_as_fast']['median']:.1f}"


def unit_rows(units: dict[str, Any] | None) -> list[str]:
    """Single units over a data set, and pictures made to excite one."""
    if units is None:
        return [unmeasured("A unit's strongest and weakest patches in 10,000 pictures of 64 pixels", "3 s")]
    asked, rows = units["asked_s"], []
    for layer, found in units["passport_s"].items():
        late = missed(found["first"]["median"] <= asked["first"])
        rows.append(row(f"A unit of `{layer}` over 10,000 pictures, first", "3 s", found["first"], " s", 1, late))
        again = scaled(found["afterwards"], 1000)
        late = missed(found["afterwards"]["median"] <= asked["afterwards"])
        rows.append(row("… another unit of that layer", "100 ms", again, " ms", 0, late))
    for name, title in {"first_picture": "first look", "whole_picture": "all steps"}.items():
        found = units["picture_s"][name]
        late = missed(found["median"] <= asked[name])
        what = f"A picture made to excite, `alexnet` at 128 pixels, {title}"
        rows.append(row(what, f"{asked[name]:g} s", found, " s", 1, late))
    return rows


def neighbour_rows(neighbours: dict[str, Any] | None) -> list[str]:
    """Nearest pictures at all depths."""
    if neighbours is None:
        return [unmeasured("Nearest of 50,000 pictures at every depth", "100 ms")]
    asked, ms = neighbours["asked_ms"], neighbours["ms"]
    what = f"Nearest of {neighbours['pictures']:,} pictures at every depth"
    extra = f"; the index: {neighbours['index_s']:.0f} s once, {neighbours['index_mb']:.0f} MB"
    titles = {"all depths are searched": (what, extra), "both": ("… with the network's look at the picture", "")}
    return [
        row(title, f"{asked} ms", ms[name], " ms", 0, more + missed(ms[name]["median"] <= asked))
        for name, (title, more) in titles.items()
    ]


def time_machine_rows(machine: dict[str, Any] | None) -> list[str]:
    """From the slider to the screen."""
    if machine is None:
        return [unmeasured("A step of the time machine, from slider to screen", "150 ms")]
    asked = machine["asked_ms"]
    return [
        row(
            f"A step of the time machine, {name}",
            f"{asked} ms",
            found,
            " ms",
            0,
            f"; prepared in {found['film_s']:.0f} s" + missed(found["median"] <= asked),
        )
        for name, found in machine["step"].items()
    ]


def twelve_rows(twelve: dict[str, Any] | None) -> list[str]:
    """Twelve people at once."""
    if twelve is None:
        return [unmeasured("Twelve people explaining at once: more memory", "400 MB")]
    more, asked = twelve["more_memory_mb"], twelve["asked_mb"]
    return [
        f"| Twelve people explaining at once: wrong maps | 0 | {twelve['wrong_maps']} of {twelve['maps']} | 1 |",
        f"| … more memory | {asked} MB | {more:,.0f} MB{missed(more <= asked)} | 1 |",
        row("… the wait for one's first map", "", twelve["first_map_s"], " s", 1),
    ]


def record_rows(records: dict[str, Any] | None) -> list[str]:
    """CIFAR-10 against the records of 2012, on the processor."""
    if records is None:
        return [unmeasured("CIFAR-10 to 26%, 18% and 11% error")]
    rows = []
    for name, record in sorted(records["records"].items(), reverse=True):
        if record["asked"]["device"] == "cpu":
            rows += _record(
                f"CIFAR-10 to {name} error, seconds of training (2012: {record['asked']['in_2012']})", record
            )
    missing = [name for name in ("26%", "18%", "11%") if name not in records["records"]]
    return rows + [unmeasured(f"CIFAR-10 to {name} error, seconds of training") for name in missing]


def _record(what: str, record: dict[str, Any]) -> list[str]:
    asked = record["asked"]
    command = f"`{' '.join(asked['arguments'])}`"
    mean = f"; mean {record['mean_training_seconds']:.1f} s"
    met = record["mean_training_seconds"] <= asked["seconds"]
    rows = [row(what, f"{asked['seconds']:g} s", record["training_seconds"], " s", 1, mean + missed(met))]
    mean = f"; mean {100 * record['mean_test_error']:.2f} %"
    met = record["mean_test_error"] <= asked["error"]
    error = scaled(record["test_error"], 100)
    return [*rows, row(f"… test error, {command}", f"{asked['error']:.0%}", error, " %", 2, mean + missed(met))]


def peer_rows(peers: dict[str, Any] | None) -> list[str]:
    """The same network trained by others."""
    if peers is None:
        return [unmeasured("The same network beside torchvision's loop, fastai and Lightning")]
    speed, target, asked = peers["speed"], peers["target"], peers["asked"]
    rows = [row(f"Images a second, {name}", "", pace, "", 0) for name, pace in speed["images_per_s"].items()]
    times, least = speed["times_best_peer"], asked["times_images_per_s"]
    rows.append(row("… times the best peer's", f"at least {least}", times, "", 1, missed(times["median"] >= least)))
    for name, side in target["sides"].items():
        top1 = f", {side['test_top1']['median']:.1%}" + missed(side["test_top1"]["median"] >= asked["test_top1"])
        rows.append(row(f"Seconds to {asked['test_top1']:.0%}, {name}", "", side["training_seconds"], " s", 1, top1))
    times, least = target["times_sooner_than_fastai"], asked["times_sooner_than_fastai"]
    rows.append(row("… times sooner than fastai", f"at least {least}", times, "", 1, missed(times["median"] >= least)))
    return rows


def big_network_rows(big: dict[str, Any] | None) -> list[str]:
    """How much of the machine the big network uses."""
    if big is None:
        return [unmeasured("`alexnet` at 224 pixels, share of the matrix products' rate")]
    rate = big["matrix_product_gflop_per_s"]["median"]
    share, asked = scaled(big["share"], 100), 100 * big["asked"]["share"]
    extra = f" of {rate:,.0f} GFLOP/s, {big['compute']['precision']}" + missed(share["median"] >= asked)
    return [
        row("`alexnet` at 224 pixels, batch 128: images a second", "", big["images_per_s"], "", 1),
        row("… share of the matrix products' rate", f"at least {asked:.0f} %", share, " %", 1, extra),
    ]


def start_rows(start: dict[str, Any] | None) -> list[str]:
    """The wait for the first event, and the memory of a training."""
    if start is None:
        return [unmeasured("Click on Start to first event; memory of a training")]
    asked = start["asked"]
    rows = []
    for name, seconds in start["first_event_s"].items():
        late = missed(seconds["median"] <= asked["first_event_s"])
        rows.append(
            row(f"Click on Start to first event, {name}", f"{asked['first_event_s']} s", seconds, " s", 1, late)
        )
    for name, found in start.get("memory_mb", {}).items():
        much = missed(found["data_aside"] <= 1000 * asked["memory_gb"])
        rows.append(
            f"| Memory of a training, data aside, `alexnet_mini`, {name} | {1000 * asked['memory_gb']:,.0f} MB "
            f"| {found['data_aside']:,} MB, {found['program']:,} of them files of the program{much} | 1 |"
        )
    return rows


def prepare_rows(prepared: dict[str, Any] | None) -> list[str]:
    """Preparing pictures into shards, and reading them back."""
    if prepared is None:
        return [unmeasured("Preparing 50,000 pictures into shards: pictures a second")]
    rows = []
    for task in prepared["tasks"].values():
        memory = (
            f"; at most {task['peak_mb']['largest']:,.0f} MB of memory, {task['shards']} shards; read again in "
            f"{task['reading']['own_mb']:,.0f} MB"
        )
        what, asked = f"Preparing {task['pictures']:,} pictures of {task['title']}: pictures a second", task["asked"]
        slow = missed(not asked or task["pictures_per_s"]["median"] >= asked)
        rows.append(row(what, f"at least {asked}" if asked else "", task["pictures_per_s"], "", 0, slow + memory))
    return rows


def family_rows(family: dict[str, Any] | None) -> list[str]:
    """All networks of the family, one picture each and in batches."""
    if family is None:
        return [unmeasured("Comparing the speed of all families", "60 s")]
    networks, asked = family["networks"], family["asked_s"]
    rounds = min(one["latency_ms"]["rounds"] for one in networks.values())
    late = missed(family["seconds"] <= asked)
    rows = [
        f"| Comparing the speed of all {len(networks)} networks, {rounds} rounds | {asked} s "
        f"| {family['seconds']:.0f} s{late} | 1 |"
    ]
    for one in networks.values():
        slow = one["latency_ms"]
        pace = f"; {one['images_per_s']['median']:,.0f} pictures a second in batches of {family['batch']}"
        what = f"One picture through {one['title']}, {one['image_size']} pixels"
        rows.append(row(what, "", slow | {"runs": slow["rounds"]}, " ms", 1, pace))
    return rows


def staircase_rows(staircase: dict[str, Any] | None) -> list[str]:
    """AlexNet mini and its successors after equal time."""
    if staircase is None:
        return [unmeasured("The staircase: AlexNet mini and its successors after equal time")]
    minutes, data = staircase["minutes"], staircase["data"]
    return [
        row(
            f"{one['title']}, {minutes:g} min on {data}: top-1",
            "",
            scaled(one["top1"], 100),
            " %",
            1,
            f"; {one['epochs']} epochs in {one['minutes']['median']:.2f} min",
        )
        for one in staircase["stairs"].values()
    ]


def transfer_rows(transfer: dict[str, Any] | None) -> list[str]:
    """Photographs to a trained head on features that are computed once."""
    if transfer is None:
        return [unmeasured("300 photographs to a trained head, SqueezeNet 1.1, from the click", "20 s")]
    rows, tasks = [], transfer["tasks"]
    titles = {
        "small": "photographs to a trained head, SqueezeNet 1.1, from the click to the test's result",
        "head": "photographs to a trained head, SqueezeNet 1.1, already prepared, to the test's result",
        "everything": "… to a trained head, then with all layers learning",
    }
    for name, task in tasks.items():
        asked, top1 = task["asked"], scaled(task["top1"], 100)
        late = missed("seconds" not in asked or task["seconds"]["median"] <= asked["seconds"])
        limit = f"{asked['seconds']} s" if "seconds" in asked else ""
        what = titles[name] if titles[name].startswith("…") else f"{task['pictures']:,} {titles[name]}"
        rows.append(row(what, limit, task["seconds"], " s", 1, late))
        low = missed("top1" not in asked or task["top1"]["median"] >= asked["top1"])
        wanted = f"at least {asked['top1']:.0%}" if "top1" in asked else ""
        rows.append(row(f"… right on {task['held_out']:,} held-out pictures", wanted, top1, " %", 1, low))
    return rows


def endurance_rows(endurance: dict[str, Any] | None) -> list[str]:
    """Runs killed, damaged and filled up on purpose; every comparison is of bytes."""
    if endurance is None:
        return ["| Kills, damages, full disks, signals | not yet measured | |"]
    kills, broken, signals = endurance["kills"], endurance["broken"], endurance["signals"]
    counts = {
        "kills": (
            "SIGKILL at random instants, over four settings",
            f"{kills['kills']}, {kills['in_saving']} of them inside a saving; {kills['resumes']} real resumes",
        ),
        "broken": ("The same with engines broken on purpose", f"{broken['variants']} variants, each has to be caught"),
        "damage": ("The newest checkpoint damaged", f"{endurance['damage']['ways']}"),
        "disk": ("A full disk, simulated", f"{endurance['disk']['points']} points"),
        "signals": (
            "SIGTERM and Ctrl-C",
            f"{signals['signals']}; saved within {signals['longest_to_saved_s']} s, gone within "
            f"{signals['longest_to_gone_s']} s",
        ),
        "trouble": (
            "A loss that is no number, too little memory, unreadable pictures",
            f"{endurance['trouble']['troubles']}",
        ),
    }
    return [
        f"| {what} | {often} | {'; '.join(endurance[part]['found']) or 'nothing'} |"
        for part, (what, often) in counts.items()
    ]


def gpu_rows(big: dict[str, Any] | None, records: dict[str, Any] | None) -> list[str]:
    """What needs a GPU."""
    rows = []
    if big is None:
        rows.append(unmeasured("`alexnet` at 224 pixels on an H200: images a second", "at least 20,000"))
    else:
        gpu, asked = big["machine"]["gpu"], big["asked"]["images_per_s_h200"]
        extra = f", {big['share']['median']:.0%} of the matrix products' rate"
        what = f"`alexnet` at 224 pixels on {gpu}: images a second"
        rows.append(row(what, f"at least {asked:,} (H200)", big["images_per_s"], "", 0, extra))
        if "torchvision_loop_images_per_s" in big:
            rows.append(f"| … torchvision's loop beside it | | {big['torchvision_loop_images_per_s']:,.0f} | 1 |")
    found = [
        record for record in (records or {"records": {}})["records"].values() if record["asked"]["device"] == "cuda"
    ]
    for record in found:
        rows += _record("CIFAR-10 to 11% error, seconds of training on a GPU", record)
    return rows if found else [*rows, unmeasured("CIFAR-10 to 11% error on an H200: seconds of training", "10 s")]


def where(measured: dict[str, Any]) -> str:
    """The machine in words."""
    machine = measured["machine"]
    gpu = machine["gpu"] or "no GPU"
    return f"{machine['processor']}, {machine['cores']} cores, {gpu}; torch {machine['torch']}, {machine['date']}"


def unmeasured(what: str, asked: str = "") -> str:
    """The line of something for which there is no result."""
    return f"| {what} | {asked} | {NONE_YET} | |"


def missed(met: bool) -> str:
    """A word beside a figure that is not what was asked."""
    return "" if met else " (missed)"


def scaled(spread: dict[str, float], factor: float) -> dict[str, float]:
    """The spread in another unit."""
    return {key: value if key == "runs" else factor * value for key, value in spread.items()}


def row(what: str, asked: str, spread: dict[str, float], unit: str, digits: int, extra: str = "") -> str:
    """One line of the table."""
    median, least, largest = (f"{spread[key]:,.{digits}f}" for key in ("median", "least", "largest"))
    return f"| {what} | {asked} | {median}{unit} ({least} to {largest}){extra} | {spread['runs']} |"


HEAD = ("| What | Asked | Measured: median (least to largest) | Runs | On |", "|---|---|---|---|---|")
Rows = Callable[..., list[str]]
SECTIONS: dict[str, tuple[tuple[tuple[str, ...], Rows], ...]] = {
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


if __name__ == "__main__":
    main()
