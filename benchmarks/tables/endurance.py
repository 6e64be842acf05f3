"""Runs killed, damaged and filled up on purpose."""

from typing import Any

HEAD = ["| Trial (`make endurance`) | How often | Found |", "|---|---|---|"]


def endurance_rows(endurance: dict[str, Any] | None) -> list[str]:
    """Lines of a table of its own; every comparison is of bytes."""
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
