"""What the pages say of runs and offer with them, interrupted, failed or with damaged checkpoints; and recipes,
networks and graphics cards in the form for a new one."""

import dataclasses
import os
import subprocess
import sys
import time

import psutil
import pytest
import torch
from test_pages import sound, texts

from alexnet_core.errors import ExplorerError
from alexnet_core.runs import ending, launcher
from alexnet_core.runs.checkpoints import load_newest, save_checkpoint
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory
from alexnet_core.runs.states import RunState
from alexnet_core.training import pace, recipes
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.loop import Training
from alexnet_core.training.recipes import Recipe
from app.training import progress_of_runs, run_settings, watch_run


def labels(app):
    return [button.label for button in app.button]


def click(app, label):
    next(button for button in app.button if button.label == label).click()
    return app.run()


@pytest.fixture
def launched(monkeypatch):
    """The runs whose processes would have been started."""
    runs = []
    monkeypatch.setattr(launcher, "_launch", runs.append)
    return runs


@pytest.fixture
def dead(run):
    """Three runs whose processes are gone, oldest first, beside one that is finished."""
    runs = []
    for title in ("First", "Second", "*Third*"):
        dead = RunDirectory.create(
            run.config().settings, run.config().data, run.path.parent / f"dead-{len(runs)}", title
        )
        dead.write_state(RunState("running", "Training on cpu.", pid=2**22 + 1, process_started=1.0))
        runs.append(dead)
    return runs


@pytest.mark.parametrize("page", ["home", "train"])
def test_one_button_lets_all_interrupted_runs_go_on(dead, open_page, page, launched):
    app = open_page(page)
    assert sound(app)
    assert "3 runs were interrupted" in texts(app)
    assert r"\*Third\*" in texts(app)
    assert "At most the last 20 s of training of each" in texts(app)
    app = click(app, "Go on with all 3")
    assert sound(app)
    assert [run.id for run in launched] == [run.id for run in dead]
    assert all(run.state().status == "queued" for run in dead)
    assert app.query_params["run"] == dead[0].id
    assert not any("Go on" in label for label in labels(app))


def test_a_run_that_does_not_answer_its_stop_can_be_ended(run, open_page):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"]) as deaf:
        run.write_state(RunState("running", "Training on cpu.", deaf.pid, psutil.Process(deaf.pid).create_time()))
        run.ask("STOP")
        app = open_page("train", run=run.id)
        assert sound(app)
        assert "Stopping after this step." in texts(app)
        assert "End it now" not in labels(app)
        asked = time.time() - watch_run.STUBBORN - 1
        os.utime(run.path / "control" / "STOP", (asked, asked))
        app = click(open_page("train", run=run.id), "End it now")
        assert sound(app)
        assert not psutil.pid_exists(deaf.pid)
    assert "End it now" not in labels(app)
    assert run.state().status == "interrupted"


def test_an_interrupted_run_on_its_own_page_has_one_button(dead, open_page, launched):
    for other in dead[1:]:
        other.write_state(RunState("stopped"))
    app = open_page("train", run=dead[0].id)
    assert [label for label in labels(app) if label.startswith(("Resume", "Go on"))] == ["Resume"]
    assert "At most the last 20 s of training are computed again" in texts(app)
    click(app, "Resume")
    assert [run.id for run in launched] == [dead[0].id]


def test_interrupted_runs_can_be_left(dead, open_page, launched):
    app = click(open_page("home"), "Not now")
    assert sound(app)
    assert "interrupted" not in texts(app)
    assert launched == []


def unlearnable():
    """What a training says whose loss is no number."""
    training = Training.__new__(Training)
    training.config, training.step = TrainConfig(lr=0.05), 7
    with pytest.raises(ExplorerError) as error:
        training._check(float("nan"))
    return error.value


@pytest.mark.parametrize(
    ("reason", "button", "setting", "value", "goes_on"),
    [
        (unlearnable, "Start again with a learning rate of 0.005", "lr", 0.005, False),
        (lambda: ending.too_large(64), "Start again with a batch size of 32", "batch_size", 32, True),
    ],
)
def test_a_failed_run_starts_again_with_what_may_mend_it(
    run, open_page, launched, monkeypatch, reason, button, setting, value, goes_on
):
    monkeypatch.setattr(DataIdentity, "opened", lambda _: object())
    monkeypatch.setattr(DataIdentity, "of", lambda _: run.config().data)
    error = reason()
    run.write_state(RunState("failed", str(error), remedy=error.remedy))
    app = open_page("train", run=run.id)
    assert str(error).split(":")[0].replace(".", r"\.") in app.error[0].value
    assert ("Resume" in labels(app)) == goes_on
    click(app, button)
    (new,) = launched
    assert new.id != run.id
    assert new.config().settings == dataclasses.replace(run.config().settings, **{setting: value})
    assert run.state().status == "failed"


def test_a_failed_run_without_a_remedy_can_go_on(run, open_page, launched):
    run.write_state(RunState("failed", "metrics.jsonl could not be written. Free some space or choose another place."))
    app = open_page("train", run=run.id)
    assert "Free some space" in app.error[0].value
    click(app, "Resume")
    assert [started.id for started in launched] == [run.id]


