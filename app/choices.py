"""The choices that several pages begin with: which network, which picture, and any that the address names."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from alexnet_core.limits import PICTURE_BYTES
from alexnet_core.models import Network
from app import address, answers, session, uploads, words
from app.fetching import fetch_with_bar
from app.samples import SAMPLES
from app.sentences import plain

SOURCES = {
    "sample": ":material/photo_library: Sample",
    "upload": ":material/upload: Upload",
    "camera": ":material/photo_camera: Camera",
}


def choose_in_address(
    label: str,
    name: str,
    titles: Mapping[str, str],
    first: str | None,
    help: str,
    *,
    announce: bool = False,
    placeholder: str | None = None,
) -> Any:
    """One of `titles` by its key, kept in the address under `name`, so that a link to it can be shared; at the very
    beginning `first`. `announce` as for `address.wanted`."""
    choice = address.wanted(name, list(titles), first, announce)
    st.selectbox(
        label,
        list(titles),
        key=name,
        format_func=titles.__getitem__,
        placeholder=placeholder,
        help=help,
        on_change=address.write,
        args=(name,),
        persist_state="session",
    )
    return choice


def choose_network() -> session.SharedNetwork:
    """The network to look into, chosen by name and kept in the address. Stops the page while there is none."""
    titles = session.networks()
    trained = [name for name in titles if not name.startswith(session.IMAGENET)]
    if not trained:
        st.info(
            "No network has been trained on this computer yet. The first takes a minute or two.", icon=":material/info:"
        )
        if st.button("Train a network", type="primary", icon=":material/model_training:", help="Opens the page Train."):
            st.switch_page("views/train.py")
    choice = choose_in_address(
        "Network",
        "run",
        titles,
        trained[0] if trained else None,
        "Your own runs, the networks that come with the program, and 1000-class networks. The address names the one "
        "you look at.",
        announce=True,
        placeholder="Or choose one with ImageNet weights",
    )
    if choice is None:
        st.stop()
    if choice.startswith(session.IMAGENET) and not session.imagenet_is_here(choice):
        st.info("The ImageNet weights of this network are not on this computer yet.", icon=":material/cloud_download:")
        if not st.button(
            "Fetch the weights",
            help=(
                "Once, from PyTorch's own server: 5 MB (SqueezeNet) to 553 MB (VGG-16). A connection that breaks off "
                "is taken up again where it broke."
            ),
        ):
            st.stop()
        fetch_with_bar(choice.removeprefix(session.IMAGENET))
    return session.load(choice)


def choose_picture(network: Network) -> session.Picture:
    """A sample (at first one that fits `network`), an upload, or a photograph, which is kept while the session
    lasts."""
    session.tidy_uploads()
    source = st.segmented_control(
        "Picture",
        list(SOURCES),
        default="sample",
        required=True,
        format_func=SOURCES.__getitem__,
        key="source",
        help=f"Pictures stay on this computer, until nobody has used them for {uploads.DAYS} days. The camera is only "
        "switched on here, and only when you choose it.",
        persist_state="session",
    )
    if source == "sample":
        name = st.selectbox(
            "Sample",
            list(SAMPLES),
            index=list(SAMPLES).index(session.fitting_sample(network)),
            format_func=lambda name: SAMPLES[name].title,
            key="sample",
            help="Drawn for this program, or photographs that come with scikit-learn.",
            persist_state="session",
        )
        return session.sample(name)
    if source == "upload":
        file = st.file_uploader(
            "Picture file",
            type=["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"],
            max_upload_size=PICTURE_BYTES // 1_000_000,
            help="JPEG, PNG, WebP, BMP, GIF or TIFF, at most 10 MB and 24 megapixels.",
        )
    else:
        file = st.camera_input(
            "Photograph", help="Hold the thing in the middle: the network looks at the centre square."
        )
    # Read once an upload: to decode a photograph of a telephone at each click would take a third of a second.
    if file is not None and st.session_state.get("brought_id") != file.file_id:
        # A browser calls a photograph by the time of day, to the millisecond.
        name = file.name if source == "upload" else "photograph.jpg"
        st.session_state.brought = session.brought(file.getvalue(), name)
        st.session_state.brought_id = file.file_id
    kept = st.session_state.get("brought")
    if kept is None:
        st.caption("Until then, a sample is shown.")
        return session.sample(session.fitting_sample(network))
    st.caption(f"Showing {plain(kept.name)}.")
    return kept


def show_square(network: Network, picture: session.Picture) -> None:
    """What of the chosen picture the network looks at."""
    st.image(
        answers.square(network.preprocessing, picture),
        caption=words.picture_caption(picture.name, network.preprocessing.size),
        width="stretch",
        alt=f"The centre square of the picture {picture.name}.",
    )
