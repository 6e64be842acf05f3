"""What a person does to doubt an answer, and to see how a network sorts and learns: a picture broken, attacked and
asked about many times; its neighbours; a training played back."""

import re

from hands import press, settle, wait_until
from PIL import Image
from playwright.sync_api import Page, expect

from alexnet_core.runs.directory import RunDirectory

FILTERS_AT = re.compile(r"^The filters of the first layer at step (\d+)\.")


def test_a_picture_is_made_worse_and_attacked_and_the_attack_is_taken_home(page: Page, finished: RunDirectory) -> None:
    page.goto(f"/break_it?run={finished.id}")
    worse = page.get_by_role("img", name="The picture after this distortion: Blur")
    expect(worse).to_be_visible()
    settle(page)
    before = worse.get_attribute("alt")
    strength = page.get_by_role("slider", name="Strength")
    strength.focus()
    strength.press("ArrowRight")
    expect(page.get_by_role("img", name=before)).to_have_count(0)
    expect(worse).to_be_visible()
    expect(page.get_by_text(re.compile("It (still|no longer) says"))).to_be_visible()

    page.get_by_role("radio", name="Attack it").click()
    expect(page.get_by_role("img", name="The attacked picture.")).to_be_visible()
    expect(page.get_by_role("img", name="The change of every pixel on grey")).to_be_visible()
    settle(page)
    with page.expect_download() as download:
        press(page, "Download the attacked picture")
    with Image.open(download.value.path()) as attacked:
        assert attacked.size == (32, 32)


def test_an_answer_is_asked_for_many_times_and_its_probabilities_are_judged(page: Page, finished: RunDirectory) -> None:
    page.goto(f"/how_sure?run={finished.id}")
    expect(page.get_by_role("figure", name=re.compile("^The probabilities of .* in 5 answers"))).to_be_visible()
    expect(page.get_by_role("figure", name="How often answers of each certainty are right.")).to_be_visible()
    expect(page.get_by_role("img", name="Coloured noise, as the network sees it.")).to_be_visible()
    settle(page)
    press(page, "Fit a temperature")
    expect(page.get_by_role("figure", name="calibration error divided by")).to_be_visible()


def test_a_pictures_neighbours_and_the_map_of_all(page: Page, finished: RunDirectory) -> None:
    page.goto(f"/neighbours?run={finished.id}")
    expect(page.get_by_role("img", name="Neighbour by Pixels").first).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Neighbour by Linear")).first).to_be_visible()
    settle(page)
    page.get_by_role("radio", name="t-SNE").click()
    expect(page.get_by_text("by t-SNE of the last hidden layer")).to_be_visible()
    settle(page)
    points = page.get_by_role("figure", name="pictures as points").locator(".point")
    points.nth(100).click(force=True)
    expect(page.get_by_role("img", name="The chosen picture:")).to_be_visible()


def test_a_training_is_played_from_its_first_step_to_its_last(page: Page, finished: RunDirectory) -> None:
    page.goto(f"/time_machine?run={finished.id}")
    shown = page.get_by_role("img", name=FILTERS_AT)
    last = max(finished.snapshots(whole=True))
    expect(page.get_by_role("img", name=f"The filters of the first layer at step {last}.")).to_be_visible()
    settle(page)
    press(page, "Play")
    seen: set[str] = set()
    expect(page.get_by_role("img", name=f"The filters of the first layer at step {last}.")).to_have_count(0)

    def at_the_end() -> bool:
        seen.add(shown.first.get_attribute("alt") or "")
        return f"The filters of the first layer at step {last}." in seen

    wait_until(at_the_end, 120)
    assert len(seen) > 3
    settle(page)
    page.get_by_text("Take it home").click()
    with page.expect_download() as download:
        press(page, "Filters as GIF")
    with Image.open(download.value.path()) as film:
        assert film.format == "GIF"
        assert film.n_frames == len(finished.snapshots(whole=True))
