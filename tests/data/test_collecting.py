"""Pictures on their way into an album: streamed, hostile, killed, on a full disk; and the album as a source."""

import os
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path

import psutil
import pytest
from PIL import Image

from alexnet_core.data import archives, collecting, corrections
from alexnet_core.data.album import Album, create
from alexnet_core.data.collecting import (
    add_files,
    add_pictures,
    add_source,
    collection_key,
    file_of,
    picture_behind,
    read_collection,
)
from alexnet_core.data.corrections import Corrections
from alexnet_core.data.journal import KEY
from alexnet_core.data.picture_files import named_files
from alexnet_core.data.sources import available, prepare, prepared_album
from alexnet_core.errors import ExplorerError
from alexnet_core.images import sha256
from alexnet_core.limits import ArchiveLimits
from tests.pictures import class_files, encoded, make_folder, make_zip, pixels, png, png_claiming

FILES = class_files()


def counts(album: Album) -> dict[str, int]:
    now = album.contents()
    return {now.classes[class_id]: len(keys) for class_id, keys in now.members.items()}


def stored(album: Album) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (album.path / "pictures").rglob("*") if path.is_file()}


@pytest.fixture
def guarded(tmp_path: Path, home: Path):
    """The home and a folder beside it, with a canary in each: afterwards nothing lies beside what may lie there."""
    for place in (tmp_path, home, home / "collections"):
        place.mkdir(parents=True, exist_ok=True)
        (place / "canary").write_text("alive")
    yield tmp_path
    for place, mine in ((tmp_path, {"in", "in.zip", "home"}), (home, {"collections", "data", "uploads"})):
        assert (place / "canary").read_text() == "alive"
        assert {file.name for file in place.iterdir()} <= {"canary", *mine}
    album_files = {"journal.jsonl", "journal.lock", "adding.lock", "pictures", "thumbnails"}
    for album in (home / "collections").iterdir():
        if album.name != "canary":
            assert {file.name for file in album.iterdir()} <= album_files
            kept = [path for path in album.rglob("*") if path.is_file() and path.parent != album]
            assert all(KEY.fullmatch(path.name) for path in kept)


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_and_a_zip_become_classes_and_splits(guarded: Path, packed: bool) -> None:
    files = class_files(above="pets/train/") | class_files(above="pets/test/", seed=50)
    source = make_zip(guarded / "in.zip", files) if packed else make_folder(guarded / "in", files)
    album, told = create("Pets"), []
    taken = add_source(album, source, progress=lambda *at: told.append(at))
    assert (taken.added, taken.known, taken.broken) == (32, 0, [])
    assert told[-1] == (32, 32, "adding")
    assert counts(album) == {"cats": 16, "dogs": 16}
    assert stored(album) == {sha256(data): data for data in files.values()}
    prepared = prepare(album.id, image_size=8)
    assert prepared.count("test") == 16
    assert prepared.classes == ("cats", "dogs")
    assert sorted(path.name for path in (album.path / "thumbnails").rglob("*") if path.is_file()) == sorted(
        stored(album)
    )


def test_what_is_known_is_not_added_twice(tmp_path: Path) -> None:
    album = create("Pets")
    add_source(album, make_folder(tmp_path / "in", FILES))
    before = album.journal_path.read_bytes()
    taken = add_source(album, make_folder(tmp_path / "again", {"dogs/other name.png": FILES["cats/0.png"]} | FILES))
    assert (taken.added, taken.known) == (0, 17)
    assert taken.elsewhere == [("dogs/other name.png", "cats")]
    assert album.journal_path.read_bytes() == before


def test_a_photograph_that_got_lost_is_back_when_it_is_added_again(tmp_path: Path) -> None:
    album, folder = create("Pets"), make_folder(tmp_path / "in", FILES)
    add_source(album, folder)
    key = sha256(FILES["cats/0.png"])
    album.picture_path(key).unlink()
    assert add_source(album, folder).known == 16
    assert album.picture_bytes(key) == FILES["cats/0.png"]


