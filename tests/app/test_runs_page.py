"""The page Runs: what it shows, renames, compares, deletes, repeats, takes home and brings in."""

import dataclasses
import json

import pytest
import torch
from test_pages import sound, texts

from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen, network_bytes, save_network
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs import directory, launcher, trash
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.imports import import_network
from alexnet_core.runs.listing import list_runs, summary
from alexnet_core.runs.notes import Notes, write_notes
from alexnet_core.runs.settings_file import Request, request_of, to_json, to_link
from alexnet_core.runs.states import RunState
from alexnet_core.training.config import TrainConfig, label
from alexnet_core.training.events import Started, StepDone
from app.runs import again, compared, rows, taking_home

HOSTILE = "<b>*cat*</b> [x](javascript:1) `:red[1]`"


def labels(app):
    return [button.label for button in app.button]


def click(app, label):
    next(button for button in app.button if button.label == label).click()
    return app.run()


def network(classes=("a", "b", HOSTILE), size=32):
    model = frozen(build("alexnet_mini", len(classes), size))
    return Network("alexnet_mini", model, classes, Preprocessing(size, size))


@pytest.fixture
def others(run):
    """Nine more runs with curves."""
    made = []
    for number in range(9):
        path = run.path.parent / f"20260101-other-{number}"
        other = RunDirectory.create(run.config().settings, run.config().data, path, f"Other {number}")
        (other.path / "metrics.jsonl").write_bytes((run.path / "metrics.jsonl").read_bytes())
        other.write_state(RunState("finished"))
        made.append(other)
    return made


def test_the_first_start_says_what_to_do(home, open_page):
    app = open_page("runs")
    assert sound(app)
    assert "Train a network" in labels(app)


def test_a_run_is_shown_and_its_names_are_letters(run, open_page):
    write_notes(run.path, Notes(HOSTILE, f"{HOSTILE}\nsecond line"))
    app = open_page("runs", open=run.id)
    assert sound(app)
    assert HOSTILE not in texts(app) + "".join(box.label for box in app.checkbox)
    assert "50.0 %** of the test right" in texts(app)
    assert app.query_params["compare"] == run.id


def test_the_address_says_what_is_compared(run, others, open_page):
    app = open_page("runs", compare=f"{others[1].id},{run.id},no-such-run,../../x")
    assert sound(app)
    assert "not here any more" in app.toast[0].value
    assert app.query_params["compare"] == f"{others[1].id},{run.id}"
    app.checkbox(key=f"compare-{run.id}").uncheck().run()
    assert app.query_params["compare"] == others[1].id
    app.checkbox(key=f"compare-{others[2].id}").check().run()
    assert app.query_params["compare"] == f"{others[1].id},{others[2].id}"
    for other in others[1:3]:
        app.checkbox(key=f"compare-{other.id}").uncheck().run()
    assert sound(app)
    assert "compare" not in app.query_params
    assert "Tick runs" in app.info[0].value


def test_no_more_are_compared_than_can_be_told_apart(run, others, open_page):
    app = open_page("runs", compare=",".join(other.id for other in others))
    assert len(app.query_params["compare"].split(",")) == 8
    assert app.checkbox(key=f"compare-{run.id}").disabled


@pytest.mark.parametrize("axis", ["step", "epoch", "time"])
def test_curves_along_each_axis_with_and_without_smoothing(run, open_page, axis):
    app = open_page("runs")
    app.segmented_control(key="overlay_axis").set_value(axis)
    for measure in app.selectbox(key="overlay_measure").options:
        app.selectbox(key="overlay_measure").select(measure)
        app.segmented_control(key="overlay_smoothing").set_value(0.9)
        assert sound(app.run())
        assert len(app.get("plotly_chart")) == 1, measure


def test_a_run_in_its_first_epoch_stands_where_it_is(home):
    run = RunDirectory.create(TrainConfig(epochs=2, batch_size=8), DataIdentity("", "toys", "Toys", "0" * 64))
    run.append_event(Started(epochs=2, steps=2000, train_images=8000, val_images=800, parameters=1000))
    for step in (100, 250):
        run.append_event(StepDone(step=step, epoch=1, train_loss=1.0, lr=0.01))
    (course,) = compared.courses([summary(run)], [run.id], "train_loss", "epoch")
    assert course.at == [0.1, 0.25]


def test_a_search_and_an_order(run, others, open_page):
    app = open_page("runs")
    app.text_input(key="runs_search").set_value("other 7").run()
    assert [box.key for box in app.checkbox] == [f"compare-{others[7].id}"]
    app.text_input(key="runs_search").set_value("nothing like it").run()
    assert "No run holds" in app.info[-1].value


