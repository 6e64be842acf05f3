"""The line before a shared network: first come, first served, and everyone can see how many are before them."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from threading import Condition
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

BEAT = 0.3
"""Seconds after which those who wait are told again how things stand: it is also the moment at which a page that was
left, or a Stop that was pressed, gives its place up."""

Tell = Callable[[int], object]
"""Called with how many are before the caller, the one who computes included. What it raises ends the waiting."""

_usual: ContextVar[Tell | None] = ContextVar("usual", default=None)


@contextmanager
def telling(tell: Tell) -> Iterator[None]:
    """While the block runs, `tell` hears of each wait of this thread that nobody else is told of; 0 when it is over."""
    before = _usual.set(tell)
    try:
        yield
    finally:
        _usual.reset(before)


def tell_as_usual(before: int) -> None:
    """Tell whom `telling` has named, if it has named somebody."""
    tell = _usual.get()
    if tell is not None:
        tell(before)


def before_you(count: int) -> str:
    """How many questions a network answers first."""
    return f"Waiting: this network answers {count} {'question' if count == 1 else 'questions'} before yours."


class Line:
    """The line on a page: how many are before one who waits so long that it is noticed."""

    def __init__(self, place: "DeltaGenerator") -> None:
        """`place` is empty while nobody waits."""
        self._place = place
        self._since: float | None = None
        self._shown = False

    def __call__(self, before: int) -> None:
        if before:
            self._since = self._since or time.monotonic()
            if time.monotonic() - self._since >= BEAT:
                self._place.caption(f":material/hourglass_top: {before_you(before)}")
                self._shown = True
            return
        self._since = None
        if self._shown:
            self._shown = False
            self._place.empty()


class FairLock:
    """A lock that serves in the order of arrival. Like `threading.Lock` it may not be taken twice by one thread.

    The plain lock wakes any of those who wait, so that with twelve of them one may wait many times as long as another.
    """

    def __init__(self) -> None:
        self._moved = Condition()
        self._line: deque[object] = deque()
        """The first one holds the lock."""
        self._held: AbstractContextManager[None] | None = None

    @property
    def length(self) -> int:
        """How many stand in the line, the one who computes included."""
        with self._moved:
            return len(self._line)

    @contextmanager
    def turn(self, tell: Tell | None = None) -> Iterator[None]:
        """Wait for one's turn, hold the lock while the block runs. An exception, also one of `tell`, leaves the
        line."""
        ticket = object()
        with self._moved:
            self._line.append(ticket)
        try:
            self._wait(ticket, tell)
            yield
        finally:
            with self._moved:
                self._line.remove(ticket)
                self._moved.notify_all()

    def _wait(self, ticket: object, tell: Tell | None) -> None:
        while True:
            with self._moved:
                before = self._line.index(ticket)
            if before == 0:
                return
            if tell is not None:
                tell(before)  # outside of the condition: it may take a while, and the others go on
            with self._moved:
                if self._line.index(ticket) == before:
                    self._moved.wait(BEAT)

    def __enter__(self) -> None:
        turn = self.turn(_usual.get())
        turn.__enter__()
        try:
            tell_as_usual(0)
        except BaseException as error:  # the page was left: the turn goes to the next
            turn.__exit__(type(error), error, error.__traceback__)
            raise
        self._held = turn

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        turn, self._held = self._held, None
        assert turn is not None
        turn.__exit__(kind, error, trace)
