"""The data doctor in a real browser: planted mistakes are found, named and mended, and a balance is offered."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hands import press, settle
from playwright.sync_api import Page, expect
from served import Served

from alexnet_core.data.sources import available, prepare
from tests.data.test_doctor import jpeg, scene
from tests.pictures import encoded, make_folder


@pytest.fixture
def planted(app: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What the page calls a prepared set of 16 cats and 6 dogs to learn from: a cat is in the test, too, another one
    among the dogs, and a file is broken."""
    monkeypatch.setenv("ALEXNET_HOME", str(app.home))
    files = {f"train/cats/{n}.png": encoded(scene(n)) for n in range(16)}
    files |= {f"train/dogs/{n}.png": encoded(scene(100 + n)) for n in range(6)}
    files |= {f"test/{name}/{n}.png": encoded(scene(n)) for name, n in (("cats", 50), ("cats", 51), ("dogs", 150))}
    files["test/cats/again.jpg"] = jpeg(scene(0), 60)
    files["train/dogs/a cat.jpg"] = jpeg(scene(3), 60)
    files["train/dogs/cut off.png"] = files["train/dogs/0.png"][:900]
    prepared = prepare(make_folder(tmp_path / "planted", files), image_size=64)
    yield next(one.source for one in available() if prepared.directory in [each.directory for each in one.prepared])
    shutil.rmtree(prepared.directory)


def test_planted_mistakes_are_found_mended_and_balanced(page: Page, planted: str) -> None:
    page.goto(f"/doctor?data={planted}")
    expect(page.get_by_role("heading", name="The same picture in two classes")).to_be_visible()
    expect(page.get_by_text("dogs/cut off.png").first).to_be_visible()
    expect(page.get_by_text("times as many pictures as dogs")).to_be_visible()
    expect(page.get_by_role("img", name="2 pictures side by side that look the same.").first).to_be_visible()

    settle(page)
    press(page, "All are cats")
    expect(page.get_by_text("1 with another class")).to_be_visible()
    settle(page)  # until then what stood before fades beside what is new
    expect(page.get_by_role("heading", name="The same picture in two classes")).to_have_count(0)
    expect(page.get_by_role("heading", name="The same picture in training and test")).to_be_visible()
    page.get_by_role("button", name="Split them together").click()
    expect(page.get_by_text("in another split")).to_be_visible()
    settle(page)
    expect(page.get_by_role("heading", name="The same picture in training and test")).to_have_count(0)
    press(page, "Undo the last")
    expect(page.get_by_text("in another split")).to_have_count(0)
    settle(page)
    expect(page.get_by_role("heading", name="The same picture in training and test")).to_be_visible()

    press(page, "Train, classes equally often")
    expect(page.get_by_role("heading", name="Train", level=1)).to_be_visible()
    press(page, "Prepare and look")  # with the correction above, which made another set of it
    expect(page.get_by_role("figure", name="Training pictures of each of the 2 classes")).to_be_visible()
