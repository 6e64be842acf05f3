"""What the home page shows: a trained network's filters, and one picture explained."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import answers, session, words
from app.figures.mosaic import columns_for, mosaic
from app.sentences import plain


def show(place: DeltaGenerator) -> None:
    """Fill `place`."""
    trained = session.networks(imagenet=False)
    if not trained:
        place.info("There is no trained network on this computer yet. Training the first takes a minute or two.")
        return
    shared = session.load(next(iter(trained)))
    picture = session.sample(session.fitting_sample(shared.network))
    found = answers.top(shared, picture)
    filters = answers.first_filters(shared)
    explained = answers.explained(answers.Asked(shared, picture, "grad_cam", found[0].index))
    with place:
        left, right = st.columns(2, gap="large")
    with left:
        st.subheader("What its first layer looks for")
        st.image(
            mosaic(filters.tiles, columns_for(len(filters.tiles)), 88),
            width="stretch",
            alt=f"The {len(filters.tiles)} filters of the first layer as small colour pictures.",
        )
        st.caption(
            f"The {len(filters.tiles)} filters of {plain(shared.network.source)}. Grey is a weight of zero; each "
            "filter is stretched by its own largest weight."
        )
    with right:
        st.subheader(f"Why it says {plain(found[0].name)}")
        seen, why = st.columns(2, wrap=False)
        seen.image(
            answers.square(shared.network.preprocessing, picture),
            caption=plain(picture.name),
            width="stretch",
            alt=f"The sample picture: {picture.name}.",
        )
        why.image(
            answers.laid_over(shared, picture, explained, 0.6),
            caption="Yellow: where its last convolution found what speaks for it (Grad-CAM)",
            width="stretch",
            alt=f"The same picture, coloured by how much each region speaks for {found[0].name}.",
        )
        for one in found[:3]:
            st.progress(one.probability, text=words.answer(one.name, one.probability))
