"""Every page, on the first start and with a run; what bad input gets; what a stranger's names become."""

import io
import tomllib
import zipfile
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image

from alexnet_core import images
from alexnet_core.errors import ExplorerError
from alexnet_core.models import build
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.notes import Notes, write_notes
from alexnet_core.runs.states import RunState
from alexnet_core.training.recipes import RECIPES
from app import session
from app.anatomies import CLASSES, DRAWN
from app.sentences import plain

HOSTILE = "<b>*cat*</b> [x](javascript:1) `:red[1]`"
PROJECT = Path(__file__).resolve().parents[2]
PAGES = (
    "home", "architecture", "train", "look_inside", "units", "lesions", "neighbours", "time_machine", "explain",
    "break_it", "how_sure", "doctor", "runs", "your_pictures",
)  # fmt: skip


def texts(app):
    """All that the page says."""
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.error, app.metric)
    said = [str(element.value) for kind in kinds for element in kind]
    return "\n".join([*said, *(element.text for element in app.progress)])


def sound(app):
    """The page ran to its end without a bug, and without a sentence about something wrong."""
    return not app.exception and not app.error


@pytest.mark.parametrize("page", PAGES)
def test_first_start(home, open_page, page):
    app = open_page(page)
    assert sound(app)
    assert app.title


@pytest.mark.parametrize("page", PAGES)
def test_with_a_run(run, open_page, page):
    shared = session.load(run.id)
    first, without_lock = shared.network.model.features[0], []

    def look(layer, _):
        if layer is first and not shared.lock.length:  # copies, which need no lock, have this hook, too
            without_lock.append(page)

    hook = first.register_forward_pre_hook(look)
    app = open_page(page, run=run.id)
    hook.remove()
    assert sound(app)
    assert HOSTILE not in texts(app)
    assert not without_lock


def test_first_start_offers_what_to_do(home, open_page):
    app = open_page("look_inside")
    assert "minute" in app.info[0].value
    assert any(button.label == "Train a network" for button in app.button)


def test_home_has_three_doors(run, open_page):
    app = open_page("home")
    assert {button.label for button in app.button} >= {"Train a network", "Look inside a network", "Explain a picture"}


@pytest.mark.parametrize("network", DRAWN)
def test_every_network_of_our_own_is_drawn_and_counted(home, open_page, network):
    app = open_page("architecture", network=network)
    assert sound(app)
    parameters = sum(parameter.numel() for parameter in build(network, CLASSES.get(network, 1000)).parameters())
    assert f"{parameters:,} parameters" in texts(app)


def test_a_click_on_a_layer_shows_its_numbers(home, open_page):
    app = open_page("architecture", layer="features.3")
    assert "11,943,936" not in texts(app)
    assert "223,948,800" in texts(app)
    app.selectbox(key="layer").select("classifier.1").run()
    assert sound(app)
    assert "9,216 inputs × 4,096 units + 4,096 biases = 37,752,832" in texts(app)
    assert app.query_params["layer"] == "classifier.1"


def test_too_small_a_picture_names_the_layer(home, open_page):
    app = open_page("architecture")
    app.slider[0].set_value(40).run()
    assert not app.exception
    assert "too small" in app.error[0].value


def test_an_unknown_layer_in_the_address_falls_back(run, open_page):
    app = open_page("look_inside", run=run.id, layer="features.99")
    assert sound(app)
    assert app.query_params["layer"] == "features.2"


def test_two_runs_of_one_name_stay_two(run, open_page):
    for _ in range(2):
        RunDirectory.create(run.config().settings, run.config().data, title="Twins")
    labels = open_page("train").selectbox(key="run").options
    assert sum("Twins" in label for label in labels) == 2
    assert len(set(labels)) == len(labels)


def test_a_run_that_is_gone_falls_back(run, open_page):
    app = open_page("look_inside", run="no-such-run")
    assert sound(app)
    assert app.query_params["run"] == run.id
    assert "no\\-such\\-run" in app.toast[0].value


def test_a_renamed_run_is_called_by_its_new_name(run, open_page):
    before = open_page("home")
    assert plain(run.title()) in texts(before)
    lock = session.load(run.id).lock
    write_notes(run.path, Notes("The second try", ""))
    assert "The second try" in texts(open_page("home"))
    assert session.load(run.id).lock is lock


def test_the_layer_follows_the_choice(run, open_page):
    app = open_page("look_inside", run=run.id)
    layers = app.selectbox(key="layer").options
    app.selectbox(key="layer").set_value("features.8").run()
    assert sound(app)
    assert "96 maps" in texts(app)
    assert len(layers) > 10


