"""What a person does to doubt an answer, and to see how a network sees, sorts and learns: a picture broken, attacked
and asked about many times; filters and maps in another order and at another step; units switched off; neighbours; a
training played back."""

import re

from hands import FRAMES, choose, press, settle, wait_until
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from alexnet_core.runs.directory import RunDirectory

FILTERS = re.compile(r"^The \d+ filters of the first layer")
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


def test_a_box_is_dragged_over_the_picture(page: Page, finished: RunDirectory) -> None:
    page.goto(f"/break_it?run={finished.id}")
    expect(page.get_by_role("img", name="The picture after this distortion: Blur")).to_be_visible()
    choose(page, "Distortion", "A box over it")
    covered = page.get_by_role("img", name="The picture after this distortion: A box over it, 100 % of the box.")
    expect(covered).to_be_visible()
    settle(page)
    before = covered.get_attribute("src")
    chart = page.get_by_role("figure", name="The picture with the box that will cover it.").locator(".js-plotly-plot")
    chart.scroll_into_view_if_needed()
    page.evaluate(FRAMES)
    # Two corners, in shares of the picture's side, where Plotly itself has them on the screen.
    (left, top), (right, bottom) = chart.evaluate(
        """plot => [[0.1, 0.1], [0.4, 0.7]].map(([x, y]) => {
            const {xaxis, yaxis} = plot._fullLayout, {left, top} = plot.getBoundingClientRect();
            return [left + xaxis._offset + xaxis.l2p(x), top + yaxis._offset + yaxis.l2p(y)];
        })"""
    )
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move((left + right) / 2, (top + bottom) / 2)
    page.mouse.move(right, bottom)
    page.mouse.up()
    # Whole percents of some 340 pixels: one may be missed.
    for name, value in (("From left to right", 25), ("From top to bottom", 40), ("Width", 30), ("Height", 60)):
        near = re.compile("|".join(f"^{value + off}$" for off in (-1, 0, 1)))
        expect(page.get_by_role("slider", name=name)).to_have_value(near)
    expect(covered).not_to_have_attribute("src", before)


def test_filters_are_sorted_and_maps_looked_at_before_and_after(page: Page, finished: RunDirectory) -> None:
    page.goto(f"/look_inside?run={finished.id}")
    filters = page.get_by_role("img", name=FILTERS)
    expect(filters).to_have_attribute("alt", re.compile("from grey to coloured"))
    settle(page)
    before = filters.get_attribute("src")
    page.get_by_role("radio", name="By direction").click()
    expect(filters).to_have_attribute("alt", re.compile("by the direction of their stripes"))
    expect(filters).not_to_have_attribute("src", before)

    expect(page.get_by_role("img", name="maps of layer features.2, the strongest first.")).to_be_visible()
    choose(page, "Map to enlarge", "Map 7")
    expect(page.get_by_role("img", name="Map 7 of layer features.2.")).to_be_visible()
    settle(page)
    page.get_by_role("radio", name="after pooling").click()
    expect(page.get_by_role("img", name="maps of layer features.3, the strongest first.")).to_be_visible()
    expect(page.get_by_role("combobox", name="Layer", exact=True)).to_have_value(re.compile("max pooling 1"))
    expect(page).to_have_url(re.compile(r"layer=features\.3"))
    expect(page.get_by_role("img", name="Map 7 of layer features.3.")).to_be_visible()
    expect(page.get_by_text("The pooling keeps the largest of 3 × 3 numbers")).to_be_visible()


def _moved(chart: Locator) -> float:
    """The most by which a probability before and after differ in the chart; -1 before they are drawn."""
    return chart.locator(".js-plotly-plot").evaluate(
        """plot => {
            const [before, after] = ['before', 'after'].map(when => plot.data?.find(line => line.name === when)?.x);
            return before ? Math.max(...before.map((share, place) => Math.abs(share - after[place]))) : -1;
        }"""
    )


def test_a_unit_is_switched_off_and_the_answer_changes(page: Page, finished: RunDirectory) -> None:
    page.goto(f"/lesions?run={finished.id}")
    chart = page.get_by_role("figure", name="Probabilities before and after")
    wait_until(lambda: _moved(chart) > 0)
    settle(page)
    units = page.get_by_role("combobox", name="Units")
    units.focus()
    for _ in range(8):  # as many are switched off when the page opens
        units.press("Backspace")
    wait_until(lambda: _moved(chart) == 0)
    settle(page)
    units.press("ArrowDown")
    page.get_by_role("option", name=re.compile(r"^\d+$")).first.click()
    page.keyboard.press("Escape")  # behind an open list nothing has a name
    wait_until(lambda: _moved(chart) > 0)


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
