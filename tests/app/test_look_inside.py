"""Look inside: filters in each order with the dead ones named, maps before and after each step, and the sum of one
value, which has to be the network's own."""

import re

import numpy as np
import pytest
from test_pages import sound, texts

from alexnet_core.insight.feature_maps import feature_maps
from alexnet_core.insight.filters import first_layer_filters, traits
from alexnet_core.models.weights import save_network
from app import session
from app.figures.mosaic import mosaic
from app.inside import first_layer, map_steps, map_words, single_map

ORDERS = {
    "colour": "from grey to coloured",
    "orientation": "by the direction of their stripes",
    "frequency": "from coarse to fine",
    "number": "in the order in which the network has them",
}
SENTENCES = ("Patch × filter, added up: ", "The normalisation ", "The ReLU ", "The pooling ")


@pytest.fixture
def asked(lively):
    """The network of the run, and the picture that the page opens with."""
    return session.load(lively.id), session.sample("ship")


def pictures(app):
    """What stands under each picture, and what is said in its place."""
    return [(one.caption, one.alt) for image in app.get("image") for one in image.proto.imgs]


def changed(run, change):
    """The run after `change` of its first filters (24, 3, 5, 5)."""
    network = run.network()
    change(network.model.features[0].weight)
    save_network(run.network_path, network)


# -- the first filters ---------------------------------------------------------------------------------------------


def test_the_filters_stand_in_the_order_that_was_chosen(lively, asked, open_page, monkeypatch):
    pasted = []

    def noted(tiles, columns, side, labels=None):
        pasted.append((tiles, labels))
        return mosaic(tiles, columns, side, labels)

    monkeypatch.setattr(first_layer, "mosaic", noted)
    layer = first_layer_filters(asked[0].network)
    app = open_page("look_inside", run=lively.id)
    app.toggle(key="filter_numbers").set_value(True).run()
    orders = set()
    for by, words in ORDERS.items():
        app.segmented_control(key="filter_order").set_value(by).run()
        assert sound(app)
        order = traits(layer.weights).order(by)
        tiles, numbers = pasted[-1]
        np.testing.assert_array_equal(tiles, layer.tiles[order])
        assert numbers == [str(number) for number in order]
        assert any("filters of the first layer" in alt and words in alt for _, alt in pictures(app))
        orders.add(tuple(order))
    assert len(orders) == len(ORDERS)


@pytest.mark.parametrize(
    ("dead", "said"),
    [([], "None of them is dead"), ([3, 17], "dead filters): 3, 17."), (range(13), "10, 11, ....")],
)
def test_dead_filters_are_called_by_their_numbers_in_the_network(lively, open_page, dead, said):
    def kill(weights):
        weights[list(dead)] = 0

    changed(lively, kill)
    app = open_page("look_inside", run=lively.id)
    assert sound(app)
    assert said in texts(app)
    assert not dead or f"{len(dead)} of them hardly weigh anything" in texts(app)


def test_colour_blind_and_colour_selective_filters_are_counted(lively, open_page):
    def divide(weights):
        weights[:10] = weights[:10, :1].clone()  # the same in all three colours
        weights[10:] -= weights[10:].mean(dim=1, keepdim=True)  # nothing but what differs between them

    changed(lively, divide)
    app = open_page("look_inside", run=lively.id)
    assert sound(app)
    assert "10 filters are colour-blind, 14 colour-selective" in texts(app)
    assert "That is a clear division" in texts(app)
    assert any("10 lie below" in chart.proto.alt for chart in app.get("plotly_chart"))


# -- before and after ----------------------------------------------------------------------------------------------


def test_the_maps_before_and_after_are_those_of_the_chosen_step(lively, asked, open_page):
    shared, picture = asked
    app = open_page("look_inside", run=lively.id)
    assert app.segmented_control(key="step").value == "features.2"
    kinds = ["Convolution", "after normalisation", "after ReLU", "after pooling"]
    assert app.segmented_control(key="step").options == kinds
    for layer in ("features.3", "features.0", "features.1"):
        app.segmented_control(key="step").set_value(layer).run()
        assert sound(app)
        assert app.selectbox(key="layer").value == app.query_params["layer"] == layer
        assert app.segmented_control(key="step").options == kinds
        maps = feature_maps(shared.network, picture.image, layer)
        assert map_words.maps_caption(maps, 24, False) in texts(app)
        number = enlarged(app).value
        assert (map_words.map_caption(maps, number, True), f"Map {number} of layer {layer}.") in pictures(app)


def enlarged(app):
    """The list of maps to enlarge."""
    return next(box for box in app.selectbox if box.label == "Map to enlarge")


def test_a_map_is_followed_through_its_steps(lively, asked, open_page):
    shared, picture = asked
    app = open_page("look_inside", run=lively.id)
    chosen = int(feature_maps(shared.network, picture.image, "features.2").strongest()[5])
    enlarged(app).select(chosen).run()
    for layer in ("features.3", "features.0", "features.2"):
        app.segmented_control(key="step").set_value(layer).run()
        assert sound(app)
        assert enlarged(app).value == chosen
    app.selectbox(key="layer").select("features.4").run()
    assert enlarged(app).value == feature_maps(shared.network, picture.image, "features.4").strongest()[0]


