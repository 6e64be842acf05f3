"""A process as a file remembers it: by its number and its start, for the system gives numbers out again.

On Linux the start is counted from that of the computer. What is counted from 1970 moves when the clock is set, after a
sleep for instance: a training that goes on would be taken for one that has gone, and begun a second time beside it.
"""

import os
import sys
from pathlib import Path

import psutil

SINCE_1970 = 1e9
"""Seconds. A start from here on is counted from 1970, as it is everywhere but on Linux, and by earlier versions."""


def start_of(pid: int) -> float:
    """When the process began, in seconds since the computer did (Linux) or since 1970. Raises psutil.NoSuchProcess
    where there is none."""
    began = psutil.Process(pid).create_time()
    return _since_boot(pid) if sys.platform == "linux" else began


def is_alive(pid: int, started: float | None) -> bool:
    """Whether it still goes on; without a start any process of this number counts. What a damaged file says in place of
    the two is no process."""
    try:
        process = psutil.Process(pid)
        # A finished child of the app stays a zombie until the app asks for it.
        same = started is None or abs(_counted_alike(process, started) - started) < 1.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, TypeError, ValueError):
        return False


def _counted_alike(process: psutil.Process, started: float) -> float:
    """When `process` began, counted from where `started` is."""
    return start_of(process.pid) if started < SINCE_1970 else process.create_time()


def _since_boot(pid: int) -> float:
    try:
        said = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError as error:
        raise psutil.NoSuchProcess(pid) from error
    # The 22nd field, in ticks; the second is a name in brackets, which may hold spaces and brackets.
    return float(said.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")


def last_line(printed: Path) -> str:
    """The last line of the file that a process printed into: why it ended. Empty where there is no such file."""
    try:
        lines = printed.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    return lines[-1] if lines else ""
