"""A home folder of its own for each test, empty or with a run that looks finished."""

from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest
from torch import nn

from alexnet_core.insight.gallery import Gallery
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen, save_network
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs import directory
from alexnet_core.runs.data_identity import DataIdentity
from alexnet_core.runs.directory import RunDirectory, Timing
from alexnet_core.runs.evaluation import Evaluation
from alexnet_core.runs.states import RunState
from alexnet_core.training.config import TrainConfig
from alexnet_core.training.events import EpochDone, Finished, Started, StepDone

HOSTILE = "<b>*cat*</b> [x](javascript:1) `:red[1]`"
CLASSES = (HOSTILE, "dog", "ship")
HOME = Path(__file__).resolve().parents[2] / "app" / "Home.py"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home, and no bundled network either: the very first start."""
    monkeypatch.setenv("ALEXNET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(directory, "bundled_runs", lambda: tmp_path / "bundled")
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def estimates(monkeypatch):
    """Nothing is timed; the runs whose time was asked for are listed."""
    asked = []
    monkeypatch.setattr(
        "app.training.estimates.estimate_seconds", lambda settings, data: asked.append(settings) or 42.0
    )
    st.cache_data.clear()
    return asked


@pytest.fixture
def run(home):
    """A finished run of an untrained network whose first class has a hostile name."""
    identity = DataIdentity(str(home / "data" / "gone"), "toys", "Toys", "0" * 64)
    made = RunDirectory.create(TrainConfig(epochs=2, batch_size=8), identity)
    made.append_event(Started(epochs=2, steps=10, train_images=40, val_images=6, parameters=1_000_000))
    for step in range(1, 11):
        made.append_event(StepDone(step=step, epoch=1 + step // 6, train_loss=2 / step, lr=0.01))
    for epoch in (1, 2):
        made.append_event(EpochDone(5 * epoch, epoch, 1.0, 0.5, 0.9, 0.6, 1.0, 0.01))
    made.append_event(Finished(step=10, epoch=2, test_loss=0.8, test_top1=0.5, test_top5=1.0))
    made.append_timing(Timing(step=10, epoch=2, seconds=12.0, images_per_s=333.3, seconds_left=0.0, memory_mb=500.0))
    model = frozen(build("alexnet_mini", len(CLASSES), 32))
    network = Network("alexnet_mini", model, CLASSES, Preprocessing(32, 32))
    save_network(made.network_path, network)
    save_network(made.snapshot_path(10), network, half=True)
    made.write_evaluation(
        Evaluation(
            "test",
            np.array([0, 0, 1, 2]),
            np.array([0, 1, 1, 2]),
            np.array([0.9, 0.6, 0.8, 0.7], np.float32),
            [f"{HOSTILE}/{row}.png" for row in range(4)],
        )
    )
    made.write_state(RunState("finished", "Finished: 75 % of the 4 test images right."))
    return made


@pytest.fixture
def lively(run):
    """The run with weights that let a picture through, and normalisations that do something: at the start the first
    filters are so small that the last layers hear next to nothing of them."""
    torch.manual_seed(0)
    network = run.network()
    for layer in network.model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.uniform_(-0.5, 0.5)
            layer.running_var.uniform_(0.5, 2)
            layer.weight.uniform_(0.5, 1.5)
            layer.bias.uniform_(-0.5, 0.5)
    network.model.classifier[-1].weight *= 0.1  # of an answer that is certain nothing can be seen to change
    save_network(run.network_path, network)
    return run


@pytest.fixture
def labelled(monkeypatch):
    """Forty small pictures of noise with classes, in place of the run's data set, which is gone."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    names = [f"{HOSTILE}/{row}.png" for row in range(40)]
    gallery = Gallery("toys", "Toys", images, random.integers(0, len(CLASSES), 40), names)
    monkeypatch.setattr("app.gallery.galleries", lambda choice, network: {"test": gallery})
    return gallery


@pytest.fixture
def open_page():
    """Opens one page of the app and returns the test's view of it."""

    def opened(page: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(HOME), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.switch_page(f"views/{page}.py")
        return app.run()

    return opened
