"""How fast training is, on the processor and on a GPU."""

from typing import Any

from benchmarks.peers import OURS
from benchmarks.tables.row import Row, row

RECORDS = ("26%", "18%", "11%")
"""Of 2012, in the order of the table."""


def record_rows(records: dict[str, Any] | None) -> list[Row]:
    """CIFAR-10 against the records of 2012, on the processor."""
    if records is None:
        return [Row("CIFAR-10 to 26%, 18% and 11% error")]
    rows = []
    for name in RECORDS:
        if name in records["records"]:
            record = records["records"][name]
            what = f"CIFAR-10 to {name} error, seconds of training (2012: {record['asked']['in_2012']})"
            rows += _record(what, record)
    return rows


def _record(what: str, record: dict[str, Any]) -> list[Row]:
    """The means decide, of time and of error."""
    asked, seconds, error = record["asked"], record["mean_training_seconds"], record["mean_test_error"]
    command = f"`{' '.join(asked['arguments'])}`"
    limit, soon, mark = f"{asked['seconds']:g} s", seconds <= asked["seconds"], _mark(record)
    beside = (
        f"; mean {seconds:.1f} s; not counted are pictures prepared beforehand, first filters computed from them and "
        "ways to compute measured"
    )
    if "command_seconds" in record:
        beside += f"; the whole command, test and all, {record['command_seconds']['median']:.1f} s"
    rows = [row(what, limit, record["training_seconds"], " s", 1, beside=beside, met=soon, mark=mark)]
    what, limit, low = f"… test error, {command}", f"{asked['error']:.0%}", error <= asked["error"]
    mean = f"; mean {error:.2%}"
    return [*rows, row(what, limit, record["test_error"], " %", 2, times=100, beside=mean, met=low, mark=mark)]


def _mark(part: dict[str, Any]) -> str:
    return " (by the recipe before its latest change)" if part.get("earlier_recipe") else ""


def peer_rows(peers: dict[str, Any] | None) -> list[Row]:
    """The same network trained by others."""
    if peers is None:
        return [Row("The same network beside torchvision's loop, fastai and Lightning")]
    rows, asked = [], peers["asked"]
    if "speed" in peers:
        paces, mark = peers["speed"]["images_per_s"], _mark(peers["speed"])  # of the same network, all of them
        rows += [row(f"Images a second, {name}", "", pace, "", 0, mark=mark) for name, pace in paces.items()]
        times, least = peers["speed"]["times_best_peer"], asked["times_images_per_s"]
        met = times["median"] >= least
        rows.append(row("… times the best peer's", f"at least {least}", times, "", 1, met=met, mark=mark))
    if "target" in peers:
        # Results that do not say of how many are from when fastai had the whole folder for training, and looked at the
        # test's pictures after each epoch.
        unlike = "" if "pictures" in peers["target"] else " (fastai from 50,000 pictures, this program from 45,000)"
        marks = {OURS: _mark(peers["target"]), "fastai": unlike}
        for name, side in peers["target"]["sides"].items():
            what, top1 = f"Seconds of training to {asked['test_top1']:.0%}, {name}", side["test_top1"]["median"]
            beside = f", {top1:.1%}; before it, not counted, {side['setup_seconds']['median']:.1f} s"
            met = top1 >= asked["test_top1"]
            mark = marks.get(name, "")
            rows.append(row(what, "", side["training_seconds"], " s", 1, beside=beside, met=met, mark=mark))
        times, least = peers["target"]["times_sooner_than_fastai"], asked["times_sooner_than_fastai"]
        # Sooner at what was not reached says nothing.
        sides = (peers["target"]["sides"][name] for name in marks)
        alike = all(side["test_top1"]["median"] >= asked["test_top1"] for side in sides)
        met = alike and times["median"] >= least
        mark = "".join(marks.values())
        rows.append(row("… times sooner than fastai", f"at least {least}", times, "", 1, met=met, mark=mark))
    return rows


def big_network_rows(big: dict[str, Any] | None) -> list[Row]:
    """How much of the machine the big network uses."""
    if big is None:
        return [Row("`alexnet` at 224 pixels, share of the matrix products' rate")]
    rate, share, asked = big["matrix_product_gflop_per_s"]["median"], big["share"], big["asked"]["share"]
    beside = f" of {rate:,.0f} GFLOP/s, {big['compute']['precision']}"
    what, limit, met = "… share of the matrix products' rate", f"at least {asked:.0%}", share["median"] >= asked
    return [
        row("`alexnet` at 224 pixels, batch 128: images a second", "", big["images_per_s"], "", 1),
        row(what, limit, share, " %", 1, times=100, beside=beside, met=met),
    ]


def prepare_rows(prepared: dict[str, Any] | None) -> list[Row]:
    """Preparing pictures into shards, and reading them back."""
    if prepared is None:
        return [Row("Preparing 50,000 pictures into shards: pictures a second")]
    rows = []
    for task in prepared["tasks"].values():
        beside = f"; {task['shards']} shards, read again in {task['reading']['own_mb']:,.0f} MB of memory"
        if "memory_mb" in task:
            most, program = (task["memory_mb"][name]["largest"] for name in ("peak", "program"))
            beside = f"; at most {most:,.0f} MB of memory, {program:,.0f} of them the program's{beside}"
        what, asked = f"Preparing {task['pictures']:,} pictures of {task['title']}: pictures a second", task["asked"]
        limit, pace = f"at least {asked}" if asked else "", task["pictures_per_s"]
        rows.append(row(what, limit, pace, "", 0, beside=beside, met=not asked or pace["median"] >= asked))
    return rows


def gpu_rows(big: dict[str, Any] | None, records: dict[str, Any] | None) -> list[Row]:
    """What needs a GPU."""
    what, limit = "`alexnet` at 224 pixels on a GPU: images a second", "at least 20,000 (H200)"
    rows = [Row(what, limit)]
    if big is not None:
        pictures = big["pictures"]
        kept = "kept there" if pictures["kept"] else "read from the disk"
        beside = (
            f", {big['share']['median']:.0%} of the matrix products' rate; from {pictures['count']:,} prepared "
            f"pictures {kept}, steps alone"
        )
        met = big["images_per_s"]["median"] >= big["asked"]["images_per_s_h200"]
        rows = [row(what, limit, big["images_per_s"], "", 0, beside=beside, met=met)]
        what, times = "… torchvision's loop in turns with it, same batch", big["times_torchvision_loop"]
        beside = f"; this program {times['median']:.1f} times as many ({times['least']:.1f} to {times['largest']:.1f})"
        rows.append(row(what, "", big["torchvision_loop_images_per_s"], "", 0, beside=beside))
    what = "CIFAR-10 to 11% error, seconds of training on a GPU"
    record = None if records is None else records["records"].get("11%-gpu")
    return [*rows, *([Row(what, "10 s (H200)")] if record is None else _record(what, record))]
