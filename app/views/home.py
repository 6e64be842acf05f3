"""Home: something to look at first, then three doors."""

import streamlit as st

from app import answers, session, words
from app.doors import DOORS
from app.figures.mosaic import mosaic

st.title("AlexNet Explorer")
trained = session.networks(imagenet=False)
st.markdown(
    "Train AlexNet in front of your eyes, look inside the network you just trained, and learn how far to believe "
    "what you see. Everything happens on this computer: no account, no graphics card, no download."
    + (" Below: what the first layer of a trained network looks for, and why it says what it says." if trained else "")
)

if trained:
    shared = session.load(next(iter(trained)))
    picture = session.sample(session.fitting_sample(shared.network))
    found = answers.top(shared, picture)
    left, right = st.columns([1, 1], gap="large")
    with left:
        st.subheader("What its first layer looks for")
        filters = answers.first_filters(shared)
        st.image(
            mosaic(filters.tiles, 8, 88),
            width="stretch",
            alt=f"The {len(filters.tiles)} filters of the first layer as small colour pictures.",
        )
        st.caption(
            f"The {len(filters.tiles)} filters of {words.plain(shared.network.source)}. Grey is a weight of zero; "
            "each filter is stretched by its own largest weight."
        )
    with right:
        st.subheader(f"Why it says {words.plain(found[0].name)}")
        seen, why = st.columns(2, wrap=False)
        seen.image(
            answers.square(shared.network.preprocessing, picture),
            caption=picture.name,
            width="stretch",
            alt=f"The sample picture: {picture.name}.",
        )
        explained = answers.explained(shared, picture, "grad_cam", found[0].index)
        why.image(
            answers.laid_over(shared, picture, explained, 0.6),
            caption="Yellow: where its last convolution found what speaks for it (Grad-CAM)",
            width="stretch",
            alt=f"The same picture, coloured by how much each region speaks for {found[0].name}.",
        )
        for one in found[:3]:
            st.progress(one.probability, text=words.answer(one.name, one.probability))
else:
    st.info("There is no trained network on this computer yet. Training the first takes about a minute.")

for column, door in zip(st.columns(3), DOORS, strict=True):
    with column.container(border=True, height="stretch"):
        st.subheader(door.title)
        st.markdown(door.text)
        st.space("stretch")
        if st.button(door.button, key=door.page, type=door.kind, icon=door.icon, width="stretch", help=door.help):
            st.switch_page(door.page)