def test_each_convolution_has_its_own_steps(lively, open_page):
    app = open_page("look_inside", run=lively.id, layer="features.9")
    assert app.segmented_control(key="step").value == "features.9"
    assert app.segmented_control(key="step").options == ["Convolution", "after normalisation", "after ReLU"]


# -- one value -----------------------------------------------------------------------------------------------------


def sums(app):
    """The sentences that say how one value comes about."""
    return [element.value for element in app.markdown if element.value.startswith(SENTENCES)]


def worked_out(sentence):
    """What the numbers written in a sentence come to, and the number that it ends with."""
    written, _, value = sentence.rpartition(" = ")
    formula = re.sub(r"\([a-z][^()]*\)", "", written.rpartition(": ")[2])  # without (red), (channel 7), (bias)
    return eval(formula.translate(PLAIN)), float(value.strip("*").translate(PLAIN))


PLAIN = str.maketrans("−×÷", "-*/")
"""The signs of the page as those of Python."""


@pytest.mark.parametrize("first", [0, 4])
def test_a_value_is_followed_back_to_the_sum_that_the_network_added_up(lively, asked, open_page, first):
    shared, picture = asked
    layers = [f"features.{first + place}" for place in range(4)]
    maps = [feature_maps(shared.network, picture.image, layer) for layer in layers]
    unit = int(maps[3].strongest()[0])
    row, column = np.unravel_index(maps[3].values[unit].argmax(), maps[3].values[unit].shape)
    window = maps[2].values[unit, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
    down, across = np.unravel_index(window.argmax(), window.shape)
    source = (unit, 2 * row + down, 2 * column + across)
    values = [float(one.values[source]) for one in maps[:3]]

    app = open_page("look_inside", run=lively.id, layer=layers[3])
    assert sound(app)
    said = sums(app)
    assert [sentence.startswith(begin) for sentence, begin in zip(said, SENTENCES, strict=True)] == [True] * 4
    for sentence, value in zip(said, [*values, float(window.max())], strict=True):
        assert sentence.endswith(f" **{single_map.written(value)}**")
    for sentence, value in zip(said[:3], values, strict=True):  # nothing is added up in the pooling
        assert worked_out(sentence) == (pytest.approx(value, rel=1e-3, abs=2e-3), pytest.approx(value, abs=1e-4))


def test_the_first_layers_sum_is_that_of_the_patches_and_filters_shown_of_each_colour(
    lively, asked, open_page, monkeypatch
):
    shared, picture = asked
    unit = int(feature_maps(shared.network, picture.image, "features.0").strongest()[0])
    shown, draw = {}, single_map.number_grids

    def noted(grids, titles):
        shown.update(zip(titles, grids, strict=True))
        return draw(grids, titles)

    monkeypatch.setattr(single_map, "number_grids", noted)
    app = open_page("look_inside", run=lively.id, layer="features.0")
    assert sound(app)
    (said,) = sums(app)
    terms = re.findall(r"(−?) ?([\d.]+) \((red|green|blue)\)", said)
    assert [colour for *_, colour in terms] == ["red", "green", "blue"]
    for place, (sign, number, colour) in enumerate(terms):
        patch, kernel = shown[f"Patch, {colour}"], shown[f"Filter, {colour}"]
        np.testing.assert_array_equal(kernel, shared.network.model.features[0].weight[unit, place].numpy())
        product = -float(number) if sign else float(number)
        assert product == pytest.approx(float((patch * kernel).sum()), abs=1e-3)


def test_another_place_of_the_map_has_another_sum(lively, asked, open_page):
    shared, picture = asked
    maps = feature_maps(shared.network, picture.image, "features.1")
    values = maps.values[maps.strongest()[0]]
    row, column = (int(at) for at in np.unravel_index(values.argmin(), values.shape))
    least = float(values[row, column])
    app = open_page("look_inside", run=lively.id, layer="features.1")
    for label, number in (("Row", row), ("Column", column)):
        next(field for field in app.number_input if field.label == label).set_value(number)
    app.run()
    assert sound(app)
    assert f"at row {row}, column {column} is {least:.4g}." in texts(app)
    summed, normalised = sums(app)
    assert "−" in summed  # here what is below zero has to be written right
    for sentence in (summed, normalised):
        total, value = worked_out(sentence)
        assert total == pytest.approx(value, rel=1e-3, abs=2e-3)
    assert normalised.endswith(f" **{single_map.written(least)}**")


def test_a_sum_that_the_next_layer_did_not_take_is_not_shown(asked, monkeypatch):
    shared, picture = asked
    maps = feature_maps(shared.network, picture.image, "features.2")
    unit = int(maps.strongest()[0])
    place = np.unravel_index(maps.values[unit].argmax(), maps.values[unit].shape)
    whole = single_map.steps_to(shared, picture, "features.2", unit, place)
    assert [layer for layer, _ in whole] == ["features.0", "features.1", "features.2"]
    # As if the normalisation stood beside the two layers, and not between them.
    monkeypatch.setattr(map_steps, "group_of", lambda shared, layer: ["features.0", "features.2"])
    assert [layer for layer, _ in single_map.steps_to(shared, picture, "features.2", unit, place)] == ["features.2"]


def test_a_layer_without_a_sum_says_so(lively, open_page):
    app = open_page("look_inside", run=lively.id, layer="avgpool")
    assert sound(app)
    assert "no sum of few numbers" in texts(app)
    assert not sums(app)