def test_loose_pictures_go_where_the_person_says(tmp_path: Path) -> None:
    flat = {name.replace("/", "-"): data for name, data in FILES.items()}
    album = create("Pets")
    add_source(album, make_zip(tmp_path / "animals.zip", flat), loose="mixed")
    add_source(album, make_folder(tmp_path / "birds", {"1.png": png(77)}))
    assert counts(album) == {"mixed": 16, "birds": 1}


def test_a_zip_around_class_folders_and_a_loose_picture_keeps_its_classes(tmp_path: Path) -> None:
    around = {f"pets/{name}": data for name, data in FILES.items()} | {"pets/all of them.png": png(77)}
    album = create("Pets")
    add_source(album, make_zip(tmp_path / "pets.zip", around))
    assert counts(album) == {"cats": 8, "dogs": 8, "pets": 1}
    prepared = prepare(tmp_path / "pets.zip", image_size=8)
    assert prepared.classes == ("cats", "dogs")
    assert prepared.bad_files == [("pets/all of them.png", "It lies outside the class folders.")]


def test_broken_files_are_told_by_name_and_reason_and_not_stored(guarded: Path) -> None:
    bad = {"cats/empty.png": b"", "cats/text.jpg": b"hello", "dogs/cut.png": png()[:100], "readme.txt": b"hello"}
    bad |= {"dogs/huge.png": png_claiming(50_000, 50_000)}
    album = create("Pets")
    taken = add_source(album, make_zip(guarded / "in.zip", FILES | bad))
    assert {name for name, _ in taken.broken} == set(bad) == set(album.contents().broken)
    assert len(stored(album)) == 16
    assert set(dict(read_collection(album.path).skipped)) == set(bad)


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["pets/cats/1.png", "pets/dogs/2.png"], ["cats", "dogs"]),
        (["cats/1.png", "cats/2.png"], ["cats"]),
        (["cats/1.png", "dogs/2.png"], ["cats", "dogs"]),
        (["pets/1.png", "pets/cats/2.png"], ["cats", "pets"]),
        (["pets\\cats\\1.png", "pets\\dogs\\2.png"], ["cats", "dogs"]),
        (["pets/train/cats/1.png", "pets/test/cats/2.png"], ["cats"]),
        (["1.png", "2.png"], ["pictures"]),
    ],
)
def test_a_folder_from_a_browser_tells_the_classes(names: list[str], classes: list[str]) -> None:
    album, data = create("Pets"), [png(seed) for seed in range(len(names))]
    add_files(album, named_files(names, data.__getitem__, "a folder"))
    assert sorted(counts(album)) == classes
    assert len(album.contents().pictures) == len(names)


def test_the_rest_of_a_folder_stays_in_the_classes_that_all_of_it_tells() -> None:
    names = ["pets/cats/1.png", "pets/dogs/big/2.png", "pets/dogs/small/3.png", "pets/dogs/small/4.png"]
    album, data = create("Pets"), [png(seed) for seed in range(len(names))]
    add_files(album, named_files(names, data.__getitem__, "a folder", [0]))
    assert counts(album) == {"cats": 1}
    add_files(album, named_files(names, data.__getitem__, "a folder", [2, 3]))
    assert counts(album) == {"cats": 1, "dogs": 2}
    names = [f"pets/{split}/cats/{number}.png" for split in ("test", "train", "val") for number in range(2)]
    rest = named_files(names, data.__getitem__, "a folder", [4, 5])  # once it was refused: no pictures to train on
    assert [entry.split for entry in rest.entries] == ["val", "val"]


