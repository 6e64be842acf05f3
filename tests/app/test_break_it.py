"""Break it: distortions and attacks on a page, with and without a data set."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from alexnet_core.data.sources import prepare
from alexnet_core.errors import ExplorerError
from alexnet_core.insight.adversarial import EPSILONS
from alexnet_core.insight.distortions import DISTORTIONS, Box, probabilities
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen, save_network
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.directory import RunDirectory
from app import session
from app.doubting import breaking, distortion_panel
from app.figures.against_strength import Shares, against_strength
from app.figures.box import picture_to_box
from tests.app.conftest import CLASSES, HOSTILE
from tests.insight.small_networks import traces
from tests.pictures import class_files, make_folder


def texts(app):
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.warning, app.error)
    said = [str(element.value) for kind in kinds for element in kind]
    return "\n".join([*said, *(element.text for element in app.progress)])


def sound(app):
    return not app.exception and not app.error


@pytest.fixture
def shared(run):
    return session.load(run.id)


def test_it_opens_with_the_picture_worse_and_a_curve(run, open_page):
    app = open_page("break_it", run=run.id)
    assert sound(app)
    assert len(app.get("imgs")) + len(app.get("image")) >= 3
    assert app.get("plotly_chart")
    assert HOSTILE not in texts(app)
    assert "Prepare it on the page Train" in texts(app)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_every_distortion_and_its_strongest_level(run, open_page, name):
    app = open_page("break_it", run=run.id)
    app.selectbox(key="distortion").set_value(name).run()
    last = len(DISTORTIONS[name].levels) - 1
    app.select_slider(key=f"strength-{name}").set_value(last).run()
    assert sound(app)
    assert DISTORTIONS[name].does in texts(app)


def test_the_map_follows_the_picture_and_keeps_to_what_was_seen_in_the_untouched_one(
    run, shared, open_page, monkeypatch
):
    asked, explained = [], breaking.explained

    def noted(shared, pixels, key, method, target):
        asked.append((pixels, method, target))
        return explained(shared, pixels, key, method, target)

    monkeypatch.setattr(breaking, "explained", noted)
    app = open_page("break_it", run=run.id)
    app.selectbox(key="distortion").set_value("noise").run()
    app.selectbox(key="broken_method").set_value("grad_cam").run()
    found = breaking.series(shared, session.sample("ship"), "noise", Box())
    for level in (0, len(found.squares) - 1):
        app.select_slider(key="strength-noise").set_value(level).run()
        assert sound(app)
        pixels, method, target = asked[-1]
        assert np.array_equal(pixels, found.squares[level])
        assert (method, target) == ("grad_cam", found.probabilities[0].argmax())


def test_the_sliders_move_the_box(run, open_page):
    app = open_page("break_it", run=run.id)
    app.selectbox(key="distortion").set_value("box").run()
    app.slider(key="box_x").set_value(10).run()
    app.slider(key="box_width").set_value(90).run()
    assert sound(app)
    assert app.session_state["box_x"] == 10


def test_a_dragged_box_sets_the_sliders(monkeypatch):
    state = {"dragged": {"selection": {"box": [{"x": [0.8, 0.4], "y": [-0.2, 0.5]}]}}}
    monkeypatch.setattr("app.doubting.distortion_panel.st.session_state", state)
    distortion_panel._dragged()
    assert state | {"dragged": None} == {
        "dragged": None,
        "box_x": 60,
        "box_width": 40,
        "box_y": 25,
        "box_height": 50,
    }
    state["dragged"]["selection"]["box"] = []
    distortion_panel._dragged()
    assert state["box_x"] == 60


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_an_attack_and_its_verdict(run, open_page, kind):
    app = open_page("break_it", run=run.id)
    app.segmented_control(key="way_to_break").set_value("attack").run()
    app.segmented_control(key="attack").set_value(kind).run()
    app.select_slider(key="epsilon").set_value(len(EPSILONS) - 1).run()
    assert sound(app)
    said = texts(app)
    assert "still the same thing" in said or "attack failed" in said
    app.select_slider(key="epsilon").set_value(0).run()
    assert "Untouched, it says" in texts(app)


def test_the_attacked_file_is_looked_at_as_the_very_same_square(shared):
    picture = session.sample("ship")
    found = breaking.attacks(shared, picture, "pgd", None, lambda share: None)
    assert [one.epsilon for one in found] == list(EPSILONS)
    file = BytesIO()
    breaking.whole_file(shared, found[-1].pixels).save(file, "PNG")
    again = session.brought(file.getvalue(), "attacked.png")
    assert np.array_equal(breaking.seen(shared, again), found[-1].pixels)


def test_what_was_computed_is_kept_and_leaves_no_trace(shared, monkeypatch):
    before, picture = traces(shared.network.model), session.sample("ship")
    first = breaking.series(shared, picture, "noise", Box())
    shares = []
    breaking.attacks(shared, picture, "fgsm", None, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    breaking.explained(shared, first.squares[3], ("key",), "saliency", 0)
    assert traces(shared.network.model) == before
    monkeypatch.setattr("app.doubting.breaking.distortions.probabilities", None)
    assert breaking.series(shared, picture, "noise", Box()) is first


@pytest.fixture
def with_data(home, run, tmp_path):
    """The run's network with the classes of a prepared folder."""
    folder = make_folder(tmp_path / "pets", class_files(images=20))
    prepared = prepare(folder, image_size=32)
    model = frozen(build("alexnet_mini", len(prepared.classes), 32))
    save_network(run.network_path, Network("alexnet_mini", model, prepared.classes, Preprocessing(32, 32)))
    return RunDirectory.find(run.id)


