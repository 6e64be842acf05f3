"""Which pictures a network is offered: its own data set where it is here, and always the crops."""

from dataclasses import replace

import pytest

from alexnet_core.data.sources import prepare
from alexnet_core.preprocess import Preprocessing
from alexnet_core.runs.directory import RunDirectory
from app.gallery import galleries
from tests.pictures import class_files, make_folder


@pytest.fixture
def network(run):
    return RunDirectory.find(run.id).network()


def test_without_its_data_set_there_are_crops(run, network):
    found = galleries(run.id, network)
    assert list(found) == ["builtin"]
    assert found["builtin"].images.shape[1:] == (32, 32, 3)


def test_any_prepared_set_of_its_classes_and_size_stands_in(home, run, network, tmp_path):
    folder = make_folder(tmp_path / "pets", class_files(images=20))
    prepared = prepare(folder, image_size=32)
    assert list(galleries(run.id, network)) == ["builtin"]
    alike = replace(network, classes=tuple(reversed(prepared.classes)))
    found = galleries(run.id, alike)
    assert list(found) == ["val", "train", "builtin"]
    assert len(found["train"]) == prepared.count("train")
    assert [alike.classes[label] for label in found["val"].labels] == [
        prepared.classes[label] for label in prepared.labels("val")
    ]
    smaller = replace(alike, preprocessing=Preprocessing(16, 16))
    assert list(galleries(run.id, smaller)) == ["builtin"]
    assert list(galleries("imagenet-alexnet", alike)) == ["val", "train", "builtin"]
