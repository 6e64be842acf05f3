"""Lesions: switch units off or amplify them, and see which answers depend on them."""

import streamlit as st

from app import answers
from app.choices import choose_in_address, choose_network, choose_picture
from app.gallery import choose_gallery
from app.inside import layers, lesions
from app.sentences import plain

st.title("Lesions")
st.markdown("Take units away from a trained network, or turn them up, and see at once what it no longer knows.")
left, right = st.columns([3, 2], gap="large")
with left:
    shared = choose_network()
    gallery = choose_gallery(shared, st.session_state["run"])
    offered = lesions.offered(shared)
    layer = choose_in_address(
        "Layer",
        "layer",
        layers.titles(offered),
        lesions.first_offered(offered),
        "The factor acts on what this layer puts out. Behind a ReLU, zero means: found nothing.",
    )
with right:
    picture = choose_picture(shared.network)
    st.image(
        answers.square(shared.network.preprocessing, picture),
        width=220,
        alt=f"The centre square of the picture {picture.name}.",
    )

strongest = lesions.strongest_units(shared, picture, offered[layer])
key = f"lesion-{shared.key}-{layer}"
which, how = st.columns([3, 2], gap="large")
chosen = which.multiselect(
    "Units",
    strongest,
    default=strongest[: lesions.AT_FIRST],
    key=key,
    help="At first some that answer most to the present picture; the list begins with the strongest.",
    persist_state="session",
)
factor = how.slider(
    "Their output, times",
    0.0,
    3.0,
    0.0,
    0.25,
    key="factor",
    help="0 switches them off, 1 leaves them as they are, 3 triples them.",
    persist_state="session",
)
factors = dict.fromkeys(chosen, factor)

one, every = st.columns(2, gap="large")
with one:
    st.subheader("This picture")
    before = lesions.probabilities(shared, picture, layer, {})
    lesions.show_prediction(shared.network.classes, before, lesions.probabilities(shared, picture, layer, factors))
    st.caption("The most probable classes with the whole network (circles) and with the changed units (diamonds).")
with every:
    st.subheader("Every class")
    if gallery.labels is None:
        st.info(
            "These crops have no classes, so nothing can be right or wrong. Prepare the network's data set on the page "
            "Train, and this chart shows what each class loses.",
            icon=":material/info:",
        )
        st.stop()
    with st.spinner("Computing the pictures up to this layer, once"):
        whole = lesions.outcome(shared, gallery, layer, {})
    after = lesions.outcome(shared, gallery, layer, factors)
    lesions.show_accuracies(shared.network.classes, whole, after, lesions.pictures(shared, gallery, layer))

st.subheader("Which unit does a class need most?")
label = st.selectbox(
    "Class",
    range(len(shared.network.classes)),
    format_func=shared.network.classes.__getitem__,
    key="needed_by",
    help="Each unit of the layer is switched off in turn; what is needed most is what the class falls most without.",
    persist_state="session",
)
found = lesions.ask_for_needs(shared, gallery, offered[layer])
if found is not None:
    name = shared.network.classes[label]
    first = lesions.show_needs(found, whole, label, name)
    st.caption(lesions.finding(found, whole, label, first, plain(name)))
