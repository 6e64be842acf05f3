"""The journal's laws: any beginning is a valid state, undoing is exact, and nothing in it can become a path."""

import random
from dataclasses import fields

import pytest

from alexnet_core.data import journal
from alexnet_core.data.journal import Contents, Line, contents, forgotten, is_journal, line_bytes, same

BEGIN: Line = {"do": "begin", "format": 1, "title": "Pets"}


def key(number: int) -> str:
    return f"{number:064x}"


def file(*lines: Line) -> bytes:
    return b"".join(map(line_bytes, (BEGIN, *lines)))


def class_line(number: int, name: str, action: str = "") -> Line:
    return {"do": "class", "action": action or f"class{number}", "class": number, "name": name}


def add(class_id: int, *numbers: int, action: str = "add", broken: tuple[tuple[str, str], ...] = ()) -> Line:
    pictures = {key(number): f"{number}.jpg" for number in numbers}
    line = {"do": "add", "action": action, "class": class_id, "split": "", "from": "the zip pets"}
    return line | {"pictures": pictures, "broken": [list(one) for one in broken]}


def state(now: Contents) -> dict[str, object]:
    """What a person would see, with the order of everything."""
    seen = {field.name: getattr(now, field.name) for field in fields(now)}
    for name in ("undo", "redo", "next_class", "passed_over", "removed"):
        del seen[name]
    return {name: list(value.items()) if isinstance(value, dict) else value for name, value in seen.items()}


def some_history(seed: int, length: int = 60) -> list[Line]:
    """Random actions without undo or redo, some of which do not fit what is there."""
    chance = random.Random(seed)
    lines = [class_line(number, f"class {number}") for number in range(1, 6)]
    for number in range(length):
        action, some = f"a{number}", [key(chance.randrange(40)) for _ in range(chance.randrange(5))]
        one, other = chance.randrange(1, 6), chance.randrange(1, 6)
        lines.append(
            chance.choice(
                [
                    class_line(one, f"class {one}", action),
                    {"do": "rename", "action": action, "class": one, "name": f"name {number}"},
                    {"do": "merge", "action": action, "class": one, "into": other},
                    {"do": "drop", "action": action, "class": one},
                    {"do": "move", "action": action, "class": one, "pictures": some},
                    {"do": "remove", "action": action, "pictures": some},
                    {"do": "title", "action": action, "title": f"title {number}"},
                    *3 * [add(one, *range(number, number + 4), action=action)],
                ]
            )
        )
    return lines


@pytest.mark.parametrize("seed", range(5))
def test_undo_and_redo_are_exact(seed: int) -> None:
    lines = some_history(seed)
    before = [state(contents(file(*lines[:count]))) for count in range(len(lines) + 1)]
    assert len({str(one) for one in before}) > 20  # it is no history of nothing
    for count in range(1, len(lines) + 1, 7):
        for steps in {1, min(2, count), count}:
            undone = file(*lines[:count], *steps * [{"do": "undo"}])
            assert state(contents(undone)) == before[count - steps]
            assert state(contents(undone + steps * line_bytes({"do": "redo"}))) == before[count]
            # Something new after undoing: what was undone is gone for good.
            assert contents(undone + line_bytes(class_line(99, "new"))).redo is None


@pytest.mark.parametrize("seed", range(20))
def test_a_forgotten_past_changes_nothing_but_the_past(seed: int) -> None:
    lines = some_history(seed)
    before = contents(file(*lines))
    after = contents(forgotten(before))
    assert state(after) == state(before)
    assert after.next_class == before.next_class
    assert (after.undo, after.redo, after.removed) == (None, None, frozenset())
    more = {"do": "rename", "action": "later", "class": next(iter(before.classes), 1), "name": "later"}
    gone_on = b"".join(map(line_bytes, (more, {"do": "undo"})))
    assert state(contents(forgotten(before) + gone_on)) == state(before)


