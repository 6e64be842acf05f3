import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest

from alexnet_core.data.ahead import made_ahead


def threads(name: str = "test") -> ThreadPoolExecutor:
    return ThreadPoolExecutor(3, name)


def test_all_is_made_and_comes_in_order() -> None:
    def slow_at_first(number: int) -> int:
        time.sleep(0.02 / (1 + number))
        return number * number

    assert list(made_ahead(range(30), slow_at_first, threads(), 6)) == [number * number for number in range(30)]
    assert list(made_ahead([], slow_at_first, threads(), 6)) == []


def test_never_more_is_made_ahead_than_may_be() -> None:
    made = 0
    counting = threading.Lock()

    def make(number: int) -> int:
        nonlocal made
        with counting:
            made += 1
        return number

    for taken, _ in enumerate(made_ahead(range(50), make, threads(), 5)):
        time.sleep(0.001)
        assert made - taken <= 5 + 1


def test_an_error_comes_where_its_turn_is_and_ends_the_work() -> None:
    def bad_at_five(number: int) -> int:
        if number == 5:
            raise ValueError(number)
        return number

    coming = made_ahead(range(1000), bad_at_five, threads("ending"), 6)
    assert list(islice(coming, 5)) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="5"):
        next(coming)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ending")]
