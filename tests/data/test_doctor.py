"""Defects that were planted are found, and nothing is found in what is clean."""

import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from alexnet_core.data.corrections import Corrections
from alexnet_core.data.doctor import Findings, examine, kept_together, split_of_most
from alexnet_core.data.doctor.duplicates import groups, pairs, thumbnail
from alexnet_core.data.doctor.sharpness import blurred, sharpness
from alexnet_core.data.folders import read_folder
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.errors import ExplorerError
from tests.conftest import SHARED
from tests.pictures import encoded, make_folder

SIDE = 96


def scene(seed: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """Leaves of all sizes and colours lying on each other, which share the statistics of photographs (Lee et al.
    2001)."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", size, tuple(random.integers(0, 256, 3).tolist()))
    draw = ImageDraw.Draw(picture)
    for radius in np.sort(3 / random.uniform(0.05, 1, 120))[::-1]:
        x, y = random.uniform(0, size[0]), random.uniform(0, size[1])
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), tuple(random.integers(0, 256, 3).tolist()))
    return picture


def jpeg(picture: Image.Image, quality: int = 40) -> bytes:
    return encoded(picture, "JPEG", quality=quality)


CLEAN = {
    f"{name}/{number}.png": encoded(scene(100 * k + number)) for k, name in enumerate("ab") for number in range(20)
}


@pytest.fixture(scope="module")
def clean() -> dict[str, bytes]:
    return CLEAN


def examined(folder: Path, files: dict[str, bytes], side: int = SIDE) -> Findings:
    return examine(read_folder(make_folder(folder, files), side=side), side)


def names(findings: Findings, positions: object) -> set[str]:
    return {findings.files[position] for position in positions}  # type: ignore[attr-defined]


def test_a_clean_folder_has_no_findings(tmp_path: Path) -> None:
    found = examined(tmp_path, CLEAN)
    assert found.groups == found.blurred == found.tiny == found.stretched == found.broken == ()
    assert found.apart == found.at_odds == []
    assert found.imbalance == pytest.approx(1)
    assert sum(map(sum, (found.counts(split) for split in ("train", "val", "test")))) == 40


@pytest.mark.parametrize(
    "copied",
    [
        lambda picture: picture.resize((80, 60)),
        lambda picture: Image.open(BytesIO(jpeg(picture, 30))),
        lambda picture: picture.crop((6, 2, 158, 117)),
        lambda picture: picture.point(lambda value: min(255, round(value * 1.15))),
        lambda picture: Image.open(BytesIO(jpeg(picture.crop((4, 3, 160, 118)).resize((100, 75)), 60))),
    ],
    ids=["smaller", "saved again", "cut", "brighter", "all of it"],
)
def test_copies_are_found_and_nothing_else(copied) -> None:
    pictures = [scene(seed) for seed in range(30)]
    thumbnails = np.stack(
        [thumbnail(one) for one in (*pictures, *(copied(one).convert("RGB") for one in pictures[:10]))]
    )
    assert pairs(thumbnails).tolist() == [[place, 30 + place] for place in range(10)]


def test_a_frame_makes_no_two_pictures_the_same() -> None:
    framed = []
    for seed in range(12):
        sheet = Image.new("RGB", (160, 120), "white")
        sheet.paste(scene(seed, (130, 96)), (15, 12))
        framed.append(thumbnail(sheet))
    assert len(pairs(np.stack(framed))) == 0


def test_plain_and_dark_pictures_are_not_all_the_same() -> None:
    random = np.random.default_rng(0)
    plain = [Image.new("RGB", (64, 64), (value, value, 200)) for value in range(60, 240, 20)]
    dark = [Image.fromarray(random.integers(0, 3, (64, 64, 3), dtype=np.uint8)) for _ in range(9)]
    ramps = [Image.linear_gradient("L").point(lambda v, top=top: v * top // 255).convert("RGB") for top in (200, 250)]
    thumbnails = np.stack([thumbnail(one) for one in (*plain, *dark, *ramps, plain[3])])
    assert pairs(thumbnails).tolist() == [[3, len(thumbnails) - 1]]  # the same colour is the same picture


def test_links_join_into_groups() -> None:
    assert groups(8, np.array([[0, 3], [5, 6], [3, 7], [1, 7]])) == [[0, 1, 3, 7], [5, 6]]
    assert groups(3, np.empty((0, 2), np.int64)) == []


def test_every_planted_defect_is_named(tmp_path: Path) -> None:
    planted = {
        "a/copy.jpg": jpeg(scene(3).resize((140, 105))),
        "b/copy of an a.jpg": jpeg(scene(5)),
        "a/blurred.png": encoded(scene(900).filter(ImageFilter.GaussianBlur(2.5))),
        "b/tiny.png": encoded(scene(901).resize((64, 48))),
        "a/banner.png": encoded(scene(902, (480, 120))),
        "b/broken.jpg": jpeg(scene(903))[:700],
        "b/note.txt": b"not a picture",
    }
    found = examined(tmp_path, CLEAN | planted)
    assert {frozenset(names(found, group)) for group in found.groups} == {
        frozenset({"a/3.png", "a/copy.jpg"}),
        frozenset({"a/5.png", "b/copy of an a.jpg"}),
    }
    assert [names(found, group) for group in found.at_odds] == [{"a/5.png", "b/copy of an a.jpg"}]
    assert names(found, found.blurred) == {"a/blurred.png"}
    assert names(found, found.tiny) == {"b/tiny.png"}
    assert names(found, found.stretched) == {"a/banner.png"}
    assert {file for file, _ in found.broken} == {"b/broken.jpg", "b/note.txt"}
    assert all(len(reason) > 20 for _, reason in found.broken)

    corrected = (
        Corrections()
        .then("drop", {"a/copy.jpg": "", "a/blurred.png": ""})
        .then("relabel", {"b/copy of an a.jpg": "a"})
        .then("keep", {"b/tiny.png": "tiny", "a/banner.png": "blurred"})
    )
    left = found.after(corrected)
    assert (left.blurred, left.tiny, left.at_odds) == ((), (), [])
    assert names(left, left.stretched) == {"a/banner.png"}  # it was kept for another reason
    assert [names(left, group) for group in left.groups] == [{"a/5.png", "b/copy of an a.jpg"}]
    assert left.labels[left.files.index("b/copy of an a.jpg")] == 0
    assert len(left.files) == len(left.labels) == len(left.splits) == len(found.files) - 2


def test_copies_in_train_and_test_are_seen_and_brought_together(tmp_path: Path) -> None:
    files = {f"train/{name}": data for name, data in CLEAN.items()}
    files |= {f"test/{name[0]}/other{number}.png": encoded(scene(300 + number)) for number, name in enumerate(CLEAN)}
    files["test/a/copy.jpg"] = jpeg(scene(3))
    found = examined(tmp_path, files)
    (apart,) = found.apart
    assert names(found, apart) == {"train/a/3.png", "test/a/copy.jpg"}
    moves = kept_together(found.files, found.labels.tolist(), found.splits, found.apart)
    assert {found.files[place] for place in moves} > {"test/a/copy.jpg"}
    after = tuple(moves.get(place, split) for place, split in enumerate(found.splits))
    healed = replace(found, splits=after)
    assert healed.apart == []
    for split in ("train", "val", "test"):  # the classes keep their shares
        assert healed.counts(split) == found.counts(split)


def test_a_copy_that_nobody_learns_from_is_only_a_copy(tmp_path: Path) -> None:
    found = examined(tmp_path, CLEAN | {"a/copy.jpg": jpeg(scene(3))})
    one, other = found.groups[0]
    for splits, apart in ((("val", "test"), []), (("val", "train"), list(found.groups))):
        placed = dict(zip((one, other), splits, strict=True))
        moved = replace(found, splits=tuple(placed.get(place, split) for place, split in enumerate(found.splits)))
        assert moved.apart == apart


def test_the_split_of_most_wins_and_a_tie_is_learned_from() -> None:
    splits = ["train", "test", "test", "val", "test", "train"]
    assert split_of_most(splits, [(0, 1, 2), (3, 4), (5,)]) == {0: "test", 4: "val"}
    assert split_of_most(splits, [(0, 1)]) == {1: "train"}


def test_blur_is_told_from_smoothness_and_from_a_collection_that_was_enlarged() -> None:
    sharp = [scene(seed) for seed in range(30)]
    faint = [one.point(lambda value: 120 + value // 12) for one in sharp[:5]]
    soft = [one.filter(ImageFilter.GaussianBlur(radius)) for one, radius in zip(sharp, (2, 3, 4, 6), strict=False)]
    values = np.array([sharpness(one) for one in (*sharp, *faint, *soft)])
    assert set(blurred(values).tolist()) == {35, 36, 37, 38}
    enlarged = np.array([sharpness(one.resize((20, 15)).resize((160, 120))) for one in sharp])
    assert len(blurred(enlarged)) == 0


def test_a_prepared_set_is_examined_as_it_lies(digits: PreparedSet) -> None:
    found = examine(digits)
    total = sum(digits.count(split) for split in digits.splits)
    assert len(found.files) == total
    assert found.files[: digits.count("train")] == tuple(digits.files("train"))
    assert found.counts("test") == digits.class_counts("test")
    # Many ones and zeros look alike, and hardly any are the same.
    assert sum(map(len, found.groups)) < total / 50


def test_an_examination_can_be_stopped_and_tells_how_far_it_is(tmp_path: Path) -> None:
    collection = read_folder(make_folder(tmp_path, CLEAN), side=SIDE)
    seen: list[tuple[int, int, str]] = []
    examine(collection, SIDE, lambda *at: seen.append(at))
    assert seen[-1] == (40, 40, "comparing")
    assert (40, 40, "examining") in seen
    with pytest.raises(ExplorerError, match="stopped"):
        examine(collection, SIDE, cancelled=lambda: True)


def test_photographs_hide_no_copies_but_the_planted_ones(tmp_path: Path) -> None:
    source = SHARED / "data" / "imagenette-160.zip"
    if not source.exists():
        pytest.skip("the photographs of ../shared are not here")
    with zipfile.ZipFile(source) as archive:
        every = sorted(name for name in archive.namelist() if name.lower().endswith((".jpg", ".jpeg")))
        chosen = every[:: len(every) // 300]
        files = {f"{number % 2}/{number}.jpg": archive.read(name) for number, name in enumerate(chosen)}
    for number in range(0, 60, 3):
        picture = Image.open(BytesIO(files[f"{number % 2}/{number}.jpg"])).convert("RGB")
        wide, high = picture.size
        cut = picture.crop((round(0.02 * wide), 0, wide, round(0.97 * high))).resize((wide // 2, high // 2))
        files[f"{number % 2}/{number}-copy.jpg"] = jpeg(cut, 50)
    found = examined(tmp_path, files, side=64)
    together = {frozenset(names(found, group)) for group in found.groups}
    planted = {frozenset({f"{n % 2}/{n}.jpg", f"{n % 2}/{n}-copy.jpg"}) for n in range(0, 60, 3)}
    assert len(planted & together) >= 19
    assert together <= planted
    assert len(found.blurred) <= 3
