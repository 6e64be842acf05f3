"""The page Your pictures, as a person uses it: from nothing to a training, and back again."""

from pathlib import Path

import pytest
import streamlit as st

from alexnet_core.data import album as stored
from alexnet_core.data import deleted_albums
from alexnet_core.data.album import Album
from alexnet_core.data.collecting import add_pictures, add_source
from alexnet_core.errors import ExplorerError
from alexnet_core.images import sha256
from app.collecting import adding
from app.sentences import plain
from tests.pictures import class_files, make_folder, make_zip, png

HOSTILE = "<b>*cat*</b> [x](javascript:1) `:red[1]`"


@pytest.fixture
def pets(home, tmp_path: Path) -> Album:
    """Eight cats and eight dogs."""
    album = stored.create("Pets")
    add_source(album, make_folder(tmp_path / "in", class_files()))
    return album


def counts(album: Album) -> dict[str, int]:
    now = album.contents()
    return {now.classes[class_id]: len(keys) for class_id, keys in now.members.items()}


def sound(app) -> bool:
    return not app.exception and not app.error


def texts(app) -> str:
    kinds = (app.markdown, app.caption, app.info, app.success, app.warning, app.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def button(app, label: str):
    return next(one for one in app.button if one.label == label)


def test_an_empty_page_shows_what_a_data_set_is_and_takes_the_first_folder(home, open_page) -> None:
    app = open_page("your_pictures")
    assert sound(app)
    assert "An example: a class is a folder" in texts(app)
    files = [(f"pets/{name}", data, "image/png") for name, data in class_files().items()]
    app.file_uploader[0].set_value(files).run()
    assert sound(app)
    (album,) = stored.albums()
    assert counts(album) == {"cats": 8, "dogs": 8}
    assert album.contents().title == "My pictures"
    assert "16 pictures added" in texts(app)
    assert app.query_params["album"] == album.id
    assert app.file_uploader[0].value == []


def test_another_data_set_is_made_beside_the_first(pets: Album, open_page) -> None:
    app = open_page("your_pictures")
    app.selectbox(key="album").set_value("new").run()
    app.file_uploader[0].set_value([("birds/1.png", png(900), "image/png")]).run()
    assert sound(app)
    made = stored.find(app.query_params["album"])
    assert counts(made) == {"birds": 1}
    assert app.selectbox(key="album").value == made.id
    assert counts(pets) == {"cats": 8, "dogs": 8}


def test_files_go_into_the_class_that_is_chosen(home, open_page) -> None:
    album = stored.create("Pets")
    album.name_classes([HOSTILE])
    app = open_page("your_pictures")
    app.segmented_control(key="adding_way").set_value("files").run()
    files = [("../../evil.png", png(1), "image/png"), ("text.jpg", b"hello", "image/jpeg")]
    app.file_uploader[0].set_value(files).run()
    assert sound(app)
    assert counts(album) == {HOSTILE: 1}
    assert HOSTILE not in texts(app)
    assert "not a picture this program can read" in texts(app)
    assert [path.name for path in (album.path / "pictures").rglob("*") if path.is_file()] == [sha256(png(1))]


def test_without_a_class_files_wait_for_its_name(home, open_page) -> None:
    app = open_page("your_pictures")
    app.segmented_control(key="adding_way").set_value("files").run()
    assert app.file_uploader[0].disabled
    app.segmented_control(key="adding_way").set_value("camera").run()
    assert "Name the class first" in texts(app)
    assert sound(app)


def test_a_zip_is_added_and_a_bad_one_is_a_sentence(pets: Album, open_page, tmp_path: Path) -> None:
    app = open_page("your_pictures")
    app.segmented_control(key="adding_way").set_value("zip").run()
    birds = make_zip(tmp_path / "birds.zip", class_files(["birds"], seed=900)).read_bytes()
    app.file_uploader[0].set_value(("birds.zip", birds, "application/zip")).run()
    assert sound(app)
    assert counts(pets)["birds"] == 8
    app.file_uploader[0].set_value(("bad.zip", b"no zip", "application/zip")).run()
    assert "is not a zip, or a damaged one" in app.error[0].value
    assert not app.exception


@pytest.mark.parametrize("broken", ["zip", "folder"])
def test_what_gives_no_picture_leaves_no_data_set(home, open_page, broken: str) -> None:
    app = open_page("your_pictures")
    app.text_input[0].set_value("Birds").run()
    app.segmented_control(key="adding_way").set_value(broken).run()
    if broken == "zip":
        app.file_uploader[0].set_value(("bad.zip", b"no zip", "application/zip")).run()
    else:
        app.file_uploader[0].set_value([("birds/1.png", b"no picture", "image/png")]).run()
    assert "is not a zip" in texts(app) or "not a picture this program can read" in texts(app)
    assert "An example: a class is a folder" in texts(app)
    assert not app.exception
    assert list((home / "collections").iterdir()) == []
    app.segmented_control(key="adding_way").set_value("folder").run()
    app.file_uploader[0].set_value([("birds/1.png", png(900), "image/png")]).run()
    (album,) = stored.albums()
    assert (album.contents().title, counts(album)) == ("Birds", {"birds": 1})
    assert sound(app)


def test_photographs_go_into_a_class_one_after_the_other(pets: Album, open_page) -> None:
    app = open_page("your_pictures")
    app.segmented_control(key="adding_way").set_value("camera").run()
    for seed in (5_001, 5_002):
        app.camera_input[0].set_value(("shot.jpg", png(seed), "image/jpeg")).run()
        assert sound(app)
        assert app.camera_input[0].value is None
    assert counts(pets) == {"cats": 10, "dogs": 8}


def test_choosing_moving_removing_and_taking_back(pets: Album, open_page) -> None:
    app = open_page("your_pictures")
    assert button(app, "Move").disabled
    app.checkbox[0].check().run()
    app.checkbox[1].check().run()
    assert "2 pictures chosen" in texts(app)
    button(app, "Move").click().run()
    assert counts(pets) == {"cats": 6, "dogs": 10}
    button(app, "Choose all").click().run()
    button(app, "Remove").click().run()
    assert counts(pets) == {"cats": 0, "dogs": 10}
    assert "Undo takes back: removing 6 pictures" in texts(app)
    for expected in ({"cats": 6, "dogs": 10}, {"cats": 8, "dogs": 8}):
        button(app, "Undo").click().run()
        assert counts(pets) == expected
    button(app, "Redo").click().run()
    assert counts(pets) == {"cats": 6, "dogs": 10}
    assert sound(app)


def test_what_could_not_be_moved_is_told_and_stays_chosen(pets: Album, open_page, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise ExplorerError("The disk is full.")

    monkeypatch.setattr(Album, "move", full)
    app = open_page("your_pictures")
    app.checkbox[0].check().run()
    app.button(key="move").click().run()
    assert not app.exception
    assert "The disk is full" in app.error[0].value
    assert app.checkbox[0].value
    assert counts(pets) == {"cats": 8, "dogs": 8}


def test_removed_pictures_are_deleted_for_good_when_asked(pets: Album, open_page) -> None:
    app = open_page("your_pictures")
    app.checkbox[0].check().run()
    button(app, "Remove").click().run()
    assert next(one.label for one in app.expander if "removed" in one.label).startswith("1 removed picture, ")
    button(app, "Delete them for good").click().run()
    assert sound(app)
    assert counts(pets) == {"cats": 7, "dogs": 8}
    assert button(app, "Undo").disabled
    assert not [one for one in app.expander if "removed" in one.label]


def test_classes_are_renamed_merged_made_and_deleted(pets: Album, open_page) -> None:
    app = open_page("your_pictures")
    next(one for one in app.text_input if one.label == "New name").set_value("felines").run()
    assert counts(pets) == {"felines": 8, "dogs": 8}
    button(app, "Merge").click().run()
    assert counts(pets) == {"dogs": 16}
    button(app, "Delete dogs").click().run()
    assert counts(pets) == {}
    button(app, "Undo").click().run()
    next(one for one in app.text_input if one.label == "Name of the data set").set_value(HOSTILE).run()
    assert pets.contents().title == HOSTILE
    assert sound(app)
    assert HOSTILE not in texts(app)


@pytest.mark.parametrize(("field", "typed"), [("Name of the data set", "Pets "), ("New name", "cats  ")])
def test_a_space_behind_a_name_is_no_new_name(pets: Album, open_page, field: str, typed: str) -> None:
    app = open_page("your_pictures")
    before = pets.journal_path.read_bytes()
    next(one for one in app.text_input if one.label == field).set_value(typed).run()  # and does not run for ever
    assert sound(app)
    assert pets.journal_path.read_bytes() == before


def test_a_class_that_is_renamed_stays_the_one_to_add_to(pets: Album, open_page) -> None:
    app = open_page("your_pictures")
    app.segmented_control(key="adding_way").set_value("files").run()
    chosen = next(one for one in app.selectbox if one.label == "Class")
    assert chosen.value == "cats"
    next(one for one in app.text_input if one.label == "New name").set_value("felines").run()
    assert next(one for one in app.selectbox if one.label == "Class").value == "felines"
    button(app, "Undo").click().run()
    app.file_uploader[0].set_value([("1.png", png(900), "image/png")]).run()
    assert sound(app)
    assert counts(pets) == {"cats": 9, "dogs": 8}


def test_a_data_set_is_deleted_and_brought_back(pets: Album, open_page) -> None:
    app = open_page("your_pictures")
    button(app, "Delete this data set").click().run()
    assert sound(app)
    assert stored.albums() == []
    assert "An example" in texts(app)
    button(app, "Bring it back").click().run()
    assert app.query_params["album"] == pets.id
    assert counts(pets) == {"cats": 8, "dogs": 8}


def test_a_click_never_undoes_what_another_window_did_meanwhile(pets: Album, open_page) -> None:
    app = open_page("your_pictures")
    app.checkbox[0].check().run()
    button(app, "Remove").click().run()
    pets.retitle("Animals")
    button(app, "Undo").click().run()
    assert pets.contents().title == "Animals"
    assert plain("Animals") in texts(app)
    button(app, "Undo").click().run()
    assert pets.contents().title == "Pets"


def test_a_click_never_deletes_for_good_what_another_window_removed_meanwhile(pets: Album, open_page) -> None:
    app = open_page("your_pictures")
    app.checkbox[0].check().run()
    button(app, "Remove").click().run()
    other = next(iter(pets.contents().pictures))
    pets.remove([other])
    button(app, "Delete them for good").click().run()
    assert pets.picture_path(other).exists()
    button(app, "Delete them for good").click().run()
    assert not pets.picture_path(other).exists()


def test_a_click_never_deletes_another_data_set_than_the_one_that_was_shown(pets: Album, open_page) -> None:
    other = stored.create("Others")
    app = open_page("your_pictures", album=pets.id)
    deleted_albums.delete(pets)
    button(app, "Delete this data set").click().run()
    assert [album.id for album in stored.albums()] == [other.id]
    deleted_albums.delete(other)
    button(app, "Delete for good").click().run()
    assert {album.id for album in deleted_albums.deleted_albums()} == {pets.id, other.id}
    button(app, "Delete for good").click().run()
    assert deleted_albums.deleted_albums() == []


def test_a_click_never_merges_other_classes_than_those_that_were_shown(pets: Album, open_page) -> None:
    numbers = pets.name_classes(["cats", "dogs", "birds", "fish"])
    app = open_page("your_pictures")
    assert app.selectbox(key=f"changed-{pets.id}").value == numbers[0]
    pets.drop_class(numbers[0])
    button(app, "Merge").click().run()
    assert set(pets.contents().classes) == set(numbers[1:])
    assert sound(app)


def test_a_training_is_one_click_away(pets: Album, open_page) -> None:
    app = open_page("your_pictures")
    assert not button(app, "Train on these").disabled
    button(app, "Train on these").click().run()
    assert app.title[0].value == "Train"
    assert app.selectbox(key="new_data").value == pets.id
    assert sound(app)
    assert "to train on" in texts(app)  # prepared, and shown
    assert "14 pictures are few to learn from scratch" in texts(app)
    pets.remove([sha256(class_files()["cats/0.png"])])
    app.switch_page("views/train.py").run()
    assert "In all 13 to train on, 2 to validate on" in texts(app)


def test_too_few_pictures_say_what_a_training_needs(home, open_page) -> None:
    album = stored.create("Pets")
    add_pictures(album, "cats", ["1.png"], [png()].__getitem__)
    app = open_page("your_pictures")
    assert button(app, "Train on these").disabled
    assert "at least 2 classes with 5 pictures each" in texts(app)


def test_damage_is_told_and_the_rest_is_here(pets: Album, open_page) -> None:
    with pets.journal_path.open("ab") as file:
        file.write(b"\x00\x00\n")
    pets.picture_path(sha256(class_files()["cats/0.png"])).unlink()
    (pets.path / "thumbnails").rename(pets.path.with_name("away"))
    app = open_page("your_pictures")
    assert not app.exception
    assert "1 line of what was done to this data set cannot be read" in texts(app)
    assert "not here any more" in texts(app)


def test_many_classes_and_pictures_are_paged(home, open_page) -> None:
    album = stored.create("Many")
    for number in range(30):
        add_pictures(album, f"class {number:02d}", [str(number)], [png(number)].__getitem__)
    add_pictures(album, "class 00", [f"{n}" for n in range(40)], [png(100 + n) for n in range(40)].__getitem__)
    app = open_page("your_pictures")
    assert sound(app)
    assert sum(one.label == "Show all" for one in app.button) == 24
    assert len(app.checkbox) == 36


def test_a_folder_of_this_computer_is_for_those_who_sit_at_it(
    pets: Album, open_page, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(adding, "_on_this_computer", lambda: True)
    app = open_page("your_pictures")
    make_folder(tmp_path / "more", class_files(["birds"], seed=900))
    field = next(one for one in app.text_input if one.label == "Where it lies")
    field.set_value(str(tmp_path / "more")).run()
    button(app, "Add it").click().run()
    assert sound(app)
    assert counts(pets)["birds"] == 8
    monkeypatch.setattr(adding, "_on_this_computer", lambda: False)
    app.run()
    assert not [one for one in app.text_input if one.label == "Where it lies"]


@pytest.mark.parametrize("path", ["~nobody-of-this-name/pets", "/" + "a" * 5_000])
def test_an_impossible_folder_of_this_computer_is_a_sentence(pets: Album, open_page, monkeypatch, path: str) -> None:
    monkeypatch.setattr(adding, "_on_this_computer", lambda: True)
    app = open_page("your_pictures")
    next(one for one in app.text_input if one.label == "Where it lies").set_value(path).run()
    button(app, "Add it").click().run()
    assert not app.exception
    assert plain("no folder or zip") in app.error[0].value


@pytest.mark.parametrize("first", [True, False])
def test_a_click_elsewhere_does_not_end_the_adding_of_a_folder(
    home, open_page, tmp_path: Path, monkeypatch, first: bool
) -> None:
    if not first:
        stored.create("Pets")
    into: list[str] = []

    def interrupted_once(album: Album, source: Path, progress: object) -> object:
        into.append(album.id)
        if len(into) == 1:
            st.rerun()  # what a click elsewhere on the page comes to
        return add_source(album, source)

    monkeypatch.setattr(adding, "_on_this_computer", lambda: True)
    monkeypatch.setattr(adding, "add_source", interrupted_once)
    app = open_page("your_pictures")
    field = next(one for one in app.text_input if one.label == "Where it lies")
    field.set_value(str(make_folder(tmp_path / "more", class_files(["birds"], seed=900)))).run()
    button(app, "Add it").click().run()
    assert sound(app)
    (album,) = stored.albums()
    assert into == [album.id] * 2
    assert counts(album)["birds"] == 8
    app.run()
    assert len(into) == 2


@pytest.mark.parametrize("elsewhere", ["class", "data set"])
def test_the_rest_of_an_interrupted_upload_goes_where_it_was_meant_to(
    pets: Album, open_page, monkeypatch, elsewhere: str
) -> None:
    other, into = stored.create("Others"), []

    def interrupted_once(album: Album, name: str, names: list[str], read, source: str, progress) -> object:
        def told(done: int, total: int, stage: str) -> None:
            if len(into) == 1 and done == 1:
                st.stop()  # what a click elsewhere on the page comes to
            progress(done, total, stage)

        into.append((album.id, name))
        return add_pictures(album, name, names, read, source, told)

    monkeypatch.setattr(adding, "add_pictures", interrupted_once)
    app = open_page("your_pictures", album=pets.id)
    app.segmented_control(key="adding_way").set_value("files").run()
    app.file_uploader[0].set_value([(f"{n}.png", png(900 + n), "image/png") for n in range(3)]).run()
    assert counts(pets) == {"cats": 9, "dogs": 8}
    if elsewhere == "class":
        app.selectbox(key=f"adding_class-{pets.id}").set_value("dogs").run()
    else:
        other.name_classes(["birds"])
        app.selectbox(key="album").set_value(other.id).run()
    assert sound(app)
    assert into == [(pets.id, "cats")] * 2
    assert counts(pets) == {"cats": 11, "dogs": 8}
    assert other.contents().pictures == {}
    assert app.query_params["album"] == (pets if elsewhere == "class" else other).id


def test_an_album_that_is_gone_is_told(pets: Album, open_page) -> None:
    app = open_page("your_pictures", album="pets-00000000")
    assert sound(app)
    assert "is not here any more" in app.toast[0].value
    assert plain("Pets") in app.selectbox(key="album").options[0]
