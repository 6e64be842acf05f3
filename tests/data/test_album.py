"""An album: each change is whole or not there, two windows lose nothing, and no name becomes a path."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alexnet_core.data import album as albums_module
from alexnet_core.data import deleted_albums
from alexnet_core.data.album import Album, albums, create, find, is_album
from alexnet_core.data.collecting import add_pictures, alone_adding
from alexnet_core.errors import ExplorerError
from alexnet_core.images import sha256
from tests.pictures import png


@pytest.fixture
def pets() -> Album:
    """Three cats and two dogs."""
    made = create("Pets")
    for name, seeds in (("cats", (1, 2, 3)), ("dogs", (4, 5))):
        pictures = [png(seed) for seed in seeds]
        add_pictures(made, name, [f"{seed}.png" for seed in seeds], pictures.__getitem__)
    return made


def counts(album: Album) -> dict[str, int]:
    now = album.contents()
    return {now.classes[class_id]: len(keys) for class_id, keys in now.members.items()}


def test_what_a_person_does_and_takes_back(pets: Album) -> None:
    cats, dogs = pets.contents().classes
    first = sha256(png(1))
    does = [
        (lambda: pets.move([first], dogs), {"cats": 2, "dogs": 3}),
        (lambda: pets.remove([first]), {"cats": 2, "dogs": 2}),
        (lambda: pets.rename_class(cats, "felines"), {"felines": 2, "dogs": 2}),
        (lambda: pets.name_classes(["birds"]), {"felines": 2, "dogs": 2, "birds": 0}),
        (lambda: pets.merge_classes(dogs, cats), {"felines": 4, "birds": 0}),
        (lambda: pets.drop_class(cats), {"birds": 0}),
    ]
    seen = [counts(pets)]
    for do, expected in does:
        do()
        assert counts(pets) == expected
        seen.append(expected)
    for expected in reversed(seen[:-1]):
        pets.undo()
        assert counts(pets) == expected
    for expected in seen[1:]:
        pets.redo()
        assert counts(pets) == expected
    with pytest.raises(ExplorerError, match="nothing to redo"):
        pets.redo()


def test_undoing_brings_back_a_picture_byte_for_byte(pets: Album) -> None:
    key = sha256(png(1))
    pets.remove([key])
    pets.undo()
    assert pets.picture_bytes(key) == png(1)


@pytest.mark.parametrize(
    ("do", "says"),
    [
        (lambda pets: pets.move([], 1), "Choose some pictures"),
        (lambda pets: pets.move([sha256(png(1))], 77), "class is gone"),
        (lambda pets: pets.remove(["f" * 64]), "are gone"),
        (lambda pets: pets.rename_class(1, " DOGS "), "already"),
        (lambda pets: pets.merge_classes(1, 1), "with itself"),
        (lambda pets: pets.drop_class(9), "class is gone"),
        (lambda pets: pets.picture_path("../../canary"), "not the key"),
        (lambda pets: pets.picture_bytes("f" * 64, "x.png"), "not here any more"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_changes_nothing(pets: Album, do, says: str) -> None:
    before = pets.journal_path.read_bytes()
    with pytest.raises(ExplorerError, match=says):
        do(pets)
    assert pets.journal_path.read_bytes() == before


def test_killed_in_the_middle_of_a_line_and_gone_on(pets: Album) -> None:
    before = counts(pets)
    with pets.journal_path.open("ab") as file:
        file.write(b'{"do":"remove","action":"x","pict')
    assert counts(pets) == before
    pets.name_classes(["birds"])
    assert counts(pets) == before | {"birds": 0}
    assert pets.contents().passed_over == 0


def test_two_windows_at_once_lose_nothing(pets: Album) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: Album(pets.path).name_classes([f"class {number}"]), range(24)))
    names = pets.contents().classes.values()
    assert {f"class {number}" for number in range(24)} <= set(names)


def test_a_window_that_hangs_is_not_waited_for_for_ever(pets: Album, monkeypatch) -> None:
    monkeypatch.setattr(albums_module, "PATIENCE", 0.05)
    with pets.changing(), pytest.raises(ExplorerError, match="Another window"):
        pets.undo()


def test_thumbnails_are_small_and_made_again(pets: Album) -> None:
    key = sha256(png(2))
    first = pets.thumbnail(key)
    assert len(first) < 20_000
    thumbnail = pets.path / "thumbnails" / key[:2] / key
    for lost in (thumbnail.unlink, lambda: thumbnail.write_bytes(b"")):
        lost()
        assert pets.thumbnail(key) == first
        assert thumbnail.read_bytes() == first


def test_an_unchanged_album_is_not_read_again(pets: Album) -> None:
    assert pets.contents() is Album(pets.path).contents()
    pets.undo()
    assert counts(pets) == {"cats": 3}


def test_every_change_is_another_version(pets: Album) -> None:
    before = pets.version()
    assert pets.version() == before
    pets.undo()
    assert pets.version() != before


@pytest.mark.parametrize("title", ["../../evil", "a/b", "\x00", "", "CON", "x" * 500, "<script>", "日本"])
def test_titles_never_become_paths(home: Path, title: str) -> None:
    made = create(title)
    assert made.path.parent == home / "collections"
    assert albums_module.ALBUM_ID.fullmatch(made.id)
    assert find(made.id) == made
    assert len(made.contents().title) <= 64


@pytest.mark.parametrize(
    "album_id", ["", "..", "../outside", "pets", "pets-0000000g", "/etc", "pets-00000000\n", "a" * 999]
)
def test_ids_are_matched_whole(home: Path, album_id: str) -> None:
    create("Pets").path.rename(home / "outside")
    with pytest.raises(ExplorerError, match="no data set"):
        find(album_id)


def test_only_albums_are_listed_the_last_changed_first(home: Path, pets: Album) -> None:
    later = create("Flowers")
    (home / "collections" / "notes-00000000").mkdir()
    (home / "collections" / "mine").mkdir()
    assert [one.id for one in albums()] == [later.id, pets.id]
    assert not is_album(home)


def test_an_album_deleted_meanwhile_is_a_sentence(pets: Album) -> None:
    pets.path.rename(pets.path.with_name("elsewhere"))
    for do in (pets.contents, pets.version, pets.undo, lambda: pets.name_classes(["x"])):
        with pytest.raises(ExplorerError, match="no data set"):
            do()


def test_deleting_and_bringing_back(home: Path, pets: Album) -> None:
    before = counts(pets)
    deleted_albums.delete(pets)
    assert albums() == []
    assert [one.id for one in deleted_albums.deleted_albums()] == [pets.id]
    assert deleted_albums.restore(pets.id) == pets
    assert counts(pets) == before
    deleted_albums.delete(pets)
    deleted_albums.delete_for_good()
    assert list((home / "collections" / "deleted").iterdir()) == []
    for album_id in (pets.id, "../../canary"):
        with pytest.raises(ExplorerError, match="for good"):
            deleted_albums.restore(album_id)


def test_removed_pictures_are_deleted_for_good(pets: Album) -> None:
    now = pets.contents()
    gone, stays = list(now.pictures)[:2]
    data = pets.picture_bytes(gone)
    pets.thumbnail(gone)
    pets.remove([gone])
    assert deleted_albums.removed_bytes(pets) == len(data)
    deleted_albums.delete_removed(pets)
    after = pets.contents()
    assert list(after.pictures) == [key for key in now.pictures if key != gone]
    assert (after.classes, after.undo, after.removed) == (now.classes, None, frozenset())
    assert deleted_albums.removed_bytes(pets) == 0
    assert not [path for path in pets.path.rglob("*") if path.name == gone]
    assert pets.picture_bytes(stays)
    pets.remove([stays])
    pets.undo()
    assert pets.contents().pictures == after.pictures


def test_what_was_cut_off_while_deleting_can_be_asked_for_again(pets: Album, monkeypatch) -> None:
    gone = list(pets.contents().pictures)[:2]
    pets.remove(gone)

    def full(*_: object) -> None:
        raise ExplorerError("journal.jsonl could not be written: No space left on device.")

    with monkeypatch.context() as patch:
        patch.setattr(deleted_albums, "write_whole", full)
        with pytest.raises(ExplorerError, match="No space"):
            deleted_albums.delete_removed(pets)
    assert pets.contents().removed == set(gone)
    deleted_albums.delete_removed(pets)
    assert pets.contents().removed == frozenset()


def test_nothing_is_deleted_while_pictures_are_added(pets: Album) -> None:
    pets.remove(list(pets.contents().pictures)[:1])
    for delete in (deleted_albums.delete_removed, deleted_albums.delete):
        with alone_adding(pets), pytest.raises(ExplorerError, match="being added"):
            delete(pets)
    assert deleted_albums.removed_bytes(pets) > 0


def test_only_an_album_without_a_past_is_discarded(home: Path, pets: Album) -> None:
    assert not deleted_albums.discard_untouched(pets)
    emptied = create("Emptied")
    emptied.name_classes(["cats"])
    emptied.undo()
    assert not deleted_albums.discard_untouched(emptied)
    empty = create("Empty")
    assert deleted_albums.discard_untouched(empty)
    assert not empty.path.exists()
    assert {album.id for album in albums()} == {pets.id, emptied.id}


def test_an_emptied_album_whose_past_is_forgotten_is_not_discarded(pets: Album) -> None:
    for class_id in list(pets.contents().classes):
        pets.drop_class(class_id)
    deleted_albums.delete_removed(pets)
    now = pets.contents()
    assert (now.undo, now.redo, now.classes) == (None, None, {})
    assert not deleted_albums.discard_untouched(pets)
    assert pets.contents().title == now.title