def test_a_name_and_a_note_are_kept(run, open_page):
    app = open_page("runs", open=run.id)
    app.text_input[1].set_value("My *best*")
    app.text_area[0].set_value("lr was too high")
    click(app, "Save")
    assert sound(app)
    assert RunDirectory.find(run.id).title() == "My *best*"
    assert json.loads((run.path / "config.json").read_text())["title"] == ""
    assert "lr was too high" in texts(app)


def test_a_long_note_ends_behind_a_word():
    note = "The loss jumped about in the second epoch. " * 9
    shown = rows.beginning(note)
    assert shown.endswith(" …")
    assert len(shown) <= rows.NOTE_SHOWN
    assert set(shown.removesuffix(" …").split()) <= set(note.split())
    assert rows.beginning("x" * 300) == "x" * rows.NOTE_SHOWN + "…"
    assert rows.beginning("Short.\nTwo lines.") == "Short. Two lines."


def opened(app, run_id, tab):
    app.session_state[f"tabs-{run_id}"] = tab
    return app.run()


DELETE, AGAIN, HOME = ":material/delete: Delete", ":material/restart_alt: Start again", ":material/download: Take home"


def test_delete_and_undo(run, open_page):
    app = opened(open_page("runs", open=run.id), run.id, DELETE)
    click(app, "Delete")
    assert sound(app)
    assert list_runs() == []
    assert "lies in the trash" in texts(app)
    click(app, "Undo")
    assert sound(app)
    assert [found.id for found in list_runs()] == [run.id]
    assert "lies in the trash" not in texts(app)


def test_the_trash_is_emptied_only_when_asked_twice(run, open_page):
    trash.delete(run)
    app = open_page("runs")
    assert app.button(key=f"restore-{run.id}")
    empty = next(button for button in app.button if button.label == "Empty the trash")
    assert empty.disabled
    app.checkbox(key="sure_to_empty").check().run()
    click(app, "Empty the trash")
    assert sound(app)
    assert trash.deleted_runs() == []


def test_a_box_that_was_ticked_for_one_run_does_not_stand_for_another(run, others, open_page):
    trash.delete(others[0])
    app = open_page("runs")
    app.checkbox(key="sure_to_empty").check().run()
    assert app.checkbox(key="sure_to_empty").value
    trash.delete(others[1])  # in another window
    app.run()
    assert sound(app)
    assert not app.checkbox(key="sure_to_empty").value


def test_a_run_that_goes_on_is_not_deleted(run, open_page):
    run.write_state(RunState.of_this_process("running"))
    app = opened(open_page("runs", open=run.id), run.id, DELETE)
    click(app, "Delete")
    assert not app.exception
    assert "stop it" in app.error[0].value
    assert list_runs() != []


def test_a_bundled_one_is_neither_renamed_nor_deleted(run, open_page, monkeypatch):
    monkeypatch.setattr(directory, "bundled_runs", lambda: run.path.parent)
    for tab in ("", DELETE):
        app = opened(open_page("runs", open=run.id), run.id, tab or ":material/edit: Name and note")
        assert not {"Save", "Delete"} & set(labels(app))
        assert "comes with the program" in texts(app)


def test_again_with_one_change(run, open_page, monkeypatch):
    asked = []

    class Data:
        image_size, mirrors = 32, True

        def count(self, split):
            return 40

    def start(settings, data, processes):
        asked.append(settings)
        return run

    monkeypatch.setattr(again, "_data", lambda one: Data())
    monkeypatch.setattr(launcher, "start", start)
    app = opened(open_page("runs", open=run.id), run.id, AGAIN)
    app.selectbox(key=f"change-{run.id}").select("lr").run()
    app.number_input(key=f"changed-{run.id}-lr").set_value(0.02).run()
    click(app, "Start this run")
    assert not app.exception
    changed = asked[0].as_dict()
    before = run.config().settings.as_dict()
    assert {name for name in before if before[name] != changed[name]} == {"lr"}
    assert changed["lr"] == 0.02
    app = opened(open_page("runs", open=run.id), run.id, AGAIN)
    app.selectbox(key=f"change-{run.id}").select("epochs").run()
    app.number_input(key=f"changed-{run.id}-epochs").set_value(0).run()
    click(app, "Start this run")
    assert asked[1].epochs == 60  # chosen from the forty pictures, as the field says
    app = opened(open_page("runs", open=run.id), run.id, AGAIN)
    app.selectbox(key=f"change-{run.id}").select("batch_size").run()
    app.number_input(key=f"changed-{run.id}-batch_size").set_value(41).run()
    click(app, "Start this run")
    assert "larger than the 40 training pictures" in app.error[0].value
    assert len(asked) == 2


