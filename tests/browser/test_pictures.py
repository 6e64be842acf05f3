"""A photograph brought by a person, what a network says about it, and why."""

import re
from pathlib import Path

import pytest
from hands import press, settle
from PIL import Image
from playwright.sync_api import Page, expect
from sklearn.datasets import load_sample_image

from alexnet_core.runs.directory import RunDirectory

ORIENTATION = 274
"""The EXIF tag that says how a camera was held."""


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A real photograph as a phone held sideways leaves it: pixels turned, a note to turn them back."""
    picture = Image.fromarray(load_sample_image("china.jpg")).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    path = tmp_path / "palace.jpg"
    picture.save(path, exif=exif)
    return path


def _open_upload(page: Page, run: RunDirectory) -> None:
    page.goto(f"/explain?run={run.id}")
    page.get_by_role("radio", name="Upload").click()
    expect(page.get_by_text("Until then, a sample is shown.")).to_be_visible()


def test_a_photograph_is_named_explained_and_downloaded(page: Page, finished: RunDirectory, photograph: Path) -> None:
    _open_upload(page, finished)
    page.locator("input[type=file]").set_input_files(photograph)
    expect(page.get_by_text("Showing palace.jpg.")).to_be_visible()
    expect(page.get_by_role("img", name="The centre square of the picture palace.jpg.")).to_be_visible()
    expect(page.get_by_text("The 5 most probable of 10 classes.")).to_be_visible()
    saliency = page.get_by_role("img", name="Saliency: the picture coloured by")
    expect(saliency).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PNG").first.click()
    assert download.value.suggested_filename.endswith(".png")
    with Image.open(download.value.path()) as picture:
        assert picture.format == "PNG"


def test_maps_are_compared_one_is_believed_or_not_and_all_are_taken_home(page: Page, finished: RunDirectory) -> None:
    page.goto(f"/explain?run={finished.id}")
    methods = page.get_by_role("combobox", name="Methods")
    expect(page.get_by_role("button", name="Download PNG")).to_have_count(4)
    settle(page)
    methods.click()
    methods.fill("Occlusion")
    page.get_by_role("option", name=re.compile("^Occlusion")).click()
    page.keyboard.press("Escape")
    press(page, "Compute")  # a slow method waits to be asked
    expect(page.get_by_role("img", name="Occlusion: the picture coloured by")).to_be_visible()
    expect(page.get_by_role("button", name="Download PNG")).to_have_count(5)
    chart = page.get_by_role("figure", name="Saliency, enlarged")
    settle(page)
    chart.hover()
    expect(page.get_by_text(re.compile(r"^Row \d+, column \d+"))).to_be_attached()
    page.get_by_role("tab", name="Can it be believed?").click()
    verdict = re.compile("The map (hardly )?notices: |Cannot tell: ")
    expect(page.get_by_role("paragraph").filter(has_text=verdict)).to_be_visible()
    expect(page.get_by_role("figure", name="How alike the map stays to the one of the trained network")).to_be_visible()
    settle(page)
    page.get_by_role("tab", name="Take home").click()
    with page.expect_download() as download:
        press(page, "Report")
    report = Path(download.value.path()).read_text("utf-8")
    assert report.count("<h2>") == 5
    assert "http-equiv" in report
    page.get_by_role("radio", name="Classes").click()
    expect(page.get_by_role("img", name=re.compile("^Saliency: the picture coloured"))).to_have_count(4)


def test_a_text_with_a_pictures_name_is_refused_in_a_sentence(
    page: Page, finished: RunDirectory, tmp_path: Path
) -> None:
    text = tmp_path / "notes.png"
    text.write_text("Not a picture, whatever its name says.\n")
    _open_upload(page, finished)
    page.locator("input[type=file]").set_input_files(text)
    expect(page.get_by_role("alert").filter(has_text="notes.png")).to_have_count(1)
    expect(page.get_by_text("Showing")).to_have_count(0)
