"""How long work is shown on standard error."""

import sys
import time

from tqdm import tqdm


def size_in_words(count: int) -> str:
    """Bytes as people read them."""
    return f"{count / 1e6:,.0f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"


def duration_in_words(seconds: float) -> str:
    """A time of waiting, as exact as an estimate deserves."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class ProgressShown:
    """A bar in a terminal, otherwise a plain line every few seconds."""

    LINE_EVERY = 5.0

    def __init__(self) -> None:
        self.stage = ""
        self.bar: tqdm | None = None
        self.said = time.monotonic()
        self.began = (0.0, 0)  # when the stage began, and with how much of it done already

    def __enter__(self) -> "ProgressShown":
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def update(self, done: int, total: int, stage: str) -> None:
        """The callback of `prepare`."""
        if stage != self.stage:
            self.began = (time.monotonic(), done)
        in_bytes = stage in ("reading", "downloading")
        if sys.stderr.isatty():
            if self.bar is None or stage != self.stage:
                self.__exit__()
                unit = "B" if in_bytes else " pictures"
                self.bar = tqdm(total=total, initial=done, desc=stage, unit=unit, unit_scale=in_bytes)
            self.bar.update(done - self.bar.n)
        elif stage != self.stage or time.monotonic() - self.said > self.LINE_EVERY:
            amount = (
                f"{size_in_words(done)} of {size_in_words(total)}" if in_bytes else f"{done:,} of {total:,} pictures"
            )
            print(f"{stage}: {amount}{self._left(done, total)}", file=sys.stderr, flush=True)
            self.said = time.monotonic()
        self.stage = stage

    def _left(self, done: int, total: int) -> str:
        """The time left, if it goes on as it has since the stage began or was taken up again; "" while unknown."""
        since, first = self.began
        if not first < done < total:
            return ""
        return f", about {duration_in_words((time.monotonic() - since) / (done - first) * (total - done))} left"