@pytest.mark.parametrize("start_from", ["", "imagenet"])
def test_whatever_is_offered_for_the_one_change_has_a_field(run, open_page, start_from):
    config = run.path / "config.json"
    said = json.loads(config.read_text())
    said["settings"]["start_from"] = start_from
    config.write_text(json.dumps(said))
    app = opened(open_page("runs", open=run.id), run.id, AGAIN)
    titles = app.selectbox(key=f"change-{run.id}").options
    offered = {each.name for each in dataclasses.fields(TrainConfig) if label(each.name) in titles}
    assert {"seed", "lr", "epochs"} <= offered
    assert not {"model", "recipe", "start_from"} & offered
    assert offered & {"learn", "layer_lr", "copy_layers"} == (
        {"learn", "layer_lr", "copy_layers"} if start_from else set()
    )
    for name in sorted(offered):
        app.selectbox(key=f"change-{run.id}").select(name).run()
        assert sound(app), name


def test_without_its_pictures_a_run_is_not_started_but_can_be_taken_along(run, open_page):
    app = opened(open_page("runs", open=run.id), run.id, AGAIN)
    assert sound(app)
    assert "not on this computer" in app.info[0].value
    assert "Start this run" not in labels(app)
    assert f"/train?settings={to_link(request_of(run))}" in app.code[0].value


def test_what_was_trained_elsewhere_cannot_be_repeated_but_gone_on_from(home, open_page):
    kept = import_network(network(), "n.onnx")
    app = opened(open_page("runs", open=kept.id), kept.id, AGAIN)
    assert sound(app)
    assert "Start from" in texts(app)
    assert "Start this run" not in labels(app)


def test_the_pictures_of_a_run_are_found_wherever_they_lie_in_the_home(run, digits, home):
    (home / "data").mkdir()
    (home / "data" / "digits-elsewhere").symlink_to(digits.directory)
    moved = dataclasses.replace(DataIdentity.of(digits), directory=str(home / "gone"))
    other = RunDirectory.create(run.config().settings, moved)
    found = again._data(summary(other))
    assert found is not None
    assert found.identity == digits.identity
    assert again._data(summary(run)) is None


def linked(**settings):
    return Request(TrainConfig(**settings).as_dict(), "digits", "Digits", 64)


WANTED = {"recipe": "filters", "model": "resnet18", "epochs": 7, "batch_size": 33, "lr": 0.0123, "optimizer": "sgd"}


def asked_for(app, monkeypatch):
    asked = []
    monkeypatch.setattr(
        launcher,
        "start",
        lambda settings, data, processes: asked.append((settings, data)) or RunDirectory(data.directory),
    )
    click(app, "Start training")
    return asked[0]


@pytest.mark.parametrize("as_file", [False, True])
def test_settings_fill_in_the_form_and_start_the_same_run(home, open_page, monkeypatch, as_file):
    request = linked(**WANTED, threads=1, reflect=False, seed=5)
    if as_file:
        app = open_page("train")
        uploader = next(each for each in app.file_uploader if each.label == "Settings file")
        uploader.set_value(("my settings.json", to_json(request), "application/json")).run()
    else:
        app = open_page("train", settings=to_link(request))
        assert "settings" not in app.query_params
    assert sound(app)
    assert "Filled in like a run of **ResNet-18**" in texts(app)
    settings, data = asked_for(app, monkeypatch)
    assert settings.as_dict() == request.settings
    assert (data.name, data.image_size) == ("digits", 64)


def test_settings_that_came_can_be_forgotten(home, open_page, monkeypatch):
    app = open_page("train", settings=to_link(linked(**WANTED)))
    click(app, "Forget them")
    assert "Filled in" not in texts(app)
    settings, _ = asked_for(app, monkeypatch)
    assert settings.lr != 0.0123


def test_the_network_of_a_recipe_that_came_goes_with_the_recipe(home, open_page):
    request = Request(TrainConfig(recipe="sprint", model="alexnet_sprint").as_dict(), "digits", "Digits", 32)
    app = open_page("train", settings=to_link(request))
    app.selectbox(key="new_recipe").set_value("quick").run()
    assert sound(app)
    assert app.selectbox(key="new_model").value == TrainConfig.model


