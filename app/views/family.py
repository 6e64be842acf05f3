"""The family: AlexNet and the networks that came after it."""

import streamlit as st

from app.family import cards, numbers, one_picture, overview, staircase_panel
from app.figures.palette import NO_TOOLBAR

st.title("The family")
st.markdown("What came after AlexNet: more answers right, and often with less work, one idea at a time.")

left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader("What they reach, and what it costs")
    with st.grid(1, min_column_width=560, wrap=False):
        st.plotly_chart(
            overview.chart(),
            key="family_chart",
            config=NO_TOOLBAR,
            alt="Networks as dots: ImageNet accuracy upwards, multiply-adds to the right, area for parameters.",
        )
    st.caption(
        "Up is better, left is cheaper; the area of a mark is its number of parameters. Accuracies are those that "
        "torchvision states for its ImageNet weights. On a narrow screen, swipe the chart sideways."
    )
with right:
    st.subheader("What came out of what")
    st.plotly_chart(
        overview.timeline(),
        key="family_timeline",
        config=NO_TOOLBAR,
        alt="Ideas over the years from AlexNet in 2012 to EfficientNet v2 in 2021; lines lead from each to its heirs.",
    )

ideas, picture, table, stairs = st.tabs(
    [
        ":material/lightbulb: The ideas",
        ":material/image_search: One picture through all",
        ":material/table_chart: The numbers",
        ":material/stairs: The staircase",
    ],
    on_change="rerun",
    key="family_tabs",
)
if ideas.open:
    with ideas:
        cards.show()
if picture.open:
    with picture:
        one_picture.show()
if table.open:
    with table:
        numbers.show()
if stairs.open:
    with stairs:
        staircase_panel.show()
