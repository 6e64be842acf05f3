"""The grid of Predict and explain: a map that grows on its card while it is computed, and one scale for all cards."""

import pytest
from test_pages import sound

from app import answers
from app.explaining import map_grid, map_look
from app.explaining.map_look import Look


@pytest.fixture
def drawn(monkeypatch):
    """All that was put on cards, in this order: a picture, and the map that it shows."""
    every, draw = [], map_grid._draw

    def noted(card, shown, answer):
        every.append((shown, answer))
        draw(card, shown, answer)

    monkeypatch.setattr(map_grid, "_draw", noted)
    return every


def test_a_map_grows_on_its_card_from_coarse_to_whole(lively, open_page, drawn):
    app = open_page("explain", run=lively.id)
    app.multiselect(key="compared_methods").set_value(["saliency", "occlusion"]).run()
    assert not any(answer.method == "occlusion" for _, answer in drawn)
    app.button(key="compute-occlusion-1").click().run()
    assert sound(app)
    coarse, finer, full, last = ((shown, answer) for shown, answer in drawn if answer.method == "occlusion")
    tried = [answer.facts["windows_tried"] for _, answer in (coarse, finer, full)]
    assert tried[0] < tried[1] < tried[2] == full[1].facts["windows"]
    assert len({picture.tobytes() for picture, _ in (coarse, finer, full)}) == 3
    assert last == (answers.png(full[0]), full[1])


def test_one_scale_is_that_of_the_strongest_map_on_every_card_and_at_home(lively, open_page, drawn, monkeypatch):
    shown, show = [], map_grid.show

    def noted(*asked):
        shown.append(show(*asked))
        return shown[-1]

    monkeypatch.setattr(map_grid, "show", noted)
    app = open_page("explain", run=lively.id)
    app.segmented_control(key="compare").set_value("classes").run()
    assert sound(app)
    own = [one.png for one in shown[-1]]
    app.toggle(key="one_scale").set_value(True).run()
    assert sound(app)
    look, maps = Look(one_scale=True), shown[-1]
    full = max(look.scale([one.answer]) for one in maps)
    on_cards = {answer.target: picture for picture, answer in drawn}  # what was put there last
    assert len(maps) == len(on_cards) == 3
    for one in maps:
        assert one.png == answers.png(map_look.painted(one.question.asked, one.answer, look, full))
        assert on_cards[one.answer.target] == one.png
    assert sum(one.png != alone for one, alone in zip(maps, own, strict=True)) == 2  # the strongest had it before