@pytest.mark.parametrize("text", ["", "%%%", "e30", HOSTILE, "x" * 9_000])
def test_a_damaged_link_is_one_sentence(home, open_page, text):
    app = open_page("train", settings=text)
    assert not app.exception
    assert [error.value for error in app.error if "damaged" not in error.value] == []
    assert len(app.error) == (0 if text == "" and "settings" in app.query_params else 1)


def test_pictures_of_somebodys_own_are_asked_for(home, open_page):
    request = Request(TrainConfig(**WANTED).as_dict(), "pets", HOSTILE, 64, "ab" * 20)
    app = open_page("train", settings=to_link(request))
    assert sound(app)
    assert "somebody" in texts(app)
    assert HOSTILE not in texts(app)


# -- out and in ----------------------------------------------------------------------------------------------------


def test_what_is_taken_home(run, open_page):
    app = opened(open_page("runs", open=run.id), run.id, HOME)
    assert sound(app)
    click(app, "Make the file")
    assert [button.label for button in app.download_button] == [
        f"Download, {len(network_bytes(run.network())) / 1e6:.3g} MB"
    ]
    assert set(taking_home.FORMS) == {"safetensors", "folder", "state_dict", "onnx", "csv", "tensorboard"}
    assert taking_home.file_of(run, "csv").startswith(b"event,step,")


def test_files_that_were_made_take_bounded_memory_whoever_made_them(run, open_page, monkeypatch):
    monkeypatch.setattr(taking_home, "MOST_BYTES", 25)
    taking_home._made().clear()
    for number in range(5):
        taking_home._keep(number, bytes(10))
    assert list(taking_home._made()) == [3, 4]
    taking_home._keep("large", bytes(100))
    assert list(taking_home._made()) == ["large"]
    app = opened(open_page("runs", open=run.id), run.id, HOME)
    click(app, "Make the file")
    ((made, data),) = taking_home._made().items()
    assert made[0] == run.id
    assert data == network_bytes(run.network())
    assert app.download_button


def bring(app, name, data):
    uploader = next(each for each in app.file_uploader if each.label == "Network file")
    uploader.set_value((name, data, "application/octet-stream"))
    return app.run()


def test_a_network_is_brought_in(run, home, open_page):
    ours = network()
    app = bring(open_page("runs"), f"../{HOSTILE}.safetensors", network_bytes(ours))
    assert sound(app)
    assert HOSTILE not in "".join(each.value for each in app.success)
    click(app, "Keep it")
    assert sound(app)
    (new,) = (each for each in list_runs() if each.id != run.id)
    assert app.query_params["open"] == new.id
    pictures = torch.randn(1, 3, 32, 32)
    assert torch.equal(new.network().model(pictures), ours.model(pictures))
    assert list((home / "uploads").iterdir()) == []


def test_what_was_typed_for_one_file_is_not_given_to_the_next(run, open_page):
    app = bring(open_page("runs"), "first.safetensors", network_bytes(network()))
    app.text_input(key="brought_title").input("Cats").run()
    assert app.text_input(key="brought_title").value == "Cats"
    app = bring(app, "second.safetensors", network_bytes(network(("x", "y", "z"))))
    assert sound(app)
    assert app.text_input(key="brought_title").value == ""


def test_a_network_that_is_not_kept_takes_no_memory(run, home, open_page):
    app = bring(open_page("runs"), "ours.safetensors", network_bytes(network()))
    _, found = app.session_state["brought_found"]
    assert found.network is not None
    assert not found.state
    next(each for each in app.file_uploader if each.label == "Network file").set_value(None).run()
    assert sound(app)
    assert "brought_found" not in app.session_state


def test_a_pickle_is_left_to_the_owner(run, open_page, tmp_path):
    torch.save(network().model.state_dict(), tmp_path / "n.pt")
    app = bring(open_page("runs"), "n.safetensors", (tmp_path / "n.pt").read_bytes())
    assert not app.exception
    assert "alexnet import FILE" in app.error[0].value.replace("\\", "")
    assert "Keep it" not in labels(app)


READ_RUNS = ("home", "train", "look_inside", "neighbours", "time_machine", "runs")
"""The pages that read more of a run than its network."""


@pytest.mark.parametrize("page", READ_RUNS)
def test_every_page_bears_a_run_without_events_and_without_data(home, open_page, page):
    kept = import_network(network(), f"{HOSTILE}.onnx", note=HOSTILE)
    app = open_page(page, run=kept.id, open=kept.id)
    assert not app.exception
    assert HOSTILE not in texts(app)
    if page != "time_machine":
        assert sound(app)
    save_network(kept.network_path, network())
