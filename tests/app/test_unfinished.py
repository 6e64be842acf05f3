import pytest

from app.unfinished import MOST, _works, going_on


def counting(upto):
    yield from range(upto)


@pytest.fixture(autouse=True)
def none_from_before():
    _works.clear()


def test_work_that_was_left_goes_on_after_its_last_step():
    first = going_on("a", lambda: counting(5))
    assert [next(first), next(first)] == [0, 1]
    first.close()
    assert list(going_on("a", lambda: pytest.fail("It was begun before."))) == [2, 3, 4]
    assert not _works()


def test_work_that_failed_begins_anew():
    def broken():
        yield 0
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(going_on("a", broken))
    assert list(going_on("a", lambda: counting(2))) == [0, 1]


def test_the_oldest_makes_room():
    for name in range(MOST + 1):
        next(going_on(name, lambda: counting(2)))
    assert next(going_on(MOST, lambda: pytest.fail("It was begun before."))) == 1
    assert next(going_on(0, lambda: counting(2))) == 0