HOSTILE = [
    "../../evil.png",
    "/etc/cron.d/evil.png",
    "C:\\evil.png",
    "..\\..\\evil.png",
    "a/../../../evil.png",
    "\x00/evil.png",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_a_browser_never_become_paths(guarded: Path, name: str) -> None:
    names = ["pets/cats/1.png", "pets/" + name, name]
    album = create("Pets")
    data = [png(seed) for seed in range(3)]
    add_files(album, named_files(names, data.__getitem__, "a folder"))
    add_pictures(album, "<b>*cats*</b>/../..", [name], [png(9)].__getitem__)
    assert len(stored(album)) == 4


@pytest.mark.parametrize("name", HOSTILE[:5])
def test_a_zip_that_leads_out_is_refused_whole(guarded: Path, name: str) -> None:
    album = create("Pets")
    with pytest.raises(ExplorerError, match="lead out of it"):
        add_source(album, make_zip(guarded / "in.zip", {**FILES, zipfile.ZipInfo(name): png()}))
    assert stored(album) == {}
    assert counts(album) == {}


def test_a_bomb_ends_the_adding_and_what_came_before_stays(guarded: Path) -> None:
    album = create("Pets")
    with pytest.raises(ExplorerError, match="100 times its size"):
        add_source(album, make_zip(guarded / "in.zip", {**FILES, "zebras/bomb.png": bytes(9_000_000)}))
    assert counts(album)["cats"] == 8


def test_an_uploaded_zip_is_held_to_its_limits(guarded: Path, monkeypatch) -> None:
    limits = ArchiveLimits(packed_bytes=10**9, entries=10, unpacked_bytes=10**9)
    monkeypatch.setattr(archives, "archive_limits", lambda path: limits)
    with pytest.raises(ExplorerError, match="more than 10 files"):
        add_source(create("Pets"), make_zip(guarded / "in.zip", FILES))


def test_members_that_share_their_bytes_are_not_unpacked_many_times(guarded: Path) -> None:
    path = make_zip(guarded / "in.zip", {f"cats/{number}.png": png() for number in range(50)})
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    while entry >= 0:  # every line of the table of contents points to the first member
        data[entry + 42 : entry + 46] = bytes(4)
        entry = data.find(b"PK\x01\x02", entry + 4)
    path.write_bytes(bytes(data))
    album = create("Pets")
    taken = add_source(album, path)
    assert taken.added == 1
    assert len(taken.broken) == 49


def test_a_picture_of_enormous_size_takes_no_memory(guarded: Path) -> None:
    claims = {f"cats/{number}.png": png_claiming(30_000, 30_000 + number) for number in range(20)}
    album = create("Pets")
    taken = add_source(album, make_folder(guarded / "in", claims))
    assert len(taken.broken) == 20
    assert counts(album) == {}


def test_no_source_at_all_is_a_sentence(tmp_path: Path) -> None:
    for place in ("nowhere", "a\x00b", "a" * 5_000):
        with pytest.raises(ExplorerError, match="no folder or zip"):
            add_source(create("Pets"), tmp_path / place)


def test_adding_can_be_stopped_and_goes_on(tmp_path: Path) -> None:
    folder, album, asked = make_folder(tmp_path / "in", FILES), create("Pets"), iter(range(99))
    with pytest.raises(ExplorerError, match="stopped after 5 of 16"):
        add_source(album, folder, cancelled=lambda: next(asked) == 5)
    assert len(album.contents().pictures) == 5
    taken = add_source(album, folder)
    assert (taken.added, taken.known) == (11, 5)
    album.undo()
    assert len(album.contents().pictures) == 5


def test_a_zip_that_is_refused_or_interrupted_is_not_kept_open(home: Path, tmp_path: Path) -> None:
    album, packed = create("Pets"), make_zip(tmp_path / "in.zip", FILES)
    with pytest.raises(ExplorerError, match="stopped") as raised:
        add_source(album, packed, cancelled=lambda: bool(album.contents().classes))
    assert raised.tb is not None  # which holds all that the adding had at hand
    leading = make_zip(tmp_path / "out.zip", FILES | {"../out.png": png(1)})
    with pytest.raises(ExplorerError, match="lead out") as refused:
        add_source(album, leading)
    assert refused.tb is not None
    opened = [file.path for file in psutil.Process().open_files()]
    assert not {str(packed), str(leading)} & {*opened}


class Left(BaseException):
    """What Streamlit raises where a person clicks elsewhere."""


def test_a_page_that_is_left_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    def leave(done: int, total: int, stage: str) -> None:
        if done == 9:
            raise Left

    album = create("Pets")
    with pytest.raises(Left):
        add_source(album, make_folder(tmp_path / "in", FILES), progress=leave)
    assert len(album.contents().pictures) == 9


def test_pictures_whose_class_is_merged_meanwhile_do_not_count_as_added(tmp_path: Path) -> None:
    def merge(done: int, total: int, stage: str) -> None:
        if done == 12:
            now = album.contents()
            album.merge_classes(now.class_called("dogs"), now.class_called("cats"))

    album = create("Pets")
    taken = add_source(album, make_folder(tmp_path / "in", FILES), progress=merge)
    assert taken.added == len(album.contents().pictures) < 16
    assert taken.added + taken.gone == 16
    assert add_source(album, tmp_path / "in").added == taken.gone


def test_only_one_window_adds_at_a_time(tmp_path: Path) -> None:
    album, folder = create("Pets"), make_folder(tmp_path / "in", FILES)

    def another(*_: object) -> None:
        with pytest.raises(ExplorerError, match="in another window"):
            add_source(album, folder)

    add_source(album, folder, progress=another)
    assert counts(album) == {"cats": 8, "dogs": 8}


ADD = textwrap.dedent("""
    import sys
    from pathlib import Path
    from alexnet_core.data import collecting
    from alexnet_core.data.album import Album
    from alexnet_core.errors import ExplorerError
    collecting.LINE_PICTURES = 8
    if sys.argv[3:]:
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
    try:
        print(collecting.add_source(Album(Path(sys.argv[1])), Path(sys.argv[2])).added)
    except ExplorerError as error:
        print(error)
""")


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_killed_at_any_moment_and_gone_on(tmp_path: Path) -> None:
    files = class_files(images=150)
    folder, album = make_folder(tmp_path / "in", files), create("Pets")
    kills = 0
    for wanted in (1, 170):
        process = subprocess.Popen([sys.executable, "-c", ADD, str(album.path), str(folder)], stdout=subprocess.DEVNULL)
        # Names alone: a file that is just being written may be gone when one comes to read it.
        while process.poll() is None and sum(path.suffix == "" for path in album.path.glob("pictures/*/*")) < wanted:
            time.sleep(0.002)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
        album.contents()
    assert kills == 2
    before = len(album.contents().pictures)
    assert 0 < before < 300
    taken = add_source(album, folder)
    assert (taken.added, taken.known) == (300 - before, before)
    assert counts(album) == {"cats": 150, "dogs": 150}
    assert all(sha256(data) == key for key, data in stored(album).items() if not key.startswith("."))


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on file sizes")
@pytest.mark.parametrize("limit", [3_000, 700])
def test_a_full_disk_is_one_sentence_and_nothing_is_lost(tmp_path: Path, limit: int) -> None:
    # Each small picture has 1 kB: with 3,000 the journal finds no room at some line, with 700 no picture does.
    folder, album = make_folder(tmp_path / "in", class_files(images=60)), create("Pets")
    add_pictures(album, "cats", ["first.png"], [png(5_000)].__getitem__)
    command = [sys.executable, "-c", ADD, str(album.path), str(folder), str(limit)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith("There is no space left on the disk. What was added until now is safe")
    now = album.contents()
    assert sha256(png(5_000)) in now.pictures
    assert set(now.pictures) <= set(stored(album))
    assert not [path for path in album.path.rglob("*") if path.name.endswith(".part")]
    add_source(album, folder)
    assert counts(album) == {"cats": 61, "dogs": 60}


MEMORY = textwrap.dedent("""
    import resource, sys
    from pathlib import Path
    from alexnet_core.data import collecting
    from alexnet_core.data.album import Album
    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    album, folder = Album(Path(sys.argv[1])), Path(sys.argv[2])
    collecting.add_source(album, folder / "first")
    before = peak()
    collecting.add_source(album, folder / "rest")
    print(peak() - before)
""")


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is told in other units elsewhere")
def test_memory_does_not_grow_with_the_number_of_large_pictures(tmp_path: Path) -> None:
    large = encoded(Image.fromarray(pixels(0, (500, 375))).resize((4_000, 3_000)), "JPEG", quality=92)
    # Bytes after the end of a JPEG are ignored, and make it another picture.
    for part, count in (("first", 1), ("rest", 12)):
        make_folder(
            tmp_path / part,
            {f"cats/{part}{number}.jpg": large + part.encode() + b"%d" % number for number in range(count)},
        )
    album = create("Pets")
    command = [sys.executable, "-c", MEMORY, str(album.path), str(tmp_path)]
    grown = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert len(album.contents().pictures) == 13
    assert grown < 5 * len(large) / 1e6 + 10


def test_an_album_is_a_source_like_any_other(tmp_path: Path) -> None:
    album = create("My pets")
    assert [one.name for one in available() if one.name == album.id] == []
    add_source(album, make_folder(tmp_path / "in", FILES))
    (listed,) = [one for one in available() if one.source == album.id]
    assert (listed.title, listed.images, listed.classes, listed.prepared) == ("My pets", 16, 2, ())
    assert prepared_album(album, 8) is None
    first = prepare(album.id, image_size=8)
    assert first == prepare(album.path, image_size=8) == prepared_album(album, 8)
    assert (first.name, first.title) == (album.id, "My pets")
    (listed,) = [one for one in available() if one.source == album.id]
    assert [one.identity for one in listed.prepared] == [first.identity]

    now = album.contents()
    moved = now.members[now.class_called("cats")][0]
    album.move([moved], now.class_called("dogs"))
    assert prepared_album(album, 8) is None
    second = prepare(album.id, image_size=8)
    assert second.identity != first.identity
    assert sum(second.class_counts(split)[1] for split in second.splits) == 9
    album.undo()
    assert prepared_album(album, 8).identity == first.identity


def test_the_same_pictures_in_other_classes_are_another_set() -> None:
    keys = []
    for cats in (1, 2):  # the second of three is a cat, or is not
        album = create("Pets")
        for name, seeds in (("cats", range(cats)), ("dogs", range(cats, 3))):
            add_pictures(album, name, [f"{seed}.png" for seed in seeds], [png(seed) for seed in seeds].__getitem__)
        keys.append(collection_key(album.path))
    assert keys[0] != keys[1]


def test_a_picture_is_found_again_behind_its_row(tmp_path: Path) -> None:
    album = create("Pets")
    add_source(album, make_folder(tmp_path / "in", FILES))
    prepared = prepare(album.id, image_size=8)
    now = album.contents()
    for file, label in zip(prepared.files("train"), prepared.labels("train"), strict=True):
        picture = picture_behind(now, file)
        assert file_of(picture) == file
        assert now.classes[picture.class_id] == prepared.classes[label]
    album.remove([picture.key])
    assert picture_behind(album.contents(), file) is None


def test_a_picture_that_is_gone_is_one_bad_file(tmp_path: Path) -> None:
    album = create("Pets")
    add_source(album, make_folder(tmp_path / "in", FILES))
    album.picture_path(sha256(FILES["cats/3.png"])).unlink()
    prepared = prepare(album.id, image_size=8)
    assert [(name.split(" ")[0], "not here any more" in reason) for name, reason in prepared.bad_files] == [
        ("3.png", True)
    ]


def test_too_few_pictures_say_what_is_missing(tmp_path: Path) -> None:
    album = create("Pets")
    add_pictures(album, "cats", ["1.png"], [png()].__getitem__)
    with pytest.raises(ExplorerError, match="too few pictures"):
        prepare(album.id)


def test_lines_are_written_now_and_then(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(collecting, "LINE_PICTURES", 4)
    album, most = create("Pets"), 0

    def progress(done: int, total: int, stage: str) -> None:
        nonlocal most
        most = max(most, done - len(album.contents().pictures))

    add_source(album, make_folder(tmp_path / "in", FILES), progress=progress)
    assert 0 < most <= 4


def test_a_prepared_album_is_called_as_the_album_is_by_now(home: Path, tmp_path: Path) -> None:
    album = create("My pictures")
    add_source(album, make_folder(tmp_path / "in", FILES))
    before = prepare(album.id, image_size=16)
    corrections.keep(before, Corrections().then("drop", {before.files("train")[0]: ""}))
    assert prepare(album.id, image_size=16).title == "My pictures"
    album.retitle("Pets")
    now = prepared_album(album, 16)
    assert now is not None
    assert (now.title, now.identity) == ("Pets", before.identity)
    assert corrections.in_stock(now) == prepare(album.id, image_size=16)
    assert prepare(album.id, image_size=16).title == prepare(album.id, image_size=16, as_it_came=True).title == "Pets"
