"""Units: a passport for any unit of any layer."""

import streamlit as st

from app.choices import choose_in_address, choose_network, choose_picture
from app.gallery import choose_gallery
from app.inside import first_layer, growing, layers, units
from app.sentences import plain

st.title("Units")
left, middle, right = st.columns(3, gap="large")
with left:
    shared = choose_network()
    every = layers.layers_of(shared)
    layer = choose_in_address(
        "Layer",
        "layer",
        layers.titles(every),
        units.first_layer_shown(every),
        "In the order in which a picture passes them. A unit is a channel of a layer with maps, or one number.",
    )
with middle:
    gallery = choose_gallery(shared, st.session_state["run"])
    bar = st.empty()
    survey = units.surveyed(shared, gallery, layer, bar.progress)
    bar.empty()
    unit = st.number_input(
        "Unit",
        0,
        units.last_unit(every[layer]),
        units.default_unit(survey),
        key=f"unit-{shared.key}-{layer}",
        help="Counted from 0. At first the most selective one that fires now and then.",
        persist_state="session",
    )
with right:
    picture = choose_picture(shared.network)

most, least, now = st.columns(3, gap="large")
with most:
    st.subheader("Excited most by")
    found = units.patches(shared, gallery, layer, unit, True)
    st.image(units.nine(found), width="stretch", alt=f"The nine patches to which unit {unit} answers most.")
    st.caption(units.ABOUT_MOST)
with least:
    st.subheader("Least by")
    found = units.patches(shared, gallery, layer, unit, False)
    st.image(units.nine(found), width="stretch", alt=f"The nine patches to which unit {unit} answers least.")
    st.caption(units.about_least(every[layer], found))
with now:
    st.subheader("On this picture")
    image, sentence = units.live(shared, picture, every[layer], unit)
    st.image(image, width="stretch", alt=f"The answer of unit {unit} to the picture {picture.name}.")
    st.caption(sentence)

with st.grid(4, min_column_width=170):
    for label, value, explanation in units.numbers_of(shared, gallery, layer, unit):
        st.metric(label, value, help=explanation, border=True)
filter_tile = units.filter_of(shared, layer, unit)
chart, weights = st.columns([3, 2], gap="large")
with chart:
    units.show_classes(survey, shared.network.classes, unit)
    st.caption(first_layer.silent(survey))
if filter_tile is not None:
    with weights:
        st.image(units.enlarge(filter_tile), width=300, alt=f"Filter {unit} of the first layer.")
        st.caption("Its filter. " + first_layer.filter_facts(first_layer.described(shared)[1], unit))

st.subheader("What in its strongest picture excites it")
with st.grid(4, min_column_width=200):
    for title, view in units.drawn_back(shared, gallery, layer, unit).items():
        st.image(view, caption=title, width="stretch", alt=f"{title} of unit {unit} for its strongest picture.")
reason = units.why_no_passes(shared)
st.caption(units.ABOUT_PATCH if reason else units.ABOUT_PASSES)
if reason:
    st.info(f"No way back to the pixels can be drawn. {plain(reason)}", icon=":material/block:")

st.subheader("A picture made to excite it")
growing.show(shared, st.session_state["run"], every[layer], unit)
