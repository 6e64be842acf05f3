"""Work that all cores do ahead of whoever takes it."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def made_ahead(given: Iterable[Given], make: Callable[[Given], Made], name: str, each: int = 2) -> Iterator[Made]:
    """What `make` makes of each, in order: by a thread for each core, never more than `each` times as many ahead, so
    that memory stays bounded where the taker is slow. `name` is that of the threads."""
    workers = os.cpu_count() or 1
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix=name) as pool:
        try:
            for one in given:
                waiting.append(pool.submit(make, one))
                if len(waiting) > each * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
