"""A data set made by hand in a real browser: a zip refused, a folder dropped, pictures moved, everything taken back, a
training to its end."""

import re
from pathlib import Path

from hands import choose, go_to, press, settle, stands
from playwright.sync_api import Page, expect
from served import Served

from tests.pictures import class_files, make_folder

FOLDER, FILES = "input[type=file][webkitdirectory]", "input[type=file]:not([webkitdirectory])"
"""What takes a folder, and what takes a zip or files: after a click, the one that was there before may still stand."""


def test_from_a_folder_to_a_training(app: Served, page: Page, tmp_path: Path) -> None:
    make_folder(tmp_path / "pets", class_files(["cats", "dogs"], images=6))
    page.goto("/")
    go_to(page, "Your pictures")
    settle(page)
    (tmp_path / "pets.zip").write_bytes(b"no zip")
    page.get_by_role("radio", name="Zip").click()
    settle(page)
    page.locator(FILES).set_input_files(tmp_path / "pets.zip")
    expect(page.get_by_text("“pets.zip” is not a zip, or a damaged one. Pack the folder again.")).to_be_visible()
    assert not any((app.home / "collections").iterdir())
    page.get_by_role("radio", name="Folder").click()
    settle(page)
    page.locator(FOLDER).set_input_files(tmp_path / "pets")
    expect(page.get_by_text("12 pictures added.")).to_be_visible()
    settle(page)
    assert list((app.home / "uploads" / "arriving").iterdir()) == []  # nothing lies twice
    boxes = page.get_by_role("checkbox")
    assert boxes.count() == 6
    page.get_by_test_id("stCheckbox").first.locator("label").click()
    expect(page.get_by_text("1 picture chosen")).to_be_visible()
    press(page, "Move")
    expect(page.get_by_text("Undo takes back: moving 1 picture to dogs.")).to_be_visible()
    expect(boxes).to_have_count(5)
    shown = page.get_by_role("combobox", name="Pictures of the class", exact=True)
    expect(shown).to_have_value("cats · 5 pictures")
    press(page, "Undo")
    expect(boxes).to_have_count(6)
    expect(shown).to_have_value("cats · 6 pictures")

    page.mouse.move(0, 0)  # what the button says about itself goes with the mouse
    press(page, "Train on these")
    expect(page.get_by_text(re.compile("In all 10 to train on, 2 to validate on"))).to_be_visible()
    press(page, "Start training")
    expect(page.get_by_role("heading", name="What it takes for what")).to_be_visible(timeout=120_000)
    stands(page, "Finished")
    page.get_by_role("link", name="Look inside it").click()
    expect(page.get_by_role("heading", name="Look inside", level=1)).to_be_visible()
    expect(page.get_by_role("combobox", name="Network", exact=True)).to_have_value(re.compile("on My pictures"))


def test_a_class_is_typed_and_photographed(page: Page, app: Served, tmp_path: Path) -> None:
    page.goto("/your_pictures")
    expect(page.get_by_role("heading", name="Your pictures", level=1)).to_be_visible()
    settle(page)
    if page.get_by_role("combobox", name="Data set", exact=True).count():
        choose(page, "Data set", "Make a new one")
        settle(page)
    page.get_by_role("radio", name="Files").click()
    settle(page)
    box = page.get_by_role("combobox", name="Class", exact=True)
    box.click()
    box.fill("<b>*birds*</b>")
    box.press("Enter")
    settle(page)
    files = make_folder(tmp_path / "birds", class_files(["."], images=3, seed=9_000))
    page.locator(FILES).set_input_files(sorted(files.rglob("*.png")))
    expect(page.get_by_text("3 pictures added.")).to_be_visible()
    settle(page)
    assert list((app.home / "uploads" / "arriving").iterdir()) == []
    expect(page.get_by_text("<b>*birds*</b>", exact=True).first).to_be_visible()
