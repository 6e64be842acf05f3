"""The time machine: whole snapshots move everything, first layers what they can, and each moment is asked once."""

import weakref
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from test_pages import HOSTILE, sound, texts

from alexnet_core.models.weights import network_bytes
from alexnet_core.runs.directory import RunDirectory
from app import answers, session
from app.figures.ink import LIGHT
from app.gallery import galleries
from app.inside import moving_pictures, run_history, time_machine
from app.inside.time_machine import Watched


def grown(run, whole: bool) -> RunDirectory:
    """The run with snapshots whose weights grow from zero to the network's own, at steps 0, 5 and 10."""
    network = run.network()
    own = network.model.state_dict()
    run.snapshot_path(10).unlink()
    for step in (0, 5, 10):
        weights = {
            key: value * (step / 10) if key.endswith("weight") and value.dim() > 1 else value
            for key, value in own.items()
        }
        if not whole:
            weights = dict(list(weights.items())[:1])
        path = run.snapshot_path(step, whole=whole)
        path.write_bytes(network_bytes(network, half=True, weights=weights))
    return run


def watched(past, shared, whole: bool) -> Watched:
    picture = session.sample("ship")
    layer = past.filters[-1].name
    maps = time_machine.strongest(shared, picture, layer)
    if not whole:
        return Watched(picture, layer, maps, "", 0, None)
    gallery = galleries(past.run.id, shared.network)["builtin"]
    return Watched(picture, layer, maps, "saliency", 1, time_machine.crowd(shared, gallery))


def test_a_history_tells_steps_epochs_and_changes(run):
    past = run_history.history(grown(run, whole=True))
    assert past.steps == (0, 5, 10)
    assert past.whole
    assert past.at(5) == "Step 5, epoch 1, 60 % of the validation pictures right"
    assert past.at(0) == "Step 0, epoch 0"
    titles = [course.title for course in past.courses]
    assert titles == ["Right answers", "Loss", "Change since the snapshot before", "Change since the start"]
    layers = past.courses[2].series
    assert [line.name for line in layers][:2] == ["features.0", "features.4"]
    for line in layers:
        assert line.values == pytest.approx([0, 1, 0.5], abs=1e-2)


def test_one_snapshot_is_no_history(run):
    assert run_history.history(run) is None


@pytest.mark.parametrize("whole", [True, False])
def test_a_film_has_every_moment_and_is_made_once(run, whole, monkeypatch):
    monkeypatch.setattr(time_machine, "PICTURES", 30)
    past = run_history.history(grown(run, whole))
    shared = session.load(run.id)
    wish = watched(past, shared, whole)
    told = []
    drawn = time_machine.film(past, shared, wish, LIGHT, lambda share, text: told.append(share))
    assert len(drawn) == 3
    assert told == sorted(told)
    assert drawn[0].filters != drawn[-1].filters
    assert len({moment.courses for moment in drawn}) == 3
    for moment in drawn:
        assert (moment.why is not None) == (moment.plane is not None) == whole
        assert moment.matrix is None  # crops have no classes
    assert time_machine.film(past, shared, wish, LIGHT, lambda *_: pytest.fail("made again")) is drawn
    assert shared.lock.length == 0


def test_another_method_asks_for_nothing_else_again(run, monkeypatch):
    monkeypatch.setattr(time_machine, "PICTURES", 30)
    past = run_history.history(grown(run, whole=True))
    shared = session.load(run.id)
    wish = watched(past, shared, True)
    time_machine.film(past, shared, wish, LIGHT, lambda *_: None)
    monkeypatch.setattr(time_machine, "_maps", lambda *_: pytest.fail("maps again"))
    monkeypatch.setattr(time_machine, "_together", lambda *_: pytest.fail("the crowd again"))
    other = Watched(wish.picture, wish.layer, wish.maps, "grad_cam", 1, wish.crowd)
    assert len(time_machine.film(past, shared, other, LIGHT, lambda *_: None)) == 3


def test_the_last_moment_is_the_network_itself(run, monkeypatch):
    monkeypatch.setattr(time_machine, "PICTURES", 30)
    past = run_history.history(grown(run, whole=True))
    shared = session.load(run.id)
    wish = watched(past, shared, True)
    moment = time_machine._moment(past, shared, 2, wish)
    top = answers.top(shared, wish.picture)
    assert moment.target == pytest.approx(next(one.probability for one in top if one.index == 1), abs=1e-2)
    exact = time_machine.strongest(shared, wish.picture, wish.layer)
    assert np.array_equal(wish.maps, exact)


