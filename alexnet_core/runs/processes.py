"""A process as a file remembers it: by its number and its start, for the system gives numbers out again."""

from pathlib import Path

import psutil


def start_of(pid: int) -> float:
    """When the process began, in seconds since 1970. Raises psutil.NoSuchProcess where there is none."""
    return psutil.Process(pid).create_time()


def is_alive(pid: int, started: float | None) -> bool:
    """Whether it still goes on; without a start any process of this number counts. What a damaged file says in place of
    the two is no process."""
    try:
        process = psutil.Process(pid)
        # A finished child of the app stays a zombie until the app asks for it.
        same = started is None or abs(process.create_time() - started) < 1.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, TypeError, ValueError):
        return False


def last_line(printed: Path) -> str:
    """The last line of the file that a process printed into: why it ended. Empty where there is no such file."""
    try:
        lines = printed.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    return lines[-1] if lines else ""
