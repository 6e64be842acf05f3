"""The line before a shared network: in the order of arrival, honest about its length, and left without a trace."""

import threading
import time
from types import SimpleNamespace

import pytest

from app.store import Store
from app.waiting import FairLock, Line, before_you, telling


def until(true, seconds=10.0):
    """Wait for another thread."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "It did not happen in time."
        time.sleep(0.002)


def started(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_served_in_the_order_of_arrival():
    lock, served = FairLock(), []

    def take(number):
        with lock:
            served.append(number)

    threads = []
    with lock:
        for number in range(8):
            threads.append(started(lambda number=number: take(number)))
            until(lambda number=number: lock.length == number + 2)
    for thread in threads:
        thread.join()
    assert served == list(range(8))
    assert lock.length == 0


def test_one_at_a_time():
    lock, inside, most = FairLock(), [], []

    def take():
        with lock:
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.002)
            inside.pop()

    threads = [started(take) for _ in range(12)]
    for thread in threads:
        thread.join()
    assert most == [1] * 12


def test_tells_how_many_are_before():
    lock, told, go = FairLock(), [], [threading.Event(), threading.Event()]

    def hold(event):
        with lock:
            event.wait(10)

    def ask():
        with lock.turn(told.append):
            pass

    threads = []
    for place, event in enumerate(go):
        threads.append(started(lambda event=event: hold(event)))
        until(lambda place=place: lock.length == place + 1)
    threads.append(started(ask))
    until(lambda: told)
    assert told[0] == 2
    go[0].set()
    until(lambda: told[-1] == 1)
    go[1].set()
    for thread in threads:
        thread.join()
    assert told == sorted(told, reverse=True)


def test_a_wait_that_nobody_else_is_told_of_stands_on_the_page(monkeypatch):
    monkeypatch.setattr("app.waiting.BEAT", 0.01)
    lock, store, go, shown = FairLock(), Store(1), threading.Event(), []
    place = SimpleNamespace(caption=shown.append, empty=lambda: shown.append(""))

    def hold():
        with lock:
            go.wait(10)
        return 7

    def ask():
        with telling(Line(place)), lock:
            pass

    first = started(hold)
    until(lambda: lock.length == 1)
    second = started(ask)
    until(lambda: shown)
    go.set()
    for thread in (first, second):
        thread.join()
    assert shown[0].endswith(before_you(1))
    assert shown[-1] == ""
    with telling(Line(place)), lock:
        assert shown[-1] == ""  # who does not wait is told nothing
    go.clear()
    shown.clear()
    first = started(lambda: store.get("key", hold))
    until(lambda: lock.length == 1)

    def ask_the_same():
        with telling(Line(place)):
            assert store.get("key", hold) == 7

    second = started(ask_the_same)
    until(lambda: shown)
    go.set()
    for thread in (first, second):
        thread.join()
    assert shown[-1] == ""


def test_a_page_that_is_left_when_its_turn_comes_passes_the_turn_on():
    lock = FairLock()

    def leave(before):
        if before == 0:
            raise KeyboardInterrupt

    with telling(leave), pytest.raises(KeyboardInterrupt), lock:
        pytest.fail("It was left before.")
    assert lock.length == 0


def test_who_goes_away_leaves_the_line():
    lock = FairLock()

    def leave(_before):
        raise KeyboardInterrupt

    with lock:
        with pytest.raises(KeyboardInterrupt), lock.turn(leave):
            pytest.fail("It was not its turn.")
        assert lock.length == 1
    with pytest.raises(ZeroDivisionError), lock:
        raise ZeroDivisionError
    with lock.turn():
        assert lock.length == 1
    assert lock.length == 0
