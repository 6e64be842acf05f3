"""The page Neighbours: with crops alone, with a data set of one's own, bounded, and stopped in the middle."""

from contextlib import suppress

import numpy as np
import pytest
from test_pages import HOSTILE, sound, texts

from alexnet_core.data.sources import prepare
from alexnet_core.insight import embedding
from alexnet_core.insight.gallery import of_set
from alexnet_core.models import Network, build
from alexnet_core.models.weights import frozen, save_network
from alexnet_core.preprocess import Preprocessing
from app import session
from app.inside import neighbours
from app.inside.whose_neighbours import of_row
from tests.pictures import class_files, make_folder


@pytest.fixture
def with_set(run, home, tmp_path):
    """The run, its network having the classes of a set that is prepared on this computer."""
    prepared = prepare(make_folder(tmp_path / "pets", class_files(images=20)), image_size=32)
    model = frozen(build("alexnet_mini", len(prepared.classes), 32))
    save_network(run.network_path, Network("alexnet_mini", model, prepared.classes, Preprocessing(32, 32)))
    return run, prepared


def test_crops_stand_in_where_there_is_no_data_set(run, open_page, monkeypatch):
    monkeypatch.setattr(neighbours, "AT_FIRST", 60)
    app = open_page("neighbours", run=run.id)
    assert sound(app)
    assert HOSTILE not in texts(app)
    assert "**Pixels**" in texts(app)
    assert "last hidden layer" in texts(app)
    assert "no classes of this network" in texts(app)


def test_the_data_set_has_classes_and_lends_a_picture(with_set, open_page):
    run, prepared = with_set
    app = open_page("neighbours", run=run.id)
    assert sound(app)
    assert "the network's answer" in texts(app)
    app.segmented_control(key="whose").set_value("gallery").run()
    assert sound(app)
    assert "its true class" in texts(app)
    number = app.number_input[0]
    assert number.max == prepared.count("val") - 1


def test_tsne_says_how_the_star_came_there(with_set, open_page):
    run, _ = with_set
    app = open_page("neighbours", run=run.id)
    assert "placed exactly" in texts(app)
    app.segmented_control(key="space").set_value("tsne").run()
    assert sound(app)
    assert "mean place of its 5 nearest" in texts(app)


def test_all_pictures_are_looked_through_when_asked_for(with_set, open_page, monkeypatch):
    run, prepared = with_set
    monkeypatch.setattr(neighbours, "AT_FIRST", 10)
    app = open_page("neighbours", run=run.id)
    assert "The nearest of 10 pictures" in texts(app)
    (toggle,) = [toggle for toggle in app.toggle if toggle.label.startswith("Look through all")]
    toggle.set_value(True).run()
    assert sound(app)
    assert f"The nearest of {prepared.count('train')} pictures" in texts(app)


def test_a_picture_of_the_set_itself_is_found_at_once(with_set):
    run, prepared = with_set
    shared = session.load(run.id)
    gallery = of_set(prepared, "train", shared.network.classes)
    index = neighbours._built(shared, gallery, 1_000, neighbours.st.empty(), None)
    picture = of_row(shared.network, gallery, 5)
    found = neighbours.found(shared, picture, gallery, index)
    assert all(level.rows[0] == 5 for level in found.near[:1])
    assert picture.label == gallery.labels[5]
    assert np.asarray(picture.image).shape == (448, 448, 3)
    assert shared.lock.length == 0


def test_an_index_that_is_interrupted_after_each_step_is_built_once(with_set, monkeypatch):
    class Left:
        def progress(self, *_):
            raise KeyboardInterrupt

    run, prepared = with_set
    shared = session.load(run.id)
    gallery = of_set(prepared, "train", shared.network.classes)
    begun, indexing, index = [], neighbours.neighbours.indexing, None
    monkeypatch.setattr(neighbours.neighbours, "indexing", lambda *asked: begun.append(asked) or indexing(*asked))
    monkeypatch.setattr(neighbours.st, "progress", lambda *_: Left())
    for _ in range(20):
        with suppress(KeyboardInterrupt):
            index = neighbours._built(shared, gallery, 1_000, neighbours.st.empty(), None)
            break
    assert index is not None
    assert len(begun) == 1


def test_the_map_of_all_pictures_is_not_that_of_some(with_set, monkeypatch):
    run, prepared = with_set
    monkeypatch.setattr(embedding, "MOST", 16)
    shared = session.load(run.id)
    gallery = of_set(prepared, "train", shared.network.classes)
    question = of_row(shared.network, gallery, 5)
    for most in (10, len(gallery)):  # eight pictures each on the map, but not the same ones
        index = neighbours._built(shared, gallery, most, neighbours.st.empty(), None)
        found = neighbours.found(shared, question, gallery, index)
        places, star, _ = neighbours._arranged(shared, gallery, "pca", index, found.place)
        axes, expected = embedding.pca(index.points[-1][neighbours._shown(index)])
        np.testing.assert_allclose(places, expected, atol=1e-5)
        np.testing.assert_allclose(star, embedding.on_plane(axes, found.place[None])[0], atol=1e-5)