def test_a_damaged_checkpoint_reaches_the_person(run, open_page):
    folder = run.path / "checkpoints"
    for step in (5, 10):
        newest = save_checkpoint(folder, step, {"metrics_size": 0})
    newest.write_bytes(newest.read_bytes()[:-1])
    _, (sentence,) = load_newest(folder)
    (run.path / "log.txt").write_text(
        f"Run directory: here\nThe checkpoint of step 3 is old.\nRun directory: here\n{sentence}\n"
    )
    run.write_state(RunState.of_this_process("running", "Training on cpu, bf16, 2 threads, channels last."))
    app = open_page("train", run=run.id)
    assert sound(app)
    assert [warning.value for warning in app.warning] == [
        r"The checkpoint of step 10 is damaged; going on from the one before\."
    ]


def test_what_could_not_be_done_is_known_by_its_first_words(run):
    sentences = [
        "metrics.jsonl has lost its end, which the checkpoint of step 4 needs; going on from the one before.",
        "Compiling failed on this machine; training goes on without.",
    ]
    (run.path / "log.txt").write_text("\n".join(["Run directory: here", *sentences, "epoch 1/2"]))
    assert progress_of_runs.passed_over(run) == sentences


def test_how_a_run_computes_is_said_and_explained(run, open_page):
    run.write_state(RunState.of_this_process("running", pace.MEASURING))
    said = texts(open_page("train", run=run.id))
    assert "Measuring the fastest way" in said
    assert "real training steps are timed" in said
    run.write_state(RunState.of_this_process("running", "Training on cpu, bf16, 2 threads in each of 4 processes."))
    app = open_page("train", run=run.id)
    assert "in each of 4 processes" in texts(app)
    assert "chosen by timing real steps" in texts(app)
    assert any("fastest.json" in caption.help for caption in app.caption)


def test_what_was_printed_can_be_read_after_a_failure(run, open_page):
    (run.path / "log.txt").write_text("x" * 30_000 + "\nZeroDivisionError: ours\n")
    run.write_state(RunState("failed", "The program met an error of its own; log.txt has the details."))
    app = open_page("train", run=run.id)
    assert "ZeroDivisionError: ours" in app.code[0].value
    assert len(app.code[0].value) <= progress_of_runs.LOG_BYTES


def test_every_setting_has_its_place_in_the_form():
    placed = sorted(name for names in run_settings.GROUPS.values() for name in names)
    above = {"model", "recipe", "start_from", "learn"}
    assert placed == sorted({field.name for field in dataclasses.fields(TrainConfig)} - above)


@pytest.fixture
def dash(monkeypatch):
    """A recipe that names its network, made for pictures of 32 pixels."""
    dash = Recipe("Dash", "For a test.", {"model": "alexnet_sprint", "epochs": 2})
    monkeypatch.setitem(recipes.RECIPES, "dash", dash)


def test_a_recipe_brings_its_network_and_says_for_which_pictures(home, open_page, dash):
    app = open_page("train")
    assert app.selectbox(key="new_model").value == "alexnet_mini"
    app.selectbox(key="new_recipe").set_value("dash").run()
    assert sound(app)
    assert app.selectbox(key="new_model").value == "alexnet_sprint"
    assert "made and measured for pictures of 32 × 32 pixels" in app.info[0].value
    click(app, "Take 32 × 32 pixels")
    assert sound(app)
    assert app.number_input(key="new_size-digits").value == 32
    assert not any("made and measured" in info.value for info in app.info)
    app.selectbox(key="new_recipe").set_value("filters").run()
    assert app.selectbox(key="new_model").value == "alexnet_mini"


def test_the_network_of_a_recipe_can_be_changed_and_a_chosen_one_stays(home, open_page, dash, monkeypatch):
    asked = []
    monkeypatch.setattr(
        launcher, "start", lambda settings, *_, **__: asked.append(settings) or RunDirectory(home / "x")
    )
    app = open_page("train")
    app.selectbox(key="new_recipe").set_value("dash").run()
    app.selectbox(key="new_model").set_value("alexnet_track").run()
    assert app.selectbox(key="new_model").value == "alexnet_track"
    click(app, "Start training")
    assert (asked[0].model, asked[0].recipe, asked[0].epochs) == ("alexnet_track", "dash", 2)
    app = open_page("train", run="new")
    app.selectbox(key="new_model").set_value("alexnet_track").run()
    app.selectbox(key="new_recipe").set_value("filters").run()
    assert app.selectbox(key="new_model").value == "alexnet_track"


def test_graphics_cards_are_asked_for_where_there_are_several(home, open_page, monkeypatch):
    asked = []

    def start(settings, data, processes):
        asked.append(processes)
        raise ExplorerError("Enough for a test.")

    monkeypatch.setattr(launcher, "start", start)
    assert not any(field.label == "Graphics cards" for field in open_page("train").number_input)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    app = open_page("train")
    cards = next(field for field in app.number_input if field.label == "Graphics cards")
    assert (cards.value, cards.min, cards.max) == (1, 1, 4)
    cards.set_value(3).run()
    click(app, "Start training")
    assert asked == [3]