def upload(app, name, data):
    app.segmented_control(key="source").set_value("upload").run()
    app.file_uploader[0].set_value((name, data, "image/png"))
    return app.run()


def test_an_uploaded_picture_is_kept_on_disk_by_its_content(run, home, open_page):
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(file, "PNG")
    app = upload(open_page("explain", run=run.id), f"{HOSTILE}.png", file.getvalue())
    assert sound(app)
    assert HOSTILE not in texts(app)
    (kept,) = (home / "uploads").iterdir()
    assert len(kept.name) == 64
    assert kept.read_bytes() == file.getvalue()


def test_an_upload_is_decoded_once_not_at_each_click(run, home, open_page, monkeypatch):
    read, decode = [], images.decode
    monkeypatch.setattr(images, "decode", lambda *given: read.append(given) or decode(*given))
    file = io.BytesIO()
    Image.new("RGB", (31, 29), "green").save(file, "PNG")
    app = upload(open_page("look_inside", run=run.id), "green.png", file.getvalue())
    before = len(read)
    assert before
    app.toggle(key="all_maps").set_value(True).run()
    assert sound(app)
    assert len(read) == before
    assert "green" in texts(app)
    app.file_uploader[0].set_value(("bad.png", b"no picture at all", "image/png")).run()
    assert "bad" in app.error[0].value


