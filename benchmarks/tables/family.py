"""AlexNet and its successors side by side."""

from typing import Any

from benchmarks.tables.row import Row, row


def family_rows(family: dict[str, Any] | None) -> list[Row]:
    """All networks of the family, one picture each and in batches."""
    if family is None:
        return [Row("Comparing the speed of all families", "60 s")]
    networks, asked, seconds = family["networks"], family["asked_s"], family["seconds"]
    rounds = min(one["latency_ms"]["rounds"] for one in networks.values())
    what = f"Comparing the speed of all {len(networks)} networks, {rounds} rounds"
    rows = [Row(what, f"{asked} s", f"{seconds:.0f} s", met=seconds <= asked)]
    for one in networks.values():
        slow = one["latency_ms"]
        pace = f"; {one['images_per_s']['median']:,.0f} pictures a second in batches of {family['batch']}"
        what = f"One picture through {one['title']}, {one['image_size']} pixels"
        rows.append(row(what, "", slow | {"runs": slow["rounds"]}, " ms", 1, beside=pace))
    return rows


def staircase_rows(staircase: dict[str, Any] | None) -> list[Row]:
    """AlexNet mini and its successors after equal time."""
    if staircase is None:
        return [Row("The staircase: AlexNet mini and its successors after equal time")]
    minutes, data, rows = staircase["minutes"], staircase["data"], []
    for one in staircase["stairs"].values():
        what = f"{one['title']} after {minutes:g} min, or one epoch where that is longer, on {data}: top-1"
        spent = f"; {one['epochs']} {'epoch' if one['epochs'] == 1 else 'epochs'} in {one['minutes']['median']:.2f} min"
        rows.append(row(what, "", one["top1"], " %", 1, times=100, beside=spent))
    return rows