def test_accuracy_over_the_pictures_of_the_data_set(with_data, open_page):
    app = open_page("break_it", run=with_data.id)
    assert sound(app)
    button = next(button for button in app.button if button.label.startswith("Measure on"))
    button.click().run()
    assert sound(app)
    assert len(app.get("plotly_chart")) == 2
    assert "spread evenly" in texts(app)


def test_untouched_pictures_are_all_right_where_the_labels_are_the_answers(with_data):
    shared = session.load(with_data.id)
    found = breaking.labelled(shared, with_data.id)
    assert found.title.endswith("val")
    said = probabilities(shared.network, found.images[np.arange(len(found))]).argmax(axis=1)
    gallery = replace(found, key="answers", labels=said)
    told = []
    shares = breaking.accuracies(shared, gallery, "noise", Box(), told.append)
    assert len(shares) == 11
    assert told == pytest.approx([place / 11 for place in range(12)])
    assert shares[0] == 1
    assert all(0 <= share <= 1 for share in shares)


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_accuracy_of_attacked_pictures(with_data, open_page, kind):
    app = open_page("break_it", run=with_data.id)
    app.segmented_control(key="way_to_break").set_value("attack").run()
    app.segmented_control(key="attack").set_value(kind).run()
    next(button for button in app.button if button.label.startswith("Measure on")).click().run()
    assert sound(app)
    assert len(app.get("plotly_chart")) == 2
    assert "spread evenly" in texts(app)


def test_all_pictures_in_pieces_are_all_pictures_at_once(with_data, monkeypatch):
    shared = session.load(with_data.id)
    gallery = breaking.labelled(shared, with_data.id)
    # Blur has no chance in it, which would be drawn anew for each piece.
    whole = breaking.accuracies(shared, gallery, "blur", Box(), lambda share: None, len(gallery))
    monkeypatch.setattr(breaking, "AT_ONCE", 3)
    told = []
    pieces = breaking.accuracies(shared, gallery, "blur", Box(), told.append, len(gallery) + 1)
    assert pieces == pytest.approx(whole, abs=1.5 / len(gallery))  # other batches round otherwise
    assert told == sorted(told)
    assert told[-1] == 1


def test_a_measurement_that_a_click_interrupted_goes_on(with_data, monkeypatch):
    monkeypatch.setattr(breaking, "AT_ONCE", 2)
    shared = session.load(with_data.id)
    gallery = breaking.labelled(shared, with_data.id)
    whole = breaking.accuracies(shared, gallery, "blur", Box(), lambda share: None)
    breaking._measured.clear()

    def left(share):
        if share > 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaking.accuracies(shared, gallery, "blur", Box(), left)
    told = []
    assert breaking.accuracies(shared, gallery, "blur", Box(), told.append) == pytest.approx(whole)
    assert told[0] > 0


def test_a_measurement_can_be_stopped(with_data, open_page, monkeypatch):
    def interrupted(shared, gallery, name, box, progress, most):
        progress(0.1)
        raise ExplorerError("Interrupted.")

    monkeypatch.setattr(breaking, "accuracies", interrupted)
    app = open_page("break_it", run=with_data.id)
    next(button for button in app.button if button.label.startswith("Measure on")).click().run()
    next(button for button in app.button if button.label == "Stop").click().run()
    assert sound(app)
    assert any(button.label.startswith("Measure on") for button in app.button)


def test_maps_push_no_measurement_out(with_data):
    shared = session.load(with_data.id)
    gallery = breaking.labelled(shared, with_data.id)
    breaking.accuracies(shared, gallery, "blur", Box(), lambda share: None)
    for number in range(50):
        breaking._kept().get(("map", number), list)
    breaking.accuracies(shared, gallery, "blur", Box(), lambda share: pytest.fail("It was measured before."))


def test_the_figures_say_what_they_show():
    fig = against_strength(["0", "1"], [Shares("<b>", [1, 0.5], ["it says <i>", ""])], "probability", 1, "px")
    assert list(fig.data[0].y) == [1, 0.5]
    assert "<b>" not in fig.data[0].name
    assert fig.layout.shapes[0].x0 == 1
    box = picture_to_box(Image.new("RGB", (8, 8)), (0.1, 0.2, 0.3, 0.4))
    assert box.layout.dragmode == "select"
    shape = box.layout.shapes[0]
    assert (shape.x0, shape.y0, shape.x1, shape.y1) == (0.1, 0.2, 0.3, 0.4)
    assert len(CLASSES) == 3