@pytest.mark.parametrize("data", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n" + b"0" * 50])
def test_a_bad_upload_is_one_sentence(run, home, open_page, data):
    app = upload(open_page("explain", run=run.id), "bad.png", data)
    assert not app.exception
    assert len(app.error) == 1
    assert "bad" in app.error[0].value
    assert not (home / "uploads").exists()


def test_slow_methods_wait_to_be_asked(run, open_page):
    app = open_page("explain", run=run.id)
    app.multiselect(key="compared_methods").set_value(["saliency", "integrated_gradients"]).run()
    assert len(app.get("download_button")) == 1
    app.button(key="compute-integrated_gradients-1").click().run()
    assert sound(app)
    assert len(app.get("download_button")) == 2


def test_imagenet_weights_are_fetched_only_when_asked(run, open_page, monkeypatch):
    def refuse(*_args, **_settings):
        raise OSError("no network in tests")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    app = open_page("explain", run="imagenet-alexnet")
    assert sound(app)
    next(button for button in app.button if button.label == "Fetch the weights").click()
    app.run()
    assert not app.exception
    assert "could not be fetched" in app.error[0].value


def test_a_finished_run_shows_its_mistakes(run, open_page):
    app = open_page("train", run=run.id)
    assert sound(app)
    assert "1 picture of" in texts(app)
    assert {metric.label for metric in app.metric} >= {"Validation top-1", "Test top-1", "Trained for"}
    app.selectbox(key=f"predicted-{run.id}").set_value(2).run()
    assert "No picture of" in texts(app)


def test_start_asks_for_what_the_form_says(home, open_page, monkeypatch):
    asked = []

    def start(settings, data, processes):
        asked.append((settings, data, processes))
        raise ExplorerError("Enough for a test.")

    monkeypatch.setattr("alexnet_core.runs.launcher.start", start)
    app = open_page("train")
    app.selectbox(key="new_recipe").set_value("filters").run()
    next(field for field in app.number_input if field.label == "Epochs").set_value(3)
    app.run()
    next(button for button in app.button if button.label == "Start training").click()
    app.run()
    assert not app.exception
    ((settings, data, processes),) = asked
    assert processes == 1
    assert (settings.epochs, settings.recipe, settings.model) == (3, "filters", "alexnet_mini")
    assert settings.weight_decay == RECIPES["filters"].settings["weight_decay"]
    assert data.title == "Digits"


def test_the_views_of_a_recipe_follow_what_a_person_says_of_mirroring(home, open_page, monkeypatch):
    asked = []

    def start(settings, data, processes):
        asked.append(settings)
        raise ExplorerError("Enough for a test.")

    monkeypatch.setattr("alexnet_core.runs.launcher.start", start)
    app = open_page("train")
    app.selectbox(key="new_recipe").set_value("lap").run()
    assert app.selectbox(key="set-views-lap-one").value == "one"  # of digits no mirror images
    app.toggle(key="set-reflect-lap-False").set_value(True).run()
    assert app.selectbox(key="set-views-lap-ten").value == "ten"
    next(button for button in app.button if button.label == "Start training").click().run()
    app.selectbox(key="set-views-lap-ten").set_value("one").run()
    next(button for button in app.button if button.label == "Start training").click().run()
    assert not app.exception
    assert [(settings.reflect, settings.views) for settings in asked] == [(True, "ten"), (True, "one")]


def test_the_time_is_estimated_once_and_else_when_asked(home, open_page, estimates):
    app = open_page("train")
    assert "About 42 s" in texts(app)
    app.run()
    assert len(estimates) == 1
    app.selectbox(key="new_recipe").set_value("filters").run()
    assert "About" not in texts(app)
    assert len(estimates) == 1
    next(button for button in app.button if button.label == "Estimate the time").click().run()
    assert "About 42 s" in texts(app)
    assert estimates[1].recipe == "filters"


def test_own_pictures_come_in_a_zip(home, open_page):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("toys/blue/*broken*.png", b"no picture")
        for shade in range(6):
            for name, colour in (("red & <b>", (200 + shade, 0, 0)), ("blue", (0, 0, 200 + shade))):
                picture = io.BytesIO()
                Image.new("RGB", (40, 30), colour).save(picture, "PNG")
                archive.writestr(f"toys/{name}/{shade}.png", picture.getvalue())
    app = open_page("train")
    app.selectbox(key="new_data").set_value("own").run()
    app.file_uploader[0].set_value(("../my toys.zip", packed.getvalue(), "application/zip"))
    app.run()
    next(button for button in app.button if button.label == "Prepare and look").click().run()
    assert sound(app)
    assert "to train on" in texts(app)
    assert not any("not prepared" in info.value for info in app.info)
    assert "One file could not be used" in app.warning[0].value
    assert r"\*broken\*" in app.warning[0].value
    assert [path.name for path in (home / "uploads").glob("*/*")] == ["my-toys.zip"]


def test_too_small_pictures_are_refused_before_the_start(home, open_page):
    app = open_page("train")
    app.selectbox(key="new_model").set_value("alexnet").run()
    app.number_input(key="new_size-digits").set_value(62).run()
    assert not app.exception
    assert "too small" in app.error[0].value
    assert not any(button.label == "Start training" for button in app.button)


def test_the_side_of_the_pictures_outlasts_a_look_at_another_page(home, open_page):
    app = open_page("train")
    app.number_input(key="new_size-digits").set_value(48).run()
    app.switch_page("views/runs.py").run()
    app.switch_page("views/train.py").run()
    assert app.number_input(key="new_size-digits").value == 48


def test_every_setting_has_a_help(home, open_page):
    app = open_page("train")
    for field in (*app.number_input, *app.selectbox, *app.toggle, *app.button):
        assert field.help, field.label


@pytest.mark.parametrize(
    ("status", "wanted"),
    [("running", {"Pause", "Stop"}), ("paused", {"Stop"}), ("queued", {"Stop"}), ("interrupted", {"Resume"})],
)
def test_a_run_offers_what_can_be_asked_of_it(run, open_page, status, wanted):
    run.write_state(RunState.of_this_process(status, "Waiting for *another* run to end."))
    app = open_page("train", run=run.id)
    assert sound(app)
    assert {button.label for button in app.button} == wanted
    assert r"Waiting for \*another\* run" in texts(app)


def test_pause_and_resume_are_wishes(run, open_page):
    run.write_state(RunState.of_this_process("running"))
    app = open_page("train", run=run.id)
    app.button[0].click().run()
    assert run.wishes() == {"PAUSE"}
    next(button for button in app.button if button.label == "Resume").click().run()
    assert run.wishes() == set()


def test_a_run_in_ruins_is_a_sentence(run, open_page):
    (run.path / "evaluation.npz").write_bytes(b"half a file")
    app = open_page("train", run=run.id)
    assert not app.exception
    assert "damaged" in app.error[0].value


def test_names_from_strangers_are_letters():
    assert plain("<b>*x* :red[y] `z` $a$</b>") == r"\<b\>\*x\* \:red\[y\] \`z\` \$a\$\</b\>"
    assert plain("one\n\n# two") == r"one \# two"


def test_no_collection_after_every_click():
    # Hidden in Streamlit; without it, thirty browsers wait eight seconds for a refresh.
    assert st.get_option("runner.postScriptGC") is False


def test_figures_have_the_colours_of_the_theme():
    # With fewer than ten Plotly falls back to its own colours; the tenth is the text's.
    theme = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    for mode in ("light", "dark"):
        assert len(theme[mode]["chartCategoricalColors"]) == 10
        assert theme[mode]["chartCategoricalColors"][9] == theme[mode]["textColor"]