def test_both_gifs_move(run, monkeypatch):
    monkeypatch.setattr(time_machine, "PICTURES", 30)
    past = run_history.history(grown(run, whole=True))
    shared = session.load(run.id)
    drawn = time_machine.film(past, shared, watched(past, shared, True), LIGHT, lambda *_: None)
    for data in (moving_pictures.filters_gif(past), moving_pictures.panel_gif(past, drawn, LIGHT)):
        with Image.open(BytesIO(data)) as moving:
            assert moving.n_frames == 3
            assert moving.info["loop"] == 0
    curves = Image.open(BytesIO(drawn[0].courses[0])).height
    with_them, without = (
        Image.open(BytesIO(moving_pictures.panel_gif(past, moments, LIGHT))).height
        for moments in (drawn, [replace(one, courses=()) for one in drawn])
    )
    assert with_them >= without + curves


def press(app, label: str) -> None:
    (button,) = [button for button in app.button if button.label == label]
    button.click().run()
    assert sound(app)


def test_the_page_plays_whole_snapshots(run, open_page, monkeypatch):
    monkeypatch.setattr(time_machine, "PICTURES", 30)
    app = open_page("time_machine", run=grown(run, whole=True).id)
    assert sound(app)
    assert HOSTILE not in texts(app)
    assert "Step 10, epoch 2" in texts(app)
    assert "last hidden layer as a plane" in texts(app)
    app.select_slider[0].set_value(0).run()
    assert sound(app)
    assert "Step 0, epoch 0" in texts(app)
    press(app, "Play")
    assert "Step 5, epoch 1" in texts(app)
    press(app, "Pause")
    assert "Step 5, epoch 1" in texts(app)
    press(app, "Play")
    assert "Step 10, epoch 2" in texts(app)  # the last one: it stands
    assert any(button.label == "Play" for button in app.button)


def test_the_moment_outlasts_a_look_at_another_page(run, open_page):
    app = open_page("time_machine", run=grown(run, whole=False).id)
    app.select_slider[0].set_value(0).run()
    app.switch_page("views/runs.py").run()
    app.switch_page("views/time_machine.py").run()
    assert sound(app)
    assert "Step 0, epoch 0" in texts(app)


def test_the_page_says_what_first_layers_cannot_show(run, open_page):
    app = open_page("time_machine", run=grown(run, whole=False).id)
    assert sound(app)
    assert "first layer alone" in texts(app)
    assert "last hidden layer as a plane" not in texts(app)


def test_a_network_without_snapshots_is_told_what_to_do(run, open_page):
    app = open_page("time_machine", run=run.id)
    assert not app.exception
    assert "no snapshots" in app.info[0].value


def test_a_snapshot_that_failed_is_a_sentence(run, open_page):
    grown(run, whole=True)
    network = run.network()
    broken = {key: value.clone() for key, value in network.model.state_dict().items()}
    broken["features.0.weight"].fill_(float("nan"))
    run.snapshot_path(10).write_bytes(network_bytes(network, half=True, weights=broken))
    app = open_page("time_machine", run=run.id)
    assert not app.exception
    assert app.error


def test_other_maps_of_the_same_layer_are_asked_for(run, monkeypatch):
    monkeypatch.setattr(time_machine, "PICTURES", 30)
    past = run_history.history(grown(run, whole=True))
    shared = session.load(run.id)
    wish = watched(past, shared, True)
    turned = replace(wish, maps=wish.maps[::-1].copy())
    one, other = (time_machine._moment(past, shared, 2, each) for each in (wish, turned))
    assert np.array_equal(one.maps[::-1], other.maps)


def test_snapshots_are_not_in_memory_at_once(run, monkeypatch):
    read = run_history.read_tensors
    alive = []

    def watching(path):
        state, header = read(path)
        assert all(one() is None for one in alive[:-1])  # beside this one at most the one before
        alive.append(weakref.ref(next(iter(state.values()))))
        return state, header

    monkeypatch.setattr(run_history, "read_tensors", watching)
    assert run_history.history(grown(run, whole=True)).steps == (0, 5, 10)
