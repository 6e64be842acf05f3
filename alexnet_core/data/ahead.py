"""Work that threads do ahead of whoever takes it."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def made_ahead(
    given: Iterable[Given], make: Callable[[Given], Made], threads: ThreadPoolExecutor, ahead: int
) -> Generator[Made]:
    """What `make` makes of each, in order; never more than `ahead` of them wait to be taken, so that memory stays
    bounded where the taker is slow. An error comes where its turn is. The threads end with the generator."""
    waiting: deque[Future[Made]] = deque()
    with threads:
        try:
            for one in given:
                waiting.append(threads.submit(make, one))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)
