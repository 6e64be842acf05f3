"""ImageNet weights that are not on this computer yet, fetched with a bar on the page."""

import streamlit as st

from alexnet_core.models.fetching import imagenet_file, imagenet_is_here
from app import words


def fetch_with_bar(model: str) -> None:
    """Bring the ImageNet weights of `model` to this computer unless they are here. Raises ExplorerError."""
    if imagenet_is_here(model):
        return
    bar = st.progress(0.0, "Fetching the weights")
    try:
        imagenet_file(model, progress=lambda *at: bar.progress(*words.progress(*at)))
    finally:
        bar.empty()
