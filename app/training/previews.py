"""What a network gets to see of pictures that are changed by chance: made by the very code that trains."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from alexnet_core.data.augment import Augmentation, augment, colour_axes, draw
from alexnet_core.data.prepared import PreparedSet
from alexnet_core.training.config import TrainConfig

PICTURES, PASSES = 4, 7
"""Rows, and how often each picture is shown changed: what the network gets in so many passes."""
CLOUD = 1_500
"""Pixels in the colour cloud: a browser draws them at once."""


@dataclass(frozen=True)
class ColourCloud:
    """The colours of a data set, along the directions in which they vary most."""

    places: np.ndarray
    """float (n, 2), along the first two axes, in standard deviations."""
    colours: np.ndarray
    """uint8 (n, 3)."""
    axes: np.ndarray
    """float (3, 3): for each axis what red, green and blue change by over one standard deviation, in units of 255."""
    shares: tuple[float, float, float]
    """Of the variance that lies along each axis."""


def of_settings(settings: TrainConfig) -> Augmentation:
    """The changes that a run of these settings makes."""
    return Augmentation(
        settings.translate, settings.reflect, settings.colour, settings.rotate, settings.scale, settings.erase
    )


@st.cache_data(max_entries=64, show_spinner=False)
def changed(identity: str, augmentation: Augmentation, _data: PreparedSet, seed: int = 0) -> np.ndarray:
    """Some training pictures, each followed by what becomes of it in the first passes: uint8 (PICTURES * (1 + PASSES),
    S, S, 3). `identity` is that of the data."""
    labels = _data.labels("train")
    rows = np.array([int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels)[:PICTURES]])
    pixels = torch.from_numpy(np.array(_data.images("train")[rows]))
    axes = colour_axes(torch.tensor(_data.rgb_covariance))
    shown = [pixels]
    for epoch in range(1, PASSES + 1):
        # The chance of these very pictures in a run with this seed.
        chance = draw(seed, epoch, len(labels)).rows(torch.from_numpy(rows))
        shown.append(_data.preprocessing.denormalise(augment(pixels, chance, augmentation, _data.preprocessing, axes)))
    return torch.stack(shown, 1).flatten(0, 1).numpy()  # (pictures, 1 + passes, S, S, 3) -> one row


@st.cache_data(max_entries=16, show_spinner=False)
def colour_cloud(identity: str, _data: PreparedSet) -> ColourCloud:
    """The colours of some training pixels. `identity` is that of the data."""
    random = np.random.default_rng(0)
    images = _data.images("train")
    rows = np.sort(random.choice(len(images), min(len(images), 300), replace=False))
    pixels = images[rows].reshape(-1, 3)
    colours = pixels[random.choice(len(pixels), min(len(pixels), CLOUD), replace=False)]
    axes = colour_axes(torch.tensor(_data.rgb_covariance)).numpy()[::-1]  # the longest first
    lengths = np.maximum(np.linalg.norm(axes, axis=1), 1e-9)
    centred = colours / 255 - np.array(_data.mean)
    places = centred @ (axes / lengths[:, None] ** 2).T
    shares = lengths**2 / (lengths**2).sum()
    return ColourCloud(places[:, :2], colours, axes * 255, tuple(shares.tolist()))
