"""What a person waits for who uses the program."""

from typing import Any

from benchmarks.tables.row import Row, row


def train_rows(train: dict[str, Any] | None) -> list[Row]:
    """Small trainings from pressing return."""
    if train is None:
        return [Row("From return to the last event, digits and Fashion-MNIST")]
    rows = []
    for name, title in {"digits": "Digits, `quick`", "fashion_mnist": "Fashion-MNIST, `quick`"}.items():
        task = train["tasks"].get(name)
        if task is None:
            continue
        asked, seconds, top1 = task["asked"], task["seconds"], task["test_top1"]
        what, soon = f"{title}: from return to the last event", seconds["median"] <= asked["seconds"]
        rows.append(row(what, f"{asked['seconds']} s", seconds, " s", 0, met=soon))
        what, least = "… test top-1 of these runs", f"at least {asked['top1']:.0%}"
        rows.append(row(what, least, top1, " %", 1, times=100, met=top1["median"] >= asked["top1"]))
    return rows


def app_rows(app: dict[str, Any] | None) -> list[Row]:
    """What a person waits for at the pages."""
    if app is None:
        return [Row("Click to new text")]
    rows, clicks, asked = [], app["click_ms"], app["asked"]
    for state, words in (("training", "while a run trains"), ("paused", "while it is paused")):
        limit = f"{asked['click_ms']} ms (95th percentile)" if state == "training" else ""
        p95 = clicks[state]["p95"]
        met = state != "training" or p95 <= asked["click_ms"]
        beside = f"; 95th percentile {p95:.0f} ms"
        rows.append(row(f"Click to new text, {words}", limit, clicks[state], " ms", 0, beside=beside, met=met))
    page, met = app["first_page_s"], app["first_page_s"]["median"] <= asked["first_page_s"]
    return [*rows, row("Server to first useful page", f"{asked['first_page_s']} s", page, " s", 1, met=met)]


def start_rows(start: dict[str, Any] | None) -> list[Row]:
    """The wait for the first event, and the memory of a training."""
    if start is None:
        return [Row("Click on Start to first event; memory of a training")]
    asked = start["asked"]
    rows = []
    for name, seconds in start["first_event_s"].items():
        what, limit = f"Click on Start to first event, {name}", f"{asked['first_event_s']} s"
        # Each click is one person who waits.
        rows.append(row(what, limit, seconds, " s", 1, met=seconds["largest"] <= asked["first_event_s"]))
    for name, found in start.get("memory_mb", {}).items():
        most = 1000 * asked["memory_gb"]
        rows.append(
            Row(
                f"Memory of a training, data aside, `alexnet_mini`, {name}",
                f"{most:,.0f} MB",
                f"{found['data_aside']:,} MB",
                beside=f", {found['program']:,} of them files of the program",
                met=found["data_aside"] <= most,
            )
        )
    return rows


def runs_rows(runs: dict[str, Any] | None) -> list[Row]:
    """Many runs in a list."""
    if runs is None:
        return [Row("200 runs listed")]
    what = f"{runs['runs']:,} runs of {runs['bytes_each'] / 1e3:,.0f} kB of events and timing: listed"
    beside = f"; from all events {runs['all_events_ms']['median']:,.0f} ms"
    return [
        row(what, "", runs["list_ms"], " ms", 0, beside=beside),
        row("… the page Runs, from click to rows and curves", "", runs["page_ms"], " ms", 0),
    ]


def own_picture_rows(own: dict[str, Any] | None) -> list[Row]:
    """The page Your pictures with many pictures, and photographs on their way in."""
    if own is None:
        return [Row("The page Your pictures with 50,000 pictures, from click to pictures", "1 s")]
    asked, opened, adding = own["asked_s"], own["opened_s"], own["adding"]
    what = f"The page Your pictures with {own['pictures']:,} pictures, from click to pictures"
    titles = {"known": what, "changed": "… after something in it has changed"}
    rows = [
        row(title, f"{asked:g} s", opened[name], " s", 2, met=opened[name]["median"] <= asked)
        for name, title in titles.items()
    ]
    memory = f"; {adding['peak_mb']:.0f} MB of memory at most"
    return [
        *rows,
        Row("… adding photographs of 12 megapixels to it", "", f"{adding['per_s']} a second", beside=memory),
    ]


def doctor_rows(doctor: dict[str, Any] | None) -> list[Row]:
    """The data doctor over many photographs."""
    if doctor is None:
        return [Row("The data doctor over 10,000 photographs", "30 s")]
    seconds, asked = doctor["seconds"], 30 * doctor["pictures"] / 10_000
    memory = f"; {doctor['peak_mb']['largest']:,.0f} MB of memory at most"
    what = f"The data doctor over {doctor['pictures']:,} photographs"
    return [row(what, f"{asked:g} s", seconds, " s", 1, beside=memory, met=seconds["median"] <= asked)]


def transfer_rows(transfer: dict[str, Any] | None) -> list[Row]:
    """Photographs to a trained head on features that are computed once, and to all layers."""
    if transfer is None:
        return [Row("300 photographs to a trained head, SqueezeNet 1.1, from the click", "20 s")]
    rows, tasks = [], transfer["tasks"]
    titles = {
        "small": "photographs to a trained head, SqueezeNet 1.1, from the click to the test's result",
        "head": "photographs to a trained head, SqueezeNet 1.1, already prepared, to the test's result",
        "everything": "… to a trained head, then with all layers learning",
    }
    for name, task in tasks.items():
        asked, seconds, top1 = task["asked"], task["seconds"], task["top1"]
        limit = f"{asked['seconds']} s" if "seconds" in asked else ""
        soon = "seconds" not in asked or seconds["median"] <= asked["seconds"]
        what = titles[name] if titles[name].startswith("…") else f"{task['pictures']:,} {titles[name]}"
        rows.append(row(what, limit, seconds, " s", 1, met=soon))
        wanted = f"at least {asked['top1']:.0%}" if "top1" in asked else ""
        right = "top1" not in asked or top1["median"] >= asked["top1"]
        what = f"… right on {task['held_out']:,} held-out pictures"
        rows.append(row(what, wanted, top1, " %", 1, times=100, met=right))
    return rows
