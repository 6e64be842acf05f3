"""How sure is it: spreads, calibration from the run's file and from a data set, and pictures of nothing."""

from dataclasses import replace

import numpy as np
import pytest

from alexnet_core.data.sources import prepare
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen, save_network
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.directory import RunDirectory
from app import session
from app.doubting import sureness
from app.figures.reliability import reliability_diagram
from app.figures.spread import spread
from tests.app.conftest import HOSTILE
from tests.insight.small_networks import traces
from tests.pictures import class_files, make_folder


def texts(app):
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.warning, app.error, app.metric)
    said = [str(element.value) for kind in kinds for element in kind]
    return "\n".join([*said, *(element.text for element in app.progress)])


def sound(app):
    return not app.exception and not app.error


@pytest.fixture
def with_data(home, run, tmp_path):
    """The run's network with the classes of a prepared folder."""
    prepared = prepare(make_folder(tmp_path / "pets", class_files(images=20)), image_size=32)
    model = frozen(build("alexnet_mini", len(prepared.classes), 32))
    save_network(run.network_path, Network("alexnet_mini", model, prepared.classes, Preprocessing(32, 32)))
    return run


def test_it_opens_with_a_spread_a_diagram_and_strangers(run, open_page):
    app = open_page("how_sure", run=run.id)
    assert sound(app)
    said = texts(app)
    assert HOSTILE not in said
    assert len(app.get("plotly_chart")) == 2
    assert "last examination, on its 4 test pictures" in said
    assert "Coloured noise" in said
    assert "none of these" in said


def test_dropout_asks_many_networks(run, open_page):
    app = open_page("how_sure", run=run.id)
    app.segmented_control(key="way_to_ask").set_value("samples").run()
    assert sound(app)
    assert "50 times" in texts(app)


def test_a_network_without_dropout_says_so(run, open_page):
    model = frozen(build("alexnet_mini", 3, 32, dropout=0.0))
    save_network(
        run.network_path,
        Network("alexnet_mini", model, ("a", "b", "c"), Preprocessing(32, 32), {"dropout": 0.0}),
    )
    app = open_page("how_sure", run=run.id)
    app.segmented_control(key="way_to_ask").set_value("samples").run()
    assert sound(app)
    assert "no dropout" in texts(app)


def test_without_data_and_without_an_examination_nothing_is_claimed(run, open_page):
    (run.path / "evaluation.npz").unlink()
    app = open_page("how_sure", run=run.id)
    assert sound(app)
    assert "nothing to judge" in texts(app)


def test_a_temperature_is_fitted_on_some_pictures_and_judged_on_others(with_data, open_page):
    app = open_page("how_sure", run=with_data.id)
    next(button for button in app.button if button.label == "Fit a temperature").click().run()
    assert sound(app)
    assert [metric.label for metric in app.metric] == [
        "Temperature",
        "Calibration error, as it is",
        "Calibration error, with the temperature",
    ]
    assert "others of" in texts(app)
    assert "For the present picture" in texts(app)
    assert not any(button.label == "Fit a temperature" for button in app.button)


def test_the_halves_of_one_split_share_no_picture(with_data, monkeypatch):
    shared = session.load(with_data.id)
    fit, judge = sureness.splits(shared, with_data.id)
    assert judge is None
    fitted, judged = [], []
    monkeypatch.setattr(
        "app.doubting.sureness.calibration.fit_temperature", lambda logits, labels: fitted.append(logits) or 2.0
    )
    monkeypatch.setattr("app.doubting.sureness._judged", lambda logits, labels, temperature: judged.append(logits))
    sureness.fitted(shared, fit, None, lambda share: None)
    rows = len(fitted[0]) + len(judged[0])
    assert rows == len(fit)
    assert not {tuple(row.tolist()) for row in fitted[0]} & {tuple(row.tolist()) for row in judged[0]}


def test_a_mirror_image_is_no_view_of_a_digit(run, monkeypatch):
    shared = session.load(run.id)
    settings = run.config().settings
    for reflect, count in ((True, 10), (False, 5)):
        sureness._kept.clear()
        config = replace(run.config(), settings=replace(settings, reflect=reflect))
        monkeypatch.setattr(RunDirectory, "config", lambda _, config=config: config)
        cut, answers = sureness.crops(shared, session.sample("ship"))
        assert len(cut) == len(answers.probabilities) == count


def test_answers_that_a_click_interrupted_are_kept(with_data, monkeypatch):
    monkeypatch.setattr("app.doubting.sureness.calibration.BATCH", 2)
    shared = session.load(with_data.id)
    fit, _ = sureness.splits(shared, with_data.id)

    def left(share):
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sureness.fitted(shared, fit, None, left)
    told = []
    found = sureness.fitted(shared, fit, None, told.append)
    assert told[0] > 0.3
    sureness._kept.clear()
    assert sureness.fitted(shared, fit, None, lambda share: None).temperature == pytest.approx(found.temperature)


def test_the_recorded_answers_are_the_runs_own(run):
    found = sureness.recorded(run.id)
    assert (found.split, found.count, found.views) == ("test", 4, "one")
    # 0.9 and 0.8 and 0.7 right, 0.6 wrong: gaps of 0.1, 0.2, 0.3 and 0.6.
    assert found.reliability.error == pytest.approx(1.2 / 4, abs=1e-3)
    assert sureness.recorded("imagenet-alexnet") is None
    assert sureness.recorded("no-such-run") is None


def test_a_temperature_changes_probabilities_as_it_does_through_the_logits():
    logits = np.array([3.0, 1.0, -2.0])
    alone, halved = (np.exp(values) / np.exp(values).sum() for values in (logits, logits / 2))
    assert sureness.tempered(alone, 2.0) == pytest.approx(halved)
    assert sureness.tempered(np.array([1.0, 0.0], np.float32), 0.5).sum() == pytest.approx(1)


def test_strangers_are_asked_and_nothing_is_left_behind(run):
    shared = session.load(run.id)
    before = traces(shared.network.model)
    found = sureness.strange(shared)
    assert len(found) == 6
    assert all(1 / 3 <= one.probability <= 1 for one in found)
    sureness.crops(shared, session.sample("ship"))
    sureness.samples(shared, session.sample("ship"))
    assert traces(shared.network.model) == before


def test_the_figures_say_what_they_show():
    nan = float("nan")
    line = ("<b>", np.array([nan, 0.6]), np.array([nan, 0.5]), np.array([0, 10]))
    fig = reliability_diagram([line, line])
    assert list(fig.data[1].x) == [0.6]
    assert "<b>" not in fig.data[1].name
    assert {trace.marker.symbol for trace in fig.data[1:]} == {"diamond", "circle"}
    dots = spread(["<i>", "b"], np.array([[0.9, 0.1], [0.7, 0.3]]), [0.85, 0.15])
    assert list(dots.data[0].x) == [0.9, 0.7, 0.1, 0.3]
    assert list(dots.data[1].x) == pytest.approx([0.8, 0.2])
    assert "<i>" not in dots.layout.yaxis.ticktext[0]
