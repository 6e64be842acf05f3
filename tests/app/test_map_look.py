"""How maps are drawn, and what one takes home: one scale, one colour, a sheet, a report without strangers' HTML."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from alexnet_core.insight.attribution import ATTRIBUTIONS, Attribution, chosen_settings
from alexnet_core.insight.prediction import ClassProbability
from alexnet_core.models.weights import save_network
from alexnet_core.runs.directory import RunDirectory
from app import answers, session
from app.answers import Asked
from app.explaining import findings, honesty_checks, map_look
from app.explaining.compare import Question
from app.explaining.map_grid import Answered
from app.explaining.map_look import Look
from app.explaining.one_map import grid_png, npy
from app.explaining.report import facts, report
from app.figures.pointer import under_pointer
from app.figures.sheet import PAPER, sheet

SIGNED = next(name for name, method in ATTRIBUTIONS.items() if method.signed)
UNSIGNED = next(name for name, method in ATTRIBUTIONS.items() if not method.signed)


def answer(method=SIGNED, factor=1.0):
    values = factor * np.linspace(-1, 2, 3 * 32 * 32, dtype=np.float32).reshape(3, 32, 32)
    return Attribution(method, 0, "cat", values, {"seconds": 0.5})


@pytest.fixture
def maps(run):
    shared = session.load(run.id)
    return [
        Answered(
            Question(label, run.id, Asked(shared, session.sample("ship"), method, 0)),
            found := answer(method),
            map_look.drawn(Asked(shared, session.sample("ship"), method, 0), found, Look(), None),
        )
        for label, method in (("<b>one</b>", SIGNED), ("two", UNSIGNED))
    ]


def test_own_scales_unless_one_is_asked_for():
    weak, strong = answer(factor=1), answer(factor=3)
    assert Look().scale([weak, strong]) is None
    both = Look(one_scale=True).scale([weak, strong])
    assert both == pytest.approx(Look(one_scale=True).scale([strong]))
    assert both == pytest.approx(3 * Look(one_scale=True).scale([weak]))


def test_each_way_to_look_has_its_legend():
    assert "against" in Look().legend(answer(SIGNED))
    assert "Yellow" in Look().legend(answer(UNSIGNED))
    assert "Yellow" in Look("absolute").legend(answer(SIGNED))
    for show in ("signed", "positive", "negative"):
        assert "speaks" in Look(show).legend(answer(SIGNED))
        assert "speaks" not in Look(show).legend(answer(UNSIGNED))
    assert set(map_look.SHOWN) == {"own", "signed", "positive", "negative", "absolute"}


def test_the_pointer_reads_the_very_numbers():
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    fig = under_pointer(Image.new("RGB", (40, 30)), values)
    np.testing.assert_array_equal(fig.data[0].z, values)
    assert fig.data[0].opacity == 0
    assert list(fig.layout.yaxis.range) == [2.5, -0.5]  # the first row is on top, as in the picture
    image = fig.layout.images[0]
    assert (image.x, image.y, image.sizex, image.sizey) == (-0.5, -0.5, 4, 3)


def test_a_sheet_shows_every_picture_with_its_title():
    colours = ("red", "green", "blue", "black")
    paper = sheet([Image.new("RGB", (60, 60), colour) for colour in colours], ["t" * 99, "b", "c", "d"], 3, "Heading")
    found = {paper.getpixel((x, y)) for x in range(paper.width) for y in range(0, paper.height, 5)}
    assert found >= {(255, 0, 0), (0, 128, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)}
    assert paper.getpixel((1, 1)) == Image.new("RGB", (1, 1), PAPER).getpixel((0, 0))


def test_the_grid_and_the_values_can_be_taken_home(maps):
    with Image.open(BytesIO(grid_png(maps))) as picture:
        assert picture.format == "PNG"
        assert picture.width > 2 * 400
    np.testing.assert_array_equal(np.load(BytesIO(npy(maps[0].answer.values))), maps[0].answer.values)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def test_the_report_stands_alone_and_shows_strangers_names_as_letters(maps):
    top = [ClassProbability("<script>alert(1)</script>", 0, 0.9)]
    page = report(top, maps, Look())
    reader = Tags()
    reader.feed(page)
    tags = [tag for tag, _ in reader.seen]
    assert "script" not in tags
    assert "b" not in tags
    assert tags.count("img") == 3
    for _, attributes in reader.seen:
        assert not any(name.startswith("on") or name == "href" for name in attributes)
        assert attributes.get("src", "data:").startswith("data:")
    assert not re.search(r"url\(|@import|https?://", page)
    assert "default-src 'none'" in page
    for one in maps:
        assert ATTRIBUTIONS[one.answer.method].title in page
    assert "attribute(network, picture" in page
    assert "0.5" in page


def test_the_report_tells_what_the_honesty_tests_found_and_that_there_were_none(run):
    asked = Asked(session.load(run.id), session.sample("ship"), "saliency", 0)
    one = Answered(Question("One", run.id, asked), answers.explained(asked), answers.png(Image.new("RGB", (8, 8))))
    top = [ClassProbability("cat", 0, 0.9)]
    untested = report(top, [one], Look())
    assert "was not tested" in untested
    honesty_checks.scrambled(asked, lambda share: None, lambda: None)
    honesty_checks.own_curves(asked)
    honesty_checks.chance_curves(asked, lambda share: None)
    unexplained = honesty_checks.infidelity(asked)
    honesty_checks.sensitivity(asked)
    page = report(top, [one], Look())
    assert "was not tested" not in page
    assert page.count("<img") == untested.count("<img") + 1  # the map while the network is scrambled
    for test in ("Scrambled network", "Pixels taken away", "Changes not foretold", "Change of the map"):
        assert f"<th>{test}</th>" in page
    assert f"{100 * unexplained.unexplained:.0f} %" in page
    assert "**" not in page
    assert "Beside the map of" not in page  # nobody asked for the runner-up
    honesty_checks.runner_up(asked)
    page = report(top, [one], Look())
    assert "Beside the map of" in page
    assert "learned nonsense" not in page
    made = RunDirectory.create(replace(run.config().settings, shuffle_labels=True), run.config().data, title="Nonsense")
    save_network(made.network_path, session.load(run.id).network)
    honesty_checks.of_shuffled(asked, made)
    page = report(top, [one], Look(channel=2))
    assert "Beside a network that learned nonsense" in page
    assert "of blue alone" in page
    assert "as much about red-eyed as" in findings.runner_up(1.0, "blue", "red-eyed")  # letter for letter: no Markdown


def test_the_report_tells_every_setting_also_those_that_nobody_changed(run):
    asked = Asked(session.load(run.id), session.sample("ship"), "integrated_gradients", 0, settings=(("steps", 20),))
    settings = chosen_settings(asked.shared.network, asked.method, dict(asked.settings))
    found = replace(answer(asked.method), settings=settings, facts={"precision": "fp32"})
    one = Answered(Question("One", run.id, asked), found, answers.png(Image.new("RGB", (8, 8))))
    told = dict(facts(one))
    assert (told["Steps"], told["Rule of integration"]) == ("20", "mean slopes")
    unfinished = replace(found, facts={"rise": 4.0, "convergence_delta": -0.1})
    assert "2.5 % of it" in dict(facts(replace(one, answer=unfinished)))["What the shares exceed that by"]
    assert told["Compared with"] == "black"
    assert told["Seed"] == "0"
    assert told["Precision"] == "fp32"  # what it was, not what was asked for
    assert "Rule of integration" in report([ClassProbability("cat", 0, 0.9)], [one], Look())