def test_what_was_removed_or_undone_is_known() -> None:
    remove: Line = {"do": "remove", "action": "r", "pictures": [key(1)]}
    lines = [class_line(1, "cats"), add(1, 1, 2), add(1, 3, action="more"), remove]
    assert contents(file(*lines)).removed == {key(1)}
    assert contents(file(*lines, {"do": "undo"}, {"do": "undo"})).removed == {key(3)}


def test_any_beginning_is_a_valid_state() -> None:
    lines = [class_line(1, "cats"), class_line(2, "Hünde"), add(1, 1, 2, 3), {"do": "undo"}, {"do": "redo"}]
    lines += [{"do": "move", "action": "m", "class": 2, "pictures": [key(2)]}, {"do": "undo"}]
    whole = file(*lines)
    ends = [0, *(place + 1 for place, byte in enumerate(whole) if byte == ord("\n"))]
    for cut in range(len(whole) + 1):
        complete = max(end for end in ends if end <= cut)
        assert contents(whole[:cut]) == contents(whole[:complete])
    assert [len(keys) for keys in contents(whole).members.values()] == [3, 0]


def test_lines_of_one_action_are_undone_together() -> None:
    lines = [class_line(1, "cats", "add"), add(1, 1, 2), class_line(2, "dogs", "add"), add(2, 3)]
    assert contents(file(*lines, {"do": "undo"})).classes == {}
    assert contents(file(*lines)).undo.pictures == 3


def test_an_adding_that_goes_on_while_it_is_undone_stays_undone() -> None:
    lines = [class_line(1, "cats"), add(1, 1), {"do": "undo"}, add(1, 2)]
    assert contents(file(*lines)).pictures == {}
    assert list(contents(file(*lines, {"do": "redo"})).pictures) == [key(1), key(2)]


def test_what_undo_and_redo_would_change_is_told() -> None:
    lines = [class_line(1, "cats"), add(1, 1, 2), {"do": "rename", "action": "r", "class": 1, "name": "felines"}]
    lines += [class_line(2, "dogs"), {"do": "merge", "action": "m", "class": 1, "into": 2}]
    step = contents(file(*lines)).undo
    assert (step.does, step.other, step.name) == ("merge", "felines", "dogs")
    now = contents(file(*lines, {"do": "undo"}, {"do": "undo"}))
    assert (now.undo.does, now.undo.other, now.undo.name) == ("rename", "cats", "felines")
    assert (now.redo.does, now.redo.name) == ("class", "dogs")


def test_a_class_is_told_by_a_name_that_another_one_left_free() -> None:
    merged = [class_line(1, "cat"), class_line(2, "cats"), {"do": "merge", "action": "m", "class": 1, "into": 2}]
    merged += [{"do": "rename", "action": "r", "class": 2, "name": "cat"}, add(2, 1)]
    moved = contents(file(*merged, {"do": "move", "action": "v", "class": 2, "pictures": [key(1)]})).undo
    assert (moved.does, moved.name) == ("move", "cat")
    dropped: list[Line] = [class_line(1, "dogs"), {"do": "drop", "action": "d", "class": 1}, class_line(2, "dogs")]
    again = contents(file(*dropped, {"do": "drop", "action": "e", "class": 2})).undo
    assert (again.does, again.name) == ("drop", "dogs")


def test_numbers_of_classes_are_never_used_twice() -> None:
    assert contents(file(class_line(1, "cats"), {"do": "undo"})).next_class == 2


def test_names_that_a_person_would_call_the_same_are_one_class() -> None:
    now = contents(file(class_line(1, "Café"), class_line(2, "CAFE\u0301"), class_line(3, "dogs")))
    assert now.classes == {1: "Café", 3: "dogs"}
    assert now.class_called(" café ") == 1
    renamed = contents(
        file(class_line(1, "a"), class_line(2, "b"), {"do": "rename", "action": "r", "class": 2, "name": "A"})
    )
    assert renamed.classes == {1: "a", 2: "b"}


