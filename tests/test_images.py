"""Untrusted bytes: every good kind becomes the right colours, every bad kind one sentence."""

import contextlib
import unicodedata

import numpy as np
import pytest
from PIL import Image, ImageFile

from alexnet_core import images
from alexnet_core.errors import ExplorerError
from alexnet_core.images import NoRoom, clean_name, decode, decode_file, sha256
from alexnet_core.preprocess import Preprocessing
from tests.pictures import encoded, pixels, png, png_claiming


def sentences(error: pytest.ExceptionInfo[ExplorerError]) -> str:
    """The message, once it is one or two sentences fit for a screen."""
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 300
    assert "Error" not in text
    return text


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_kinds_keep_every_pixel(kind: str) -> None:
    settings = {"lossless": True} if kind == "WEBP" else {}
    picture = decode(encoded(Image.fromarray(pixels()), kind, **settings))
    assert picture.mode == "RGB"
    assert np.array_equal(np.asarray(picture), pixels())


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    values = np.linspace(0, 65_535, 64 * 64).reshape(64, 64).astype(np.uint16)
    for kind in ("PNG", "TIFF"):
        grey = np.asarray(decode(encoded(Image.fromarray(values), kind)))[..., 0].astype(int)
        assert np.abs(grey - values / 257).max() <= 1


def test_floating_point_and_32_bit_files_use_the_whole_range() -> None:
    for values in (np.linspace(-3, 5, 256, dtype=np.float32), np.linspace(0, 1_000_000, 256).astype(np.int32)):
        grey = np.asarray(decode(encoded(Image.fromarray(values.reshape(16, 16)), "TIFF")))
        assert (grey.min(), grey.max()) == (0, 255)


def test_not_a_number_is_no_trouble() -> None:
    values = np.full((16, 16), np.nan, dtype=np.float32)
    assert np.asarray(decode(encoded(Image.fromarray(values), "TIFF"))).max() == 0


def test_transparency_is_laid_on_white() -> None:
    see_through = np.zeros((16, 16, 4), dtype=np.uint8)
    see_through[:8] = (255, 0, 0, 255)
    picture = np.asarray(decode(encoded(Image.fromarray(see_through))))
    assert tuple(picture[0, 0]) == (255, 0, 0)
    assert tuple(picture[15, 0]) == (255, 255, 255)


def test_transparent_palette_is_laid_on_white() -> None:
    picture = Image.new("P", (16, 16), 0)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    assert np.asarray(decode(encoded(picture, transparency=0))).min() == 255


def test_cmyk_becomes_the_colour_it_prints() -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    red, green, blue = np.asarray(decode(encoded(cyan, "TIFF")))[8, 8]
    assert red < 60
    assert min(green, blue) > 120
    assert decode(encoded(cyan, "JPEG")).mode == "RGB"


