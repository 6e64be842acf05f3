"""The honesty panel in a page of its own: every test of a map, for quick and slow methods, with and without a
control."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from alexnet_core.errors import ExplorerError
from alexnet_core.insight import prediction
from alexnet_core.insight.attribution import ATTRIBUTIONS
from alexnet_core.insight.prediction import ClassProbability
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen, save_network
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.directory import RunDirectory
from app import answers, session
from app.answers import Asked
from app.explaining import honesty_checks, one_map
from app.figures.likeness import likeness
from app.figures.two_orders import two_orders
from app.waiting import before_you, tell_as_usual
from tests.app.conftest import CLASSES, HOSTILE
from tests.insight.small_networks import traces

TESTS = ("scramble", "pixels", "faithful", "runner_up", "shuffled")
SLOW = next(name for name, method in ATTRIBUTIONS.items() if method.slow)


def page(run_id, method):
    """What a page does: the panel in a container."""
    import streamlit as st

    from app import session
    from app.explaining.honesty_panel import honesty_panel

    with st.container():
        honesty_panel(session.load(run_id), session.sample("ship"), method, 0, "one")


def opened(run, method="saliency"):
    return AppTest.from_function(page, args=(run.id, method), default_timeout=60).run()


def below_the_maps():
    """A page of the fragment alone, where nothing else catches a mistake."""
    from types import SimpleNamespace

    from app.explaining import one_map
    from app.explaining.map_look import Look

    one_map.show([SimpleNamespace(question=SimpleNamespace(label="Saliency"))], [], Look())


def test_what_a_person_can_put_right_below_the_maps_is_a_sentence(monkeypatch):
    def gone(*_):
        raise ExplorerError("The picture is not here any more; choose it again.")

    monkeypatch.setattr(one_map, "_values", gone)
    app = AppTest.from_function(below_the_maps, default_timeout=60).run()
    assert not app.exception
    assert "choose it again" in app.error[0].value


def test_who_waits_below_the_maps_is_told(monkeypatch):
    monkeypatch.setattr("app.waiting.BEAT", 0.0)
    monkeypatch.setattr(one_map, "_values", lambda *_: tell_as_usual(1))
    app = AppTest.from_function(below_the_maps, default_timeout=60).run()
    assert not app.exception
    assert any(before_you(1) in caption.value for caption in app.caption)


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.metric)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def sound(app):
    return not app.exception and not app.error


def test_who_waits_for_the_scrambling_of_others_is_told_and_can_go_away(run):
    class Left(Exception):
        pass

    def leave():
        raise Left

    asked = Asked(session.load(run.id), session.sample("ship"), "saliency", 0)
    with honesty_checks._one_copy().turn(), pytest.raises(Left):
        honesty_checks.scrambled(asked, pytest.fail, leave)
    assert honesty_checks._one_copy().length == 0


@pytest.mark.parametrize("test", TESTS)
def test_each_test_says_something_about_a_quick_method(run, test):
    app = opened(run)
    app.segmented_control(key="honesty-one").set_value(test).run()
    assert sound(app)
    assert HOSTILE not in texts(app)
    words = {
        "scramble": "Structural similarity there",
        "pixels": "order",
        "faithful": "computed by Captum",
        "runner_up": "Rank correlation",
        "shuffled": "recipe “By heart”",
    }
    assert words[test] in texts(app)


def test_a_slow_method_waits_to_be_asked(run, monkeypatch):
    monkeypatch.setattr("app.explaining.honesty_checks.scrambled", lambda *_: pytest.fail("not asked yet"))
    app = opened(run, SLOW)
    assert sound(app)
    assert [button.label for button in app.button] == ["Scramble the network"]


def test_the_other_methods_beside_it(run, monkeypatch):
    monkeypatch.setattr("app.explaining.honesty_checks.rivals", lambda asked: ["grad_cam"])
    app = opened(run)
    app.segmented_control(key="honesty-one").set_value("pixels").run()
    app.toggle(key="rivals-one").set_value(True).run()
    assert sound(app)
    assert "Grad-CAM" in str(app.table[0].value)


@pytest.fixture
def asked(run):
    return Asked(session.load(run.id), session.sample("ship"), "saliency", 0)


def test_rivals_are_quick_and_others(asked):
    found = honesty_checks.rivals(asked)
    assert "grad_cam" in found
    assert asked.method not in found
    assert not any(ATTRIBUTIONS[name].slow for name in found)
    answers.explained(replace(asked, method=SLOW))
    assert SLOW in honesty_checks.rivals(asked)


def test_the_shared_network_is_left_as_it_was(asked):
    before = traces(asked.shared.network.model)
    shares = []
    steps = honesty_checks.scrambled(asked, shares.append, pytest.fail)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(steps) == len(shares)
    honesty_checks.own_curves(asked)
    assert len(honesty_checks.chance_curves(asked, lambda share: None)) == honesty_checks.RANDOM_ORDERS
    honesty_checks.infidelity(asked)
    assert honesty_checks.sensitivity(asked) >= 0
    assert traces(asked.shared.network.model) == before
    assert honesty_checks.scrambled(asked, pytest.fail, pytest.fail) is steps


def test_what_is_asked_of_many_networks_takes_the_steps_asked_for_and_no_more(asked):
    question = replace(asked, method="integrated_gradients", settings=(("steps", 4), ("quadrature", "riemann_middle")))
    found = honesty_checks.explaining(question)(asked.shared.network, asked.picture.image)
    assert found.facts["n_steps"] == 4
    assert answers.explained(question).facts["n_steps"] > 4


def test_the_runner_up_is_the_most_probable_other_class(asked):
    other = honesty_checks.runner_up(asked)
    assert other.explained.target != asked.target
    assert -1 <= other.correlation <= 1
    ahead = honesty_checks.runner_up(replace(asked, target=other.explained.target))
    assert ahead.explained.target != other.explained.target


def test_a_question_between_two_classes_stays_one(run, asked):
    between = replace(asked, against=1)
    assert honesty_checks.own_curves(between) is not honesty_checks.own_curves(asked)
    own, chance = honesty_checks.own_curves(between), honesty_checks.chance_curves(between, lambda share: None)
    classes = asked.shared.network.classes
    logits = prediction.logits(asked.shared.network, [asked.picture.image])[0, [0, 1]]
    assert own.deletion.probabilities[0] == pytest.approx(float(logits.softmax(0)[0]), abs=1e-4)
    assert chance[0].deletion.probabilities[0] == own.deletion.probabilities[0]
    other = honesty_checks.runner_up(between).asked
    assert other.against == 1
    assert other.target not in (0, 1)
    nonsense = honesty_checks.of_shuffled(between, control(run, tuple(reversed(CLASSES)))).asked
    assert nonsense.target_name == between.target_name == f"{classes[0]} rather than {classes[1]}"


def test_of_two_classes_there_is_no_third(asked, monkeypatch):
    only_two = [ClassProbability(name, index, 0.5) for index, name in enumerate(CLASSES[:2])]
    monkeypatch.setattr(answers, "top", lambda shared, picture: only_two)
    assert honesty_checks.runner_up(replace(asked, against=1)) is None


def control(run, classes=CLASSES):
    settings = replace(run.config().settings, shuffle_labels=True)
    made = RunDirectory.create(settings, run.config().data, title="Nonsense")
    model = frozen(build("alexnet_mini", len(classes), 32))
    save_network(made.network_path, Network("alexnet_mini", model, classes, Preprocessing(32, 32)))
    return made


def test_a_run_with_shuffled_labels_is_the_control(run, asked):
    assert honesty_checks.shuffled_run(asked.shared) is None
    made = control(run, tuple(reversed(CLASSES)))
    assert honesty_checks.shuffled_run(asked.shared).id == made.id
    other = honesty_checks.of_shuffled(asked, made)
    assert other.explained.target_name == CLASSES[0]
    app = opened(run)
    app.segmented_control(key="honesty-one").set_value("shuffled").run()
    assert sound(app)
    assert "Rank correlation" in texts(app)


def test_a_control_of_other_classes_is_none(run, asked):
    control(run, ("a", "b", "c"))
    assert honesty_checks.shuffled_run(asked.shared) is None


def test_a_control_that_is_damaged_is_passed_over(run, asked):
    sound_one, newer = control(run), control(run)
    newer.network_path.write_bytes(b"no network")
    assert honesty_checks.shuffled_run(asked.shared).id == sound_one.id


def test_the_figures_say_what_they_show(asked):
    own = honesty_checks.own_curves(asked).deletion
    fig = two_orders(own.shares, ("<b>", own.probabilities), [own.probabilities, own.probabilities + 0.1], [], "gone")
    assert "<b>" not in fig.data[-1].name
    assert list(fig.data[0].y) == pytest.approx(list(own.probabilities + 0.1))
    assert list(fig.data[2].y) == pytest.approx(list(own.probabilities + 0.05))
    steps = likeness(["trained", "1", "2"], [1, None, 0.2], [1, 0.5, 0.1])
    assert list(steps.data[0].y) == [1, 0.5, 0.1]
    assert steps.layout.shapes[0].x0 == 1