def test_a_picture_is_there_once() -> None:
    now = contents(file(class_line(1, "cats"), class_line(2, "dogs"), add(1, 1), add(2, 1, 2, action="later")))
    assert now.members == {1: [key(1)], 2: [key(2)]}


@pytest.mark.parametrize(
    "line",
    [
        b"\x00" * 50,
        b"[]",
        b'"add"',
        b"{}",
        b'{"do": ["undo"]}',
        b'{"do": "burn", "action": "a"}',
        b'{"do": "_init__", "action": "a"}',
        b'{"do": "begin", "format": 2, "title": "x"}',
        b'{"do": "class", "action": "a", "class": true, "name": "x"}',
        b'{"do": "class", "action": ["a"], "class": 5, "name": "x"}',
        b'{"do": "class", "action": "a", "class": -1, "name": "x"}',
        b'{"do": "move", "action": "a", "class": 1, "pictures": [5]}',
        line_bytes({"do": "remove", "action": "a", "pictures": ["../../../etc/passwd"]}).strip(),
        line_bytes(add(1, 7) | {"pictures": {"../" + key(7)[3:]: "x.jpg"}}).strip(),
        line_bytes(add(1, 7) | {"pictures": {key(7) + "\n": "x.jpg"}}).strip(),
        line_bytes(add(1, 7) | {"pictures": {"../" + key(7): "x.jpg"}}).strip(),
        line_bytes(add(1, 7) | {"pictures": {key(7): 5}}).strip(),
        line_bytes(add(1, 7) | {"pictures": [key(7)]}).strip(),
        line_bytes(add(1, 7) | {"split": "../test"}).strip(),
        line_bytes(add(1, 7) | {"broken": [["a", 5]]}).strip(),
        b'{"do":' + 100_000 * b"[",
    ],
)
def test_a_line_that_is_none_of_ours_is_passed_over(line: bytes) -> None:
    journal = file(class_line(1, "cats"), add(1, 1))
    damaged = contents(journal + line + b"\n" + line_bytes(add(1, 2, action="later")))
    assert damaged.passed_over == 1
    assert list(damaged.pictures) == [key(1), key(2)]


def test_only_a_journal_is_a_journal() -> None:
    assert is_journal(line_bytes(BEGIN))
    assert not any(map(is_journal, (b"", b"\n", b"{}", line_bytes(class_line(1, "x")), b'{"do":"begin","format":9}')))


def test_names_are_cleaned_when_they_are_read() -> None:
    now = contents(file(class_line(1, "<b>\u202e\x1b[31m" + "x" * 99), {"do": "title", "action": "t", "title": "a\nb"}))
    assert now.classes[1].isprintable()
    assert len(now.classes[1]) == 64
    assert now.title == "a b"


def test_thousands_of_classes_are_compared_by_name_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [class_line(number, f"Class number {number}", "many") for number in range(1, 2_001)]
    asked = []
    monkeypatch.setattr(journal, "same", lambda name: asked.append(name) or same(name))
    now = contents(file(*lines, add(7, 1, 2)))
    assert len(now.classes) == 2_000
    assert len(asked) < 10 * len(lines)


def test_a_name_is_free_again_once_its_class_has_another_or_is_gone() -> None:
    def rename(number: int, name: str, action: str) -> Line:
        return {"do": "rename", "action": action, "class": number, "name": name}

    lines = [class_line(1, "cats"), class_line(2, "dogs"), rename(1, "Cats", "a"), rename(1, "DOGS", "b")]
    assert contents(file(*lines)).classes == {1: "Cats", 2: "dogs"}
    lines += [rename(2, "wolves", "c"), rename(1, "Dogs", "d"), {"do": "drop", "action": "e", "class": 1}]
    assert contents(file(*lines, class_line(3, "dogs"), class_line(4, "Wolves"))).classes == {2: "wolves", 3: "dogs"}
    merged = {"do": "merge", "action": "f", "class": 2, "into": 3}
    assert contents(file(*lines, class_line(3, "dogs"), merged, class_line(5, "Wolves"))).classes == {
        3: "dogs",
        5: "Wolves",
    }