def test_rotation_noted_by_the_camera_is_carried_out() -> None:
    notes = Image.Exif()
    notes[0x0112] = 6  # a quarter turn clockwise
    lying = Image.fromarray(pixels(size=(20, 16)))
    upright = decode(encoded(lying, "PNG", exif=notes))
    assert upright.size == (16, 20)
    assert np.array_equal(np.asarray(upright), np.rot90(pixels(size=(20, 16)), k=-1))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_broken_camera_notes_do_not_cost_the_picture() -> None:
    data = encoded(Image.fromarray(pixels()), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert decode(data).size == (20, 16)


def test_first_frame_of_an_animation() -> None:
    first, second = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    for kind in ("GIF", "WEBP", "TIFF"):
        data = encoded(first, kind, save_all=True, append_images=[second])
        red, _, blue = np.asarray(decode(data))[8, 8]
        assert red > 240 and blue < 15  # noqa: PT018


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"hello, I am a text", "not a picture"),
        (b"%PDF-1.7\n" + bytes(100), "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n", "not a picture"),
        (png()[:120], "cut off"),
        (encoded(Image.fromarray(pixels(size=(200, 200))), "JPEG")[:3_000], "cut off"),
        (encoded(Image.fromarray(pixels()), "TIFF")[:60], "picture"),
        (encoded(Image.fromarray(pixels()), "GIF")[:40], "picture|cut off"),
        (png(size=(7, 40)), "at least 8"),
        (png_claiming(12_001, 20), "12,000"),
        (png_claiming(6_000, 5_000), "24 megapixels"),
        (png_claiming(60_000, 60_000), "24 megapixels"),
        (bytes(10_000_001), "larger than 10 MB"),
    ],
)  # fmt: skip
def test_bad_picture_is_one_sentence_with_its_name(data: bytes, says: str) -> None:
    with pytest.raises(ExplorerError, match=says) as error:
        decode(data, "holiday.png")
    assert "holiday.png" in sentences(error)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_every_cut_and_every_flipped_byte_is_a_picture_or_a_sentence() -> None:
    whole = [encoded(Image.fromarray(pixels()), kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")]
    chance = np.random.default_rng(0)
    for data in whole:
        for position in chance.integers(0, len(data), 150):
            flipped = bytearray(data)
            flipped[position] ^= int(chance.integers(1, 256))
            for damaged in (data[:position], bytes(flipped)):
                with contextlib.suppress(ExplorerError):  # anything else fails the test
                    assert decode(damaged).mode == "RGB"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_little_memory_is_not_the_pictures_fault(monkeypatch) -> None:
    def load(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    with pytest.raises(NoRoom) as error:
        decode(png(), "cat.png")
    assert "not enough memory to open “cat.png”" in sentences(error)


def test_enormous_claim_is_refused_before_anything_is_unpacked(monkeypatch) -> None:
    def unpack(picture: ImageFile.ImageFile) -> None:
        pytest.fail("unpacked")

    monkeypatch.setattr(ImageFile.ImageFile, "load", unpack)
    with pytest.raises(ExplorerError, match="megapixels"):
        decode(png_claiming(11_000, 11_000))


def test_programs_are_not_started_for_strange_kinds() -> None:
    """PostScript would start Ghostscript: it must not even be recognised."""
    postscript = encoded(Image.fromarray(pixels()), "EPS")
    with pytest.raises(ExplorerError, match="not a picture"):
        decode(postscript)


def test_decoded_picture_outlives_its_file(tmp_path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png())
    picture = decode_file(path)
    path.unlink()
    assert np.array_equal(np.asarray(picture), pixels())


def test_file_that_is_none(tmp_path) -> None:
    for path, says in ((tmp_path, "folder"), (tmp_path / "nothing.png", "no file"), ("x" * 5_000, "no file")):
        with pytest.raises(ExplorerError, match=says) as error:
            decode_file(path)
        sentences(error)


def test_large_file_is_not_read_to_its_end(tmp_path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(50_000_000_000)  # a hole: it takes no room
    with pytest.raises(ExplorerError, match="larger than 10 MB"):
        decode_file(path)


def test_names_are_cleaned_for_display() -> None:
    assert clean_name("a\x00b\x1b[31m\nc") == "ab[31m c"
    assert clean_name("cafe\u0301") == unicodedata.normalize("NFC", "café")
    assert clean_name("gpj\u202egnp.exe") == "gpjgnp.exe"  # no turning round of the reading direction
    assert clean_name("bad\udcff.png") == "bad.png"  # a name that is no Unicode
    assert len(clean_name("x" * 1_000)) == 64
    assert clean_name("") == clean_name("\x07 \n") == "unnamed"


def test_key_is_of_the_bytes() -> None:
    assert sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_bug_of_ours_keeps_its_traceback(monkeypatch) -> None:
    class Bug(Exception):
        pass

    def broken(picture: Image.Image) -> Image.Image:
        raise Bug

    monkeypatch.setattr(images, "_eight_bit_rgb", broken)
    with pytest.raises(Bug):
        decode(png())


def test_large_jpeg_is_decoded_no_larger_than_a_square_of_it_needs() -> None:
    y, x = np.mgrid[0:600, 0:900] / 600
    soft = np.stack([x / 1.5, y, (x - y) ** 2 / 3], axis=-1) * 255
    data = encoded(Image.fromarray(soft.astype(np.uint8)), "JPEG", quality=95)
    assert decode(data).size == (900, 600)
    sides = {64: (225, 150), 20: (113, 75), 16: (113, 75), 101: (450, 300), 200: (900, 600), 1000: (900, 600)}
    assert {side: decode(data, side=side).size for side in sides} == sides
    for side in sides:
        cut = Preprocessing(size=side, resize=side).crop
        difference = np.subtract(cut(decode(data)), cut(decode(data, side=side)), dtype=np.float64)
        assert np.abs(difference).mean() < 1
    assert decode(encoded(Image.fromarray(soft.astype(np.uint8))), side=16).size == (
        900,
        600,
    )
