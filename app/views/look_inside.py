"""Look inside: the first layer's filters, and what any layer answers to a picture."""

import streamlit as st

from alexnet_core.errors import ExplorerError
from app import answers, words
from app.choices import choose_in_address, choose_network, choose_picture
from app.figures.mosaic import mosaic
from app.inside import first_layer, map_steps, map_words, single_map
from app.inside.layers import field_of
from app.sentences import plain

MAPS_AT_FIRST = 48

st.title("Look inside")
left, right = st.columns([3, 2], gap="large")
with left:
    shared = choose_network()
with right:
    picture = choose_picture(shared.network)
with left:
    st.subheader("First filters")
    first_layer.show(shared)
with right:
    st.image(
        answers.as_seen(shared.network.preprocessing, picture),
        caption=words.picture_caption(picture.name, shared.network.preprocessing.size),
        width="stretch",
        alt=f"The centre square of the picture {picture.name}.",
    )

st.subheader("What a layer answers")
labels, first = answers.layers(shared)
choice, aside = st.columns([3, 2], gap="large", vertical_alignment="bottom")
switches = aside.container(horizontal=True)
with choice:
    layer = choose_in_address(
        "Layer",
        "layer",
        labels,
        first,
        "In the order in which a picture passes them. A map is what one filter answers at every place.",
    )
    map_steps.choose(shared, layer)
with switches:
    every = st.toggle(
        "All maps", key="all_maps", help=f"Otherwise the {MAPS_AT_FIRST} strongest.", persist_state="session"
    )
    own_scale = st.toggle(
        "Own scales",
        key="own_scales",
        help="Stretch each map by its own largest value: weak ones show, but strengths can no longer be compared.",
        persist_state="session",
    )
maps = answers.maps(shared, picture, layer)
order = maps.strongest().tolist()
shown = order if every else order[:MAPS_AT_FIRST]

overview, one = st.columns([3, 2], gap="large")
with one:
    number = map_steps.choose_map(shared, picture, layer, order)
    over = st.toggle(
        "Over the picture", value=True, key="over", help="Off: the map alone, as on the left.", persist_state="session"
    )
    st.image(
        answers.map_over(shared, picture, maps, number, field_of(shared, layer))
        if over
        else answers.map_alone(maps, number, own_scale),
        caption=map_words.map_caption(maps, number, over),
        width="stretch",
        alt=f"Map {number} of layer {layer}.",
    )
with overview:
    st.image(
        mosaic(maps.tiles(not own_scale)[shown], 8, 88, [str(number) for number in shown]),
        width="stretch",
        alt=f"{len(shown)} maps of layer {layer}, the strongest first.",
    )
    st.caption(map_words.maps_caption(maps, len(shown), own_scale))

st.subheader("One value, with its numbers")
seen, numbers = st.columns([2, 3], gap="large")
with seen:
    shown_here = st.container()
    place = single_map.choose_place(maps, number)
    with shown_here:
        single_map.show_place(shared, picture, maps, number, place)
with numbers:
    try:
        single_map.show_steps(shared, single_map.steps_to(shared, picture, layer, number, place))
    except ExplorerError as error:
        st.info(plain(str(error)), icon=":material/info:")
