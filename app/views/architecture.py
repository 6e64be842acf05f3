"""The network to scale, and every number of every layer with how it comes about."""

import streamlit as st

from alexnet_core.models import MODELS
from app import address, layer_words
from app.anatomies import DRAWN, blocks, layer_rows, layers_of
from app.figures.architecture import drawing
from app.figures.palette import NO_TOOLBAR

st.title("Architecture")
st.markdown("Convolutions look for patterns, linear layers decide. Click a dot, or choose a layer below.")

left, right = st.columns([3, 2], vertical_alignment="bottom")
name = address.wanted("network", DRAWN, "alexnet")
left.segmented_control(
    "Network",
    DRAWN,
    key="network",
    format_func=lambda key: MODELS[key].title,
    required=True,
    help="Sizes of the same idea; the mini one trains in minutes on a laptop, the sprint in seconds.",
    on_change=address.write,
    args=("network",),
    persist_state="session",
    wrap=True,
)
size = right.slider(
    "Side of the picture in pixels",
    16,
    320,
    MODELS[name].image_size,
    key=f"size-{name}",
    help="Larger pictures make larger maps and more work; too small a picture does not survive the poolings.",
    persist_state="session",
)

layers = layers_of(name, size)
titles = layer_words.layer_titles(layers)
chosen = address.wanted("layer", list(titles), layers[0].name)


def clicked() -> None:
    """A click on a dot of the drawing, or on a row of the table, chooses that layer."""
    dots = st.session_state.drawing.selection.points
    if dots and dots[0]["customdata"]:
        st.session_state.layer = dots[0]["customdata"]
        address.write("layer")


st.caption(layer_words.summary(layers))
with st.grid(1, min_column_width=900, wrap=False):
    st.plotly_chart(
        drawing(blocks(layers, titles, size), chosen),
        key="drawing",
        on_select=clicked,
        selection_mode="points",
        config=NO_TOOLBAR,
        alt=f"{MODELS[name].title} drawn to scale: maps shrink and become more from layer to layer.",
    )
st.caption(
    "On a narrow screen, swipe the drawing sideways. To scale: height and depth of a block are the sides of its maps "
    "in pixels, its width is their number; green bars are lists of numbers without a place in the picture. ReLU, "
    "normalisation and dropout leave the shape as it is and are not drawn."
)

st.selectbox(
    "Layer",
    list(titles),
    key="layer",
    format_func=titles.__getitem__,
    help="Every layer in the order in which a picture passes them. The address changes with it, so it can be shared.",
    on_change=address.write,
    args=("layer",),
    persist_state="session",
)
index = list(titles).index(chosen)
layer = layers[index]
st.markdown(layer_words.purpose(layer, titles[chosen]))
with st.grid(5, min_column_width=150):
    for label, value, explanation in layer_words.numbers(layer):
        st.metric(label, value, help=explanation, border=True)
with st.container(border=True):
    st.markdown("**How these numbers come about**")
    st.markdown("\n".join(f"* **{label}**: {formula}" for label, formula in layer_words.how_computed(layers, index)))

st.subheader("All layers")
st.dataframe(
    layer_rows(layers, titles),
    hide_index=True,
    height="content",
    column_config={
        column: st.column_config.NumberColumn(format="localized") for column in ("Parameters", "Multiply-adds")
    },
    alt=f"The {len(layers)} layers of {MODELS[name].title} with shapes, parameters and costs.",
)
