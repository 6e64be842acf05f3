"""What the previews show is what trains, and the colour cloud is that of the pictures themselves."""

import numpy as np
import pytest
import torch

from alexnet_core.data.augment import Augmentation, colour_axes, order
from alexnet_core.training.batches import Batches
from alexnet_core.training.config import TrainConfig
from app.figures.colour_cloud import colour_cloud
from app.training import previews
from app.training.preview_panel import CHANGES

CHANGED = Augmentation(translate=0.2, reflect=True, colour=0.3, rotate=15, erase=0.6)


def test_the_preview_shows_the_very_pictures_of_a_training(digits):
    sheet = previews.changed(digits.identity, CHANGED, digits, seed=3)
    sheet = sheet.reshape(previews.PICTURES, 1 + previews.PASSES, 32, 32, 3)
    labels = digits.labels("train")
    batches = Batches(
        digits.images("train")[:],
        labels,
        seed=3,
        batch_size=len(labels),
        augmentation=CHANGED,
        preprocessing=digits.preprocessing,
        axes=colour_axes(torch.tensor(digits.rgb_covariance)),
        device=torch.device("cpu"),
    )
    rows = [int(np.flatnonzero(labels == label)[0]) for label in range(previews.PICTURES)]
    assert np.array_equal(sheet[:, 0], digits.images("train")[rows])
    for epoch in (1, previews.PASSES):
        ((images, _),) = batches.epoch(epoch)
        places = order(3, epoch, len(labels)).tolist()
        for picture, row in enumerate(rows):
            trained = digits.preprocessing.denormalise(images[places.index(row)][None])[0].numpy()
            assert np.abs(trained.astype(int) - sheet[picture, epoch]).max() <= 1


def test_every_change_of_the_settings_has_a_preview():
    fields = Augmentation.__dataclass_fields__
    assert set(CHANGES) == set(fields)
    settings = TrainConfig(translate=0.1, reflect=False, colour=0.2, rotate=5.0, scale=0.3, erase=0.4)
    shown = previews.of_settings(settings)
    assert {name: getattr(shown, name) for name in fields} == {name: getattr(settings, name) for name in fields}


def test_the_cloud_lies_along_its_axes(digits):
    cloud = previews.colour_cloud(digits.identity, digits)
    assert sum(cloud.shares) == pytest.approx(1)
    assert cloud.shares[0] > 0.99  # digits are grey
    assert cloud.places[:, 0].std() == pytest.approx(1, abs=0.15)  # in standard deviations
    bright = cloud.places[cloud.colours.mean(axis=1) > 200, 0]
    assert bright.min() > cloud.places[cloud.colours.mean(axis=1) < 50, 0].max()


def test_the_figure_paints_each_pixel_in_its_colour():
    fig = colour_cloud(
        np.array([[0.5, -1.0], [2.0, 0.0]]), np.array([[255, 0, 9], [1, 2, 3]], np.uint8), ("a", "b"), 0.3
    )
    assert list(fig.data[0].marker.color) == ["rgb(255,0,9)", "rgb(1,2,3)"]
    assert list(fig.data[0].x) == [0.5, 2.0]
    assert [(arrow.x, arrow.ax) for arrow in fig.layout.annotations] == [(0.3, -0.3), (0.0, -0.0)]
